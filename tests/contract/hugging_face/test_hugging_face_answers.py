"""Our reading of Hugging Face's answers. Chats are those of real servers, which the tests of the server behind most
endpoints compare with (recorded_tgi_snapshots.json), and others in the shapes of its OpenAPI (request_schemas.json:
huggingface/text-generation-inference at db931fc), and those of OpenAI's that the router passes on. Vectors are those of
text-embeddings-inference's OpenAPI (../text_embedding_inference/request_schemas.json); that models which are not pooled
answer with vectors of tokens is what Dify's plugin provides for. Refusals are the examples of both OpenAPIs and the
texts that huggingface_hub 1.33.0 and the vendor's guides tell; 400 as huggingface/huggingface.js#2225 and
cline/cline#5098 report it; those of tasks after huggingface/api-inference-community at 2fd0029
(api_inference_community/routes.py) and huggingface/huggingface-inference-toolkit at 833b5a2; 403 is inferred.
"""

import json
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.catalogue import ModelType
from domain.model.events import Finish, Usage
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "hugging_face"
ADAPTER = ADAPTERS[ID]
SNAPSHOTS = rec.exchanges(ID, "recorded_tgi_snapshots.json")
BROOKLYN = {"location": "Brooklyn, NY", "format": "fahrenheit"}
HEAD = {"id": "", "created": 1706270835, "model": "mistralai/Mistral-7B-Instruct-v0.2", "system_fingerprint": "3.3.6"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}


def whole(message: Any, reason: str = "stop") -> Any:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason, "logprobs": None}
    body = {**HEAD, "choices": [choice], "usage": USAGE}
    rec.valid(ID, "ChatCompletion", body)
    return body


def chunk(delta: Any, reason: str | None = None, **more: Any) -> Any:
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": reason, "logprobs": None}
    body = {**HEAD, "choices": [choice], **more}
    rec.valid(ID, "ChatCompletionChunk", body)
    return body


def called(arguments: Any, **more: Any) -> Any:
    return {"tool_calls": [{"id": "0", "type": "function", "function": {"name": "f", "arguments": arguments}, **more}]}


@pytest.mark.parametrize(
    ("name", "beginning", "finish", "counts"),
    [
        ("chat_of_an_image", "Here's a description of what's shown in the image", Finish.STOP, (275, 72)),
        ("chat_by_a_schema", '{"firstName":"David"', Finish.STOP, (32, 35)),
        ("chat_cut", "As of your last question, the weather in Brooklyn", Finish.LENGTH, (61, 100)),
        ("chat_tool", "", Finish.TOOL_CALLS, (501, 29)),
    ],
)
def test_a_real_answer_is_read(name: str, beginning: str, finish: Finish, counts: tuple[int, int]) -> None:
    answer = rec.answered(ID, SNAPSHOTS[name]["json"])
    assert answer.text.startswith(beginning)
    assert (answer.finish.unified, (answer.usage.input, answer.usage.output)) == (finish, counts)


def test_a_real_stream_is_read_with_its_usage() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SNAPSHOTS["chat_stream_usage"]["events"]))
    assert (answer.text, answer.finish.unified) == ("OK!", Finish.STOP)
    assert (answer.usage.input, answer.usage.output) == (39, 3)


def test_a_real_call_of_a_tool_is_read_whole_and_streamed() -> None:
    (call,) = rec.answered(ID, SNAPSHOTS["chat_tool"]["json"]).tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_current_weather", BROOKLYN)
    events = SNAPSHOTS["chat_tool_stream"]["events"]
    (call,) = rec.split_in_all_ways(ID, rec.events(*events, chunk({"content": ""}, "tool_calls"))).tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_current_weather", BROOKLYN)


def test_an_answer_is_the_same_whole_and_streamed() -> None:
    answer = rec.answered(ID, whole({"content": "Grüße 😀"}, "length"))
    stream = rec.events(
        *(chunk({"content": piece}) for piece in ("Grü", "ße 😀")), chunk({"content": ""}, "length", usage=USAGE)
    )
    assert rec.split_in_all_ways(ID, stream) == answer
    assert (answer.text, answer.finish.unified, answer.usage) == ("Grüße 😀", Finish.LENGTH, Usage(9, 20, raw=USAGE))


@pytest.mark.parametrize("arguments", ['{"a":1}', {"a": 1}], ids=["text", "an object, as elder servers"])
def test_a_tool_call_is_the_same_whole_and_streamed(arguments: Any) -> None:
    answer = rec.answered(ID, whole(called(arguments), "tool_calls"))
    opening, rest = called("", index=0), called("", index=0)
    opening["tool_calls"][0]["function"]["arguments"], rest["tool_calls"][0]["function"] = '{"a"', {"arguments": ":1}"}
    stream = rec.events(chunk(opening), chunk(rest), chunk({"content": ""}, "tool_calls", usage=USAGE))
    assert rec.split_in_all_ways(ID, stream) == answer
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("0", "f", '{"a":1}')]
    assert answer.finish.unified is Finish.TOOL_CALLS


