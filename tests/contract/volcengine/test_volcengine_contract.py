"""Our requests to VolcanoEngine equal those of its SDK (sdk_requests.json: volcengine-ark-runtime 5.0.54) and satisfy
the SDK's own types (request_schemas.json); answers and errors are those that the SDK accepted
(sdk_requests_replies.json), and have the shapes that the vendor's reference documents.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; nulls; and `thinking`, which that
caller chose.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, ImagePart, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature
from domain.model.events import Finish, FinishReason, Usage
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID, SEEING = "volcengine", "doubao-embedding-vision-250615"
REPLIES = rec.calls(ID, "sdk_requests_replies.json")
FORM = {"volc_api_key": "fake-ark-api-key"}
HEADERS = ("authorization", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
PING = rec.asking("ping", system="You are terse.")
IMAGE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
AFTER = rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1")
CASES: list[tuple[str, str, ChatCall]] = [
    ("chat", "doubao-seed-1-6-251015", replace(PING, knobs=Knobs(max_tokens=16, temperature=0.5))),
    ("chat_stream_tool", "doubao-seed-1-6-251015", replace(PING, tools=(TOOL,))),
    ("chat_tool_result", "ep-20250101000000-abcde", AFTER),
    ("chat_vision", "doubao-seed-1-6-vision-250815", rec.asking(IMAGE, "what is it?")),
]


def replied(name: str) -> Any:
    """What was replayed to the SDK."""
    return REPLIES[name]["reply_replayed"]["body"]


@pytest.mark.parametrize(("name", "model", "call"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, model: str, call: ChatCall) -> None:
    ours = rec.asked(ID, FORM, model, call, stream="stream" in name, headers=HEADERS)
    theirs = rec.recorded(rec.calls(ID)[name], without={"tool_choice", "thinking"}, headers=HEADERS)
    assert ours == rec.silent(rec.without_nulls(theirs))
    rec.valid(ID, "CompletionCreateParams", ours.body)


def test_a_schema_is_asked_for_as_the_sdk_does() -> None:
    theirs = rec.recorded(REPLIES["chat_json_schema"], headers=HEADERS)
    call = replace(rec.asking("a?"), response_schema=ResponseSchema("ans", client.CLOSED))
    ours = rec.asked(ID, FORM, theirs.body["model"], call, headers=HEADERS)
    assert ours == rec.without_nulls(theirs)
    rec.valid(ID, "CompletionCreateParams", ours.body)


def test_an_embedding_request_is_the_sdks() -> None:
    call = EmbedCall(("hello", "world"))
    ours = rec.embedded(ID, FORM, "doubao-embedding-large-text-250515", call, HEADERS)
    assert ours == rec.without_nulls(rec.recorded(rec.calls(ID)["embedding"], headers=HEADERS))
    rec.valid(ID, "CreateEmbeddingParams", ours.body)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("embedding_multimodal", EmbedCall(("hello",))),
        ("embedding_multimodal_dimensions", EmbedCall(("hello",), dimensions=1024)),
    ],
)
def test_a_model_that_sees_embeds_one_text_at_a_time_as_the_sdk_asks(name: str, call: EmbedCall) -> None:
    theirs = rec.without_nulls(rec.recorded(REPLIES[name], headers=HEADERS))
    ours = rec.embedded(ID, FORM, theirs.body["model"], call, HEADERS)
    assert ours == theirs
    rec.valid(ID, "CreateMultimodalEmbeddingParams", ours.body)
    answer = rec.vectors(ID, replied(name), 1)
    assert (answer.vectors, answer.usage.input, answer.usage.output) == (((0.5, 0.25),), 13, 0)


@pytest.mark.parametrize(("model", "texts"), [("doubao-embedding-large-text-250515", 256), (SEEING, 1)])
def test_a_request_carries_as_many_texts_as_the_model_takes(model: str, texts: int) -> None:
    assert rec.batches(ID, FORM, model) == (texts, texts)


@pytest.mark.parametrize("data", [None, {}, [], {"embedding": []}, {"embedding": "no"}, {"embedding": [float("nan")]}])
def test_an_answer_without_a_vector_is_the_vendors_fault(data: Any) -> None:
    with pytest.raises(errors.BadRequestUpstream):
        rec.vectors(ID, {"data": data}, 1)


@pytest.mark.parametrize(
    ("model", "dropped"),
    [
        ("doubao-seed-1-6-251015", {"seed"}),
        ("ep-20250101000000-abcde", {"seed"}),
        ("doubao-seed-1-8-251228", {"seed", "presence_penalty", "frequency_penalty"}),
        ("doubao-seed-2-1-pro-260628", {"seed", "presence_penalty", "frequency_penalty"}),
        ("doubao-seed-evolving-latest-version", {"seed", "presence_penalty", "frequency_penalty"}),
    ],
)
def test_every_line_gets_the_knobs_that_it_takes(model: str, dropped: set[str]) -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    schema = ResponseSchema("r", {"type": "object", "properties": {}})
    call = replace(PING, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, 0.2), response_schema=schema)
    request = dialect.render(rec.target(ID, model, FORM), call, stream=False)
    assert {warning.split()[0] for warning in request.warnings} == dropped
    assert request.json
    assert not dropped & request.json.keys()
    assert request.json["response_format"]["json_schema"]["schema"] == schema.schema
    rec.valid(ID, "CompletionCreateParams", request.json)


@pytest.mark.parametrize("model", ["doubao-seed-2-0-lite-260428", "ep-20250101000000-abcde"])
def test_the_probe_is_a_word_to_the_forms_model_or_endpoint(model: str) -> None:
    form = FORM if model.startswith("doubao") else {**FORM, "endpoint_id": model}
    ours = rec.probed(ID, form, HEADERS)
    assert replace(ours, body=None) == replace(rec.recorded(rec.calls(ID)["chat"], headers=HEADERS), body=None)
    assert (ours.body["model"], ours.body["max_tokens"]) == (model, 5)


def test_another_site_has_another_address() -> None:
    abroad = "https://ark.ap-southeast.bytepluses.com/api/v3"
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, "api_endpoint_host": abroad + "/"}).form) == abroad


CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
COUNTS = {
    "prompt_tokens": 9,
    "completion_tokens": 12,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 7},
}


def test_a_stream_folds_to_the_whole_answer() -> None:
    said = {"role": "assistant", "content": "pong", "reasoning_content": "Hm."}
    message = {**said, "tool_calls": [CALL]}
    choice = {"index": 0, "finish_reason": "tool_calls", "logprobs": None, "message": message}
    whole = rec.answered(ID, {"service_tier": "default", "choices": [choice], "usage": COUNTS})
    assert (whole.text, whole.reasoning) == ("pong", "Hm.")
    assert whole.tool_calls == (ToolCall("call_1", "f", '{"a":1}'),)
    assert whole.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert whole.usage == Usage(9, 12, 4, 7, COUNTS)
    deltas: list[Any] = [{"content": "", "reasoning_content": "Hm.", "role": "assistant"}]
    deltas += [{"content": "po"}, {"content": "ng"}, {"tool_calls": [{"index": 0, **CALL}], "content": ""}]
    choices: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {"content": ""}, "finish_reason": "tool_calls"})
    chunks = [{"choices": [choice], "usage": None} for choice in choices]
    assert rec.split_in_all_ways(ID, rec.events(*chunks, {"choices": [], "usage": COUNTS})) == whole


def test_replies_that_the_sdk_accepted_are_read_alike_whole_and_streamed() -> None:
    whole = rec.answered(ID, replied("chat_tool"))
    assert (whole.text, whole.reasoning, whole.finish.unified) == ("See:", "Hm.", Finish.TOOL_CALLS)
    assert whole.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Oslo"}'),)
    counts = (whole.usage.input, whole.usage.output, whole.usage.cached_input, whole.usage.reasoning)
    assert counts == (9, 12, 4, 7)
    chunks = REPLIES["chat_stream_tool"]["reply_replayed"]["chunks"]
    assert rec.split_in_all_ways(ID, rec.events(*chunks)) == whole


def test_vectors_that_the_sdk_accepted_are_read() -> None:
    answer = rec.vectors(ID, replied("embedding"), 2)
    assert (answer.vectors, answer.usage.input) == (((0.5, 0.25), (0.5, -0.25)), 4)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("error_400", errors.ContextTooLong),
        ("error_401", errors.CredentialRejected),
        ("error_404", errors.ModelNotFoundUpstream),
        ("error_429", errors.UpstreamRateLimited),
    ],
)
def test_a_refusal_is_read_that_the_sdk_reads(name: str, meaning: type[UpstreamError]) -> None:
    reply = REPLIES[name]["reply_replayed"]
    failure = rec.refused(ID, reply["status"], reply["body"], reply["headers"])
    assert (type(failure), failure.status) == (meaning, reply["status"])
    assert failure.detail == reply["body"]["error"]["message"]
    assert failure.retry_after == (2.0 if name == "error_429" else None)
    assert REPLIES[name]["sdk_result"]["code"] == reply["body"]["error"]["code"]


def test_vectors_are_read() -> None:
    body = {"data": [{"index": at, "embedding": [0.5, float(at)]} for at in range(2)], "usage": {"prompt_tokens": 4}}
    answer = rec.vectors(ID, body, 2)
    assert (answer.vectors, answer.usage.input) == (((0.5, 0.0), (0.5, 1.0)), 4)


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, "AuthenticationError", errors.CredentialRejected),
        (403, "AccountOverdueError", errors.UpstreamPaymentRequired),
        (403, "OperationDenied.PermissionDenied", errors.CredentialRejected),
        (404, "InvalidEndpointOrModel.NotFound", errors.ModelNotFoundUpstream),
        (404, "ModelNotOpen", errors.ModelNotFoundUpstream),
        (400, "InvalidParameter", errors.BadRequestUpstream),
        (400, "OutofContextError", errors.ContextTooLong),
        (400, "InputTextSensitiveContentDetected", errors.ContentRefused),
        (400, "InputImageRiskDetection", errors.ContentRefused),
        (429, "RateLimitExceeded.EndpointTPMExceeded", errors.UpstreamRateLimited),
        (429, "ModelAccountTpmRateLimitExceeded", errors.UpstreamRateLimited),
        (429, "ServerOverloaded", errors.UpstreamUnavailable),
        (429, "SetLimitExceeded", errors.UpstreamPaymentRequired),
        (500, "InternalServiceError", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_code(status: int, code: str, meaning: type[UpstreamError]) -> None:
    body = {"error": {"code": code, "message": "It said no. Request id: 02", "param": "", "type": "x"}}
    failure = rec.refused(ID, status, body, {"retry-after": "2"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, "It said no. Request id: 02")
    assert failure.retry_after == (2.0 if meaning.retryable else None)


@pytest.mark.parametrize(
    "said",
    [
        "Input length 300000 exceeds the maximum length 229376.",
        "Total tokens of image and text exceed max message tokens.",
    ],
)
def test_a_context_that_is_too_long_may_be_told_by_the_message(said: str) -> None:
    assert type(rec.refused(ID, 400, {"error": {"code": "InvalidParameter", "message": said}})) is errors.ContextTooLong


def test_a_failure_inside_a_stream_has_the_status_that_goes_with_it() -> None:
    with pytest.raises(errors.UpstreamUnavailable) as caught:
        rec.streamed(ID, rec.events({"error": {"code": "ServerOverloaded", "message": "Busy."}}))
    assert caught.value.status == 429


def test_rows_know_their_prices_and_what_comes_after_them() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    lite = rows["doubao-seed-2-0-lite-260428"]
    assert lite.price
    assert (str(lite.price.input), lite.price.currency) == ("0.6", "CNY")
    assert {Feature.VISION, Feature.TOOLS, Feature.STRUCTURED_OUTPUT, Feature.REASONING} <= lite.features
    assert rows["deepseek-v4-pro-260425"].successor == "deepseek-v4-pro-ga-260813"
    assert rows["doubao-embedding-large-text-250515"].dimensions == 2048
