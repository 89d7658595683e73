"""01.AI publishes no contract but a reference in prose (platform.lingyiwanwu.com/docs/api-reference). Requests equal
those of the client that it documents (sdk_requests.json: openai for Python 3.54.0, recorded on loopback), and are held
against what the reference names and OpenAI's own OpenAPI (../openai/request_schemas.json); answers are its examples and
the opening of a recorded stream (replies.json). Of refusals it documents the statuses; their bodies are inferred.

Left out of the comparison: `stream_options`, which the reference does not name.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, Knobs, ToolCall, ToolChoice
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "yi_01ai"
FORM = {"api_key": "<key>"}
TOOL = rec.weather("Weather by city")
SAID = rec.load(ID, "replies.json")
NAMED = {"model", "messages", "tools", "tool_choice", "max_tokens", "top_p", "temperature", "stream"}
EVERY = Knobs(0.2, 0.9, 64, ("END",), 7, 0.1, 0.2)
CALLS: list[ChatCall] = [
    replace(rec.asking("Hi, who are you?", system="Be brief."), knobs=EVERY),
    replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,), tool_choice=ToolChoice.REQUIRED),
    rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1"),
    rec.asking("What is this?", rec.pixel()),
]


@pytest.mark.parametrize("call", CALLS, ids=["knobs", "tools", "tool result", "vision"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_holds_what_the_reference_names(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, "yi-lightning", call, stream=stream, headers=("authorization",))
    assert (ours.method, ours.path, ours.headers) == ("POST", "/v1/chat/completions", {"authorization": "Bearer <key>"})
    assert ours.body.keys() <= NAMED
    assert ours.body.get("stream") is (True if stream else None)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("chat.completions.create", replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9))),
        ("chat.completions.create stream + tool", replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,))),
        ("chat.completions.create tool result turn", CALLS[2]),
        ("chat.completions.create vision", CALLS[3]),
    ],
    ids=["knobs", "tools", "tool result", "vision"],
)
def test_a_request_is_the_clients(name: str, call: ChatCall) -> None:
    theirs = client.theirs(ID, name, frozenset({"stream_options"}))
    call = replace(call, knobs=replace(call.knobs, max_tokens=64))
    model = theirs.body["model"]
    assert rec.asked(ID, FORM, model, call, stream="stream" in name, headers=client.HEADERS) == theirs


def test_the_example_of_the_reference_is_what_we_send() -> None:
    call = replace(rec.asking("Hi, who are you?"), knobs=Knobs(temperature=0.3))
    turns = [{"role": "user", "content": "Hi, who are you?"}]
    body = {"model": "yi-lightning", "messages": turns, "temperature": 0.3}
    assert rec.asked(ID, FORM, "yi-lightning", call).body == body
    assert rec.asked(ID, FORM, "yi-lightning", call, stream=True).body == {**body, "stream": True}


def test_knobs_that_it_does_not_name_are_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    request = dialect.render(rec.target(ID, "yi-large", FORM), CALLS[0], stream=False)
    assert (request.json or {}).keys() == {"model", "messages", "max_tokens", "top_p", "temperature"}
    dropped = {warning.split()[0] for warning in request.warnings}
    assert dropped == {"stop", "seed", "presence_penalty", "frequency_penalty"}


def test_words_alone_are_a_string_and_words_with_an_image_are_parts() -> None:
    """yi-lightning refuses a list (cline/cline#547); images travel as the reference has them."""
    said = rec.asked(ID, FORM, "yi-lightning", rec.asking("Hi, ", "who are you?")).body["messages"]
    assert isinstance(said[0]["content"], str)
    text, image = rec.asked(ID, FORM, "yi-vision-v2", CALLS[3]).body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,")


def test_the_probe_is_a_word_to_the_model_of_the_vendors_examples() -> None:
    ours = rec.probed(ID, FORM)
    assert (ours.method, ours.path, ours.query) == ("POST", "/v1/chat/completions", "")
    assert (ours.body["model"], ours.body["max_tokens"]) == ("yi-lightning", 5)


@pytest.mark.parametrize(
    ("entered", "base"),
    [
        ("", "https://api.lingyiwanwu.com/v1"),
        ("https://api.01.ai/v1/", "https://api.01.ai/v1"),
        ("https://mirror.example/deep/v1", "https://mirror.example/deep/v1"),
    ],
)
def test_an_address_keeps_its_path(entered: str, base: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, "endpoint_url": entered}).form) == base


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, SAID["whole"])
    assert answer.text.startswith("Hello! My name is Yi")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output) == (15, 65)


def test_of_a_stream_only_its_pieces_are_read_not_what_they_repeat() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert (answer.text, answer.finish) == ("Hello", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (17, 64)


def test_a_real_stream_has_empty_reasons_and_empty_calls() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["recorded_opening"], SAID["stream"][-1]))
    assert (answer.text, answer.tool_calls, answer.finish.unified) == ("你好！", (), Finish.STOP)
    with pytest.raises(StreamBroken):
        rec.streamed(ID, rec.events(*SAID["recorded_opening"]))


def test_a_stream_folds_to_the_whole_answer() -> None:
    """Inferred: the whole example and a call in OpenAI's shape, cut up as the streamed example is."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choice, usage = SAID["whole"]["choices"][0], SAID["whole"]["usage"]
    letters = [{"choices": [{"delta": {"content": letter}}]} for letter in choice["message"]["content"]]
    end = {"choices": [{"delta": {"tool_calls": [{"index": 0, **call}]}, "finish_reason": "stop"}], "usage": usage}
    message = {**choice["message"], "tool_calls": [call]}
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
    assert rec.split_in_all_ways(ID, rec.events(*letters, end)) == whole
    assert (whole.tool_calls, whole.finish.unified) == ((ToolCall("call_1", "f", "{}"),), Finish.TOOL_CALLS)


@pytest.mark.parametrize("raw", ["content_filter", "content_filter_input"])
def test_any_reason_that_opens_with_the_filter_is_the_filter(raw: str) -> None:
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": raw}]}
    assert rec.answered(ID, body).finish == FinishReason(Finish.CONTENT_FILTER, raw)


def error(message: str) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error"}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, error("Bad request: JSON parse error"), BadRequestUpstream),
        (400, error("This model's maximum context length is 16384 tokens."), ContextTooLong),
        (401, error("Authentication Error"), CredentialRejected),
        (404, error("Not found: no such endpoint"), BadRequestUpstream),
        (404, error("The model yi-none does not exist"), ModelNotFoundUpstream),
        (429, error("Too Many Requests"), UpstreamRateLimited),
        (500, error("Internal Server Error"), UpstreamUnavailable),
        (529, error("System busy"), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert failure.status == status


def test_models_that_are_gone_lead_to_those_of_today() -> None:
    offered = catalogue()
    for gone, heir in (("yi-vl-plus", "yi-vision-v2"), ("yi-34b-chat-0205", "yi-lightning")):
        assert [ref.name for ref in offered.successors(ModelRef(ID, gone, ModelType.LLM))] == [gone, heir]
    rows = {model.ref.name: model for model in offered.provider(ID).models}
    assert [name for name, row in rows.items() if Feature.TOOLS in row.features] == ["yi-large-fc"]
    assert Feature.VISION in rows["yi-vision-v2"].features
    assert {row.price.currency for row in rows.values() if row.price} == {"CNY"}