def test_a_stream_without_its_end_is_broken() -> None:
    with pytest.raises(StreamBroken):
        rec.streamed(ID, f"data: {json.dumps(chunk({'content': 'Hi'}))}\n\n")


@pytest.mark.parametrize(
    ("error", "meaning", "status"),
    [
        ({"error": {"message": "Input validation error", "http_status_code": 422}}, BadRequestUpstream, 422),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, UpstreamUnavailable, 429),
    ],
)
def test_a_refusal_inside_a_stream_has_the_status_that_it_names(
    error: Any, meaning: type[UpstreamError], status: int
) -> None:
    with pytest.raises(UpstreamError) as caught:
        rec.streamed(ID, f"data: {json.dumps(error)}\n\n")
    assert (type(caught.value), caught.value.status) == (meaning, status)


@pytest.mark.parametrize(
    "body",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        [[[0.0, 1.0], [2.0, 3.0]], [[3.0, 4.0]]],
        [[[[0.0, 1.0], [2.0, 3.0]]], [[[3.0, 4.0]]]],
    ],
    ids=["pooled", "by tokens", "by tokens, in a dimension of one"],
)
def test_vectors_of_tokens_are_averaged_to_one_of_the_text(body: Any) -> None:
    answer = rec.vectors(ID, body, 2)
    assert (answer.vectors, answer.usage) == (((1.0, 2.0), (3.0, 4.0)), Usage())


@pytest.mark.parametrize(
    "body",
    [None, {}, [], [[1.0], [2.0]], [1.0], [[]], [[[]]], [[[1.0], [1.0, 2.0]]], [["x"]], [[[float("nan")]]]],
    ids=str,
)
def test_vectors_that_do_not_fit_the_texts_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, body, 1)


def test_the_routers_list_is_of_models_that_chat() -> None:
    row = {
        "id": "openai/gpt-oss-120b",
        "providers": [{"provider": "novita", "status": "live", "context_length": 131072}],
    }
    assert ADAPTER.models
    assert ADAPTER.models.parse({"data": [row]}).models == (ListedModel("openai/gpt-oss-120b", ModelType.LLM),)


NOWHERE = "The requested model 'x/y' is not supported by any provider you have enabled."
DEPLETED = "You have depleted your monthly included credits. Purchase pre-paid credits to continue."
LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens"
REFUSALS: list[tuple[int, Any, type[UpstreamError]]] = [
    (401, {"error": "Invalid username or password."}, CredentialRejected),
    (402, {"error": DEPLETED}, UpstreamPaymentRequired),
    (403, {"error": "This authentication method does not have sufficient permissions"}, CredentialRejected),
    (400, {"error": {"message": NOWHERE, "type": "x", "code": "model_not_supported"}}, ModelNotFoundUpstream),
    (400, {"error": {"message": NOWHERE}}, ModelNotFoundUpstream),
    (400, {"error": "Model not supported by provider hf-inference"}, ModelNotFoundUpstream),
    (400, {"error": "Audio serialization not implemented"}, BadRequestUpstream),
    (500, {"error": "unknown error", "warnings": ["There was an inference error: boom"]}, UpstreamUnavailable),
    (503, {"error": "Model x/y is currently loading", "estimated_time": 20.0}, UpstreamUnavailable),
    (404, {"error": "Model x/y does not exist"}, ModelNotFoundUpstream),
    (429, {"error": "Too many requests"}, UpstreamRateLimited),
    (503, {"error": "Service Unavailable"}, UpstreamUnavailable),
    (502, "Bad Gateway", UpstreamUnavailable),
    (422, {"error": LONG, "error_type": "validation"}, ContextTooLong),
    (422, {"error": "Input validation error", "error_type": "validation"}, BadRequestUpstream),
    (424, {"error": "Request failed during generation", "error_type": "generation"}, UpstreamUnavailable),
    (429, {"error": "Model is overloaded", "error_type": "overloaded"}, UpstreamUnavailable),
    (500, {"error": "Incomplete generation", "error_type": "incomplete_generation"}, UpstreamUnavailable),
    (424, {"error": "Inference failed", "error_type": "Backend"}, UpstreamUnavailable),
]


@pytest.mark.parametrize(("status", "body", "meaning"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)


def test_several_refusals_in_one_are_all_told() -> None:
    """The list of api_inference_community/routes.py for parameters that are wrong."""
    failure = rec.refused(ID, 400, {"error": ["Too long: received `a` in `parameters`", "No: received `b`"]})
    assert (type(failure), failure.detail) == (
        BadRequestUpstream,
        "Too long: received `a` in `parameters`; No: received `b`",
    )


def test_what_the_body_does_not_say_a_header_may() -> None:
    failure = rec.refused(ID, 403, "", {"x-error-message": "Access to this endpoint is restricted."})
    assert (type(failure), failure.detail) == (CredentialRejected, "Access to this endpoint is restricted.")
    assert rec.refused(ID, 403, {"error": "No."}, {"x-error-message": "Yes."}).detail == "No."
