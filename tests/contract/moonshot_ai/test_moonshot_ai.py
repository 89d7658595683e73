"""Our requests to Moonshot AI equal those of the client it documents (sdk_requests.json: openai for Python 3.54.0) and
satisfy its OpenAPI (request_schemas.json); answers have the shapes of that OpenAPI, errors those of its error page.

Left out of the comparison: `tool_choice: "auto"`, the default; a temperature, which Kimi does not take; and the blank
thoughts of a turn that called tools, which live servers demand (theopenco/llmgateway#2093) and the recording lacks.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UnsupportedFeature,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, ImagePart, Knobs, ResponseSchema, ToolCall, ToolChoice
from domain.model.events import Finish, FinishReason, Usage
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "moonshot_ai"
FORM = {"api_key": "sk-fake"}
HEADERS = ("authorization", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
PING = rec.asking("ping", system="You are terse.")
TOOL_TURN = rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1")
IMAGE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
SILENT = replace(PING, knobs=Knobs(extra={"enable_thinking": False}))
CASES: list[tuple[str, ChatCall, bool, set[str]]] = [
    ("chat", replace(PING, knobs=Knobs(max_tokens=16, temperature=0.6)), False, {"temperature"}),
    ("chat_stream_tool", replace(SILENT, tools=(TOOL,)), True, {"tool_choice"}),
    ("chat_tool_result", TOOL_TURN, False, set()),
    ("chat_vision", rec.asking(IMAGE, "what is it?"), False, set()),
]
EVERY = Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1)
SCHEMA = ResponseSchema("r", {"type": "object", "properties": {"a": {"type": "string"}}})


def chat(call: ChatCall, model: str = "kimi-k2.6", *, stream: bool = False) -> rec.Sent:
    return rec.asked(ID, FORM, model, call, stream=stream, headers=HEADERS)


@pytest.mark.parametrize(("name", "call", "stream", "without"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool, without: set[str]) -> None:
    ours = chat(call, stream=stream)
    rec.valid(ID, "KimiK26ChatRequest", ours.body)
    for turn in ours.body["messages"]:
        assert turn.pop("reasoning_content", " ") == " "
    assert ours == rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS)


@pytest.mark.parametrize(("model", "blank"), [("kimi-k3", " "), ("kimi-k2.7-code", " "), ("moonshot-v1-8k", None)])
def test_a_turn_that_called_tools_has_a_blank_thought_and_never_null(model: str, blank: str | None) -> None:
    _, called, _ = chat(TOOL_TURN, model).body["messages"]
    assert (called["content"], called.get("reasoning_content")) == ("", blank)


@pytest.mark.parametrize(
    ("model", "schema"),
    [
        ("kimi-k3", "KimiK3ChatRequest"),
        ("kimi-k2.7-code", "KimiK27CodeChatRequest"),
        ("kimi-k2.5", "KimiK25ChatRequest"),
        ("moonshot-v1-8k", "MoonshotV1ChatRequest"),
    ],
)
def test_every_line_gets_the_knobs_that_it_takes(model: str, schema: str) -> None:
    adapter = ADAPTERS[ID]
    assert adapter.chat
    call = replace(PING, tools=(TOOL,), response_schema=SCHEMA, knobs=EVERY)
    request = adapter.chat.render(rec.target(ID, model, FORM), call, stream=True)
    assert request.json
    rec.valid(ID, schema, request.json)
    sampling = {"temperature", "top_p", "presence_penalty", "frequency_penalty"}
    dropped = {"seed"} if model.startswith("moonshot-v1") else {"seed", *sampling}
    assert not dropped & request.json.keys()
    assert {warning.partition(" ")[0] for warning in request.warnings} == dropped
    assert request.json["max_completion_tokens"] == 64
    assert request.json["response_format"]["json_schema"]["schema"] == SCHEMA.schema


@pytest.mark.parametrize("model", ["kimi-k2.5", "kimi-k2.6"])
def test_a_required_call_switches_the_thoughts_off_and_says_so(model: str) -> None:
    adapter = ADAPTERS[ID]
    assert adapter.chat
    call = replace(PING, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED)
    request = adapter.chat.render(rec.target(ID, model, FORM), call, stream=False)
    assert request.json
    rec.valid(ID, "KimiK26ChatRequest" if model == "kimi-k2.6" else "KimiK25ChatRequest", request.json)
    assert (request.json["tool_choice"], request.json["thinking"]) == ("required", {"type": "disabled"})
    assert request.warnings == (f"thinking was left out: {model} cannot think where a tool call is required",)


def test_models_that_always_think_take_a_required_call_or_refuse_it() -> None:
    call = replace(PING, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED)
    body = chat(call, "kimi-k3").body
    assert body["tool_choice"] == "required"
    assert "thinking" not in body
    with pytest.raises(UnsupportedFeature):
        chat(call, "kimi-k2.7-code")
    assert "tools" not in chat(replace(call, tool_choice=ToolChoice.NONE), "kimi-k2.7-code").body


def test_an_image_by_its_address_is_refused_before_the_vendor_does() -> None:
    """Its guide of vision, and the 400 that OpenHands/software-agent-sdk#3155 met."""
    with pytest.raises(UnsupportedFeature):
        chat(rec.asking("what is it?", ImagePart(url="https://example.com/cat.png")))


def test_the_probe_is_the_clients_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models"], headers=HEADERS)


@pytest.mark.parametrize(
    ("entered", "url"),
    [
        ("", "https://api.moonshot.ai/v1"),
        ("https://api.moonshot.cn", "https://api.moonshot.cn/v1"),
        ("https://api.moonshot.cn/v1/", "https://api.moonshot.cn/v1"),
    ],
)
def test_the_form_says_which_site(entered: str, url: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, "endpoint_url": entered}).form) == url


CALL = {"id": "get_weather:0", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
COUNTS = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cached_tokens": 4}


def stream(place: str) -> str:
    """A stream whose usage stands in the last chunk or, as in older answers, in its choice."""
    deltas: list[Any] = [{"role": "assistant", "content": ""}, {"reasoning_content": "Hm."}, {"content": "Se"}]
    deltas += [{"content": "e:"}, {"tool_calls": [{"index": 0, **CALL}]}]
    choices: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    chunks: list[Any] = [{"choices": [choice]} for choice in choices]
    chunks.append({"choices": [{**last, "usage": COUNTS}]} if place == "choice" else {"choices": [last]})
    chunks += [{"choices": [], "usage": COUNTS}] if place == "chunk" else []
    return rec.events(*chunks)


@pytest.mark.parametrize("place", ["chunk", "choice"])
def test_a_folded_stream_equals_the_whole_answer(place: str) -> None:
    message = {"role": "assistant", "content": "See:", "reasoning_content": "Hm.", "tool_calls": [CALL]}
    whole = rec.answered(
        ID, {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": COUNTS}
    )
    assert (whole.text, whole.reasoning) == ("See:", "Hm.")
    assert whole.tool_calls == (ToolCall("get_weather:0", "get_weather", '{"city":"Oslo"}'),)
    assert whole.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert whole.usage == Usage(9, 2, 4, None, COUNTS)
    assert rec.split_in_all_ways(ID, stream(place)) == whole


@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (401, "invalid_authentication_error", CredentialRejected),
        (401, "incorrect_api_key_error", CredentialRejected),
        (403, "permission_denied_error", CredentialRejected),
        (404, "resource_not_found_error", ModelNotFoundUpstream),
        (429, "rate_limit_reached_error", UpstreamRateLimited),
        (429, "exceeded_current_quota_error", UpstreamPaymentRequired),
        (429, "engine_overloaded_error", UpstreamUnavailable),
        (400, "invalid_request_error", BadRequestUpstream),
        (400, "content_filter", ContentRefused),
        (500, "server_error", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_type(status: int, kind: str, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, {"error": {"message": "It said no.", "type": kind}}, {"retry-after": "2"})
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, "It said no.")
    assert failure.retry_after == (2.0 if meaning.retryable else None)


def test_a_context_that_is_too_long_is_told_by_the_message() -> None:
    said = "Invalid request: Your request exceeded model token limit: 8192"
    failure = rec.refused(ID, 400, {"error": {"message": said, "type": "invalid_request_error"}})
    assert type(failure) is ContextTooLong


def test_an_overload_inside_a_stream_is_no_answer() -> None:
    error = {"error": {"message": "The engine is overloaded", "type": "engine_overloaded_error"}}
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, rec.events(error))
    assert caught.value.status == 429
