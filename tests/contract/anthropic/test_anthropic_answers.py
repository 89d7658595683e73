"""Our reading of Anthropic's answers: those that its SDK accepted (sdk_requests.json, `reply_replayed`), those of the
vendor's own servers that think (recorded_thinking.json), and the shapes that its documentation of streaming and errors
gives (platform.claude.com/docs, as of November 2026).
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
from domain.model.calls import ToolCall
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["anthropic"]


def parse(body: Any) -> ChatAnswer:
    assert ADAPTER.chat
    return ADAPTER.chat.parse(body)


def stream(*events: Any) -> str:
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def start(index: int, **block: Any) -> Any:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **piece: Any) -> Any:
    return {"type": "content_block_delta", "index": index, "delta": piece}


def stop(index: int) -> Any:
    return {"type": "content_block_stop", "index": index}


def opening(**usage: Any) -> Any:
    return {"type": "message_start", "message": {"content": [], "usage": usage}}


def closing(reason: str, **usage: Any) -> tuple[Any, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}, {"type": "message_stop"}


def test_a_whole_answer_is_read() -> None:
    answer = parse(rec.calls("anthropic")["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "end_turn"))
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways("anthropic", rec.calls("anthropic")["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.text == "Let me check."
    assert answer.tool_calls == (ToolCall("toolu_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_use")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_recorded_thoughts_are_kept_apart() -> None:
    recorded = rec.load("anthropic", "recorded_thinking.json")
    whole = parse(recorded["whole"])
    assert whole.reasoning.startswith("This is a straightforward question about pedestrian safety.")
    assert whole.text.endswith("so stay alert and make safe choices.")
    assert (whole.usage.input, whole.usage.output) == (43, 321)
    streamed = rec.split_in_all_ways("anthropic", recorded["stream"])
    assert streamed.reasoning == "This is a straightforward question about pedestrian safety. I"
    assert streamed.text == "Here are the basic steps for safely"
    assert (streamed.usage.input, streamed.usage.output) == (43, 282)
    hidden = rec.split_in_all_ways("anthropic", recorded["redacted"])
    assert (hidden.reasoning, hidden.finish.unified) == ("", Finish.STOP)
    assert hidden.text.endswith("How can I assist you today with a legitimate task or question?")


def test_a_folded_stream_equals_the_whole_answer() -> None:
    usage = {"input_tokens": 5, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 9}
    blocks = [
        {"type": "thinking", "thinking": "Größe?", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "text", "text": "Zwei 😀"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]
    whole = parse({"content": blocks, "stop_reason": "tool_use", "usage": usage})
    events = stream(
        opening(**{**usage, "output_tokens": 1}),
        start(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Grö"),
        delta(0, type="thinking_delta", thinking="ße?"),
        delta(0, type="signature_delta", signature="c2ln"),
        stop(0),
        start(1, type="redacted_thinking", data="eA=="),
        stop(1),
        start(2, type="text", text=""),
        {"type": "ping"},
        {"type": "an_event_of_tomorrow", "data": 1},
        delta(2, type="text_delta", text="Zwei "),
        delta(2, type="text_delta", text="😀"),
        stop(2),
        start(3, type="tool_use", id="a", name="f", input={}),
        delta(3, type="input_json_delta", partial_json=""),
        delta(3, type="input_json_delta", partial_json='{"x"'),
        delta(3, type="input_json_delta", partial_json=":1}"),
        stop(3),
        start(4, type="tool_use", id="b", name="g", input={}),
        stop(4),
        *closing("tool_use", output_tokens=9),
    )
    answer = rec.split_in_all_ways("anthropic", events)
    assert answer == whole
    assert answer.usage == Usage(125, 9, 20, None, usage)
    assert [call.arguments for call in answer.tool_calls] == ['{"x":1}', "{}"]


def test_the_first_count_of_output_is_not_taken_for_the_last() -> None:
    answer = rec.streamed("anthropic", stream(opening(input_tokens=5, output_tokens=1), *closing("end_turn")))
    assert (answer.usage.input, answer.usage.output) == (5, None)


@pytest.mark.parametrize(
    ("raw", "unified"),
    [
        ("stop_sequence", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("refusal", Finish.CONTENT_FILTER),
        ("pause_turn", Finish.STOP),
        ("tomorrow", Finish.STOP),
    ],
)
def test_reasons_to_end_have_our_name_beside_the_vendors(raw: str, unified: Finish) -> None:
    assert parse({"content": [], "stop_reason": raw}).finish == FinishReason(unified, raw)


def test_a_stream_cut_before_its_last_event_is_broken() -> None:
    whole = stream(opening(input_tokens=1), start(0, type="text", text="Hi"), *closing("end_turn", output_tokens=1))
    with pytest.raises(StreamBroken):
        rec.streamed("anthropic", whole[: whole.index("event: message_stop")])
    assert rec.streamed("anthropic", whole + stream({"type": "ping"})).text == "Hi"


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"content": None}, {"content": "text"}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        parse(body)


@pytest.mark.parametrize("odd", [None, 3, {}, {"type": None}, {"type": "content_block_delta", "delta": None}], ids=str)
def test_odd_events_do_not_hurt(odd: Any) -> None:
    text = f"data: {json.dumps(odd)}\n\n" + stream(start(0, type="text", text="Hi"), *closing("end_turn"))
    assert rec.streamed("anthropic", text).text == "Hi"


def error(kind: str, message: str = "No.", **details: Any) -> Any:
    return {"type": "error", "error": {"type": kind, "message": message, "details": details}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, rec.calls("anthropic")["error_401"]["reply_replayed"]["body"], CredentialRejected),
        (429, rec.calls("anthropic")["error_429"]["reply_replayed"]["body"], UpstreamRateLimited),
        (529, rec.calls("anthropic")["error_529"]["reply_replayed"]["body"], UpstreamUnavailable),
        (400, rec.calls("anthropic")["error_400"]["reply_replayed"]["body"], ContextTooLong),
        (400, error("invalid_request_error", "max_tokens: Field required"), BadRequestUpstream),
        (400, error("invalid_request_error", "Your credit balance is too low"), UpstreamPaymentRequired),
        (402, error("billing_error"), UpstreamPaymentRequired),
        (403, error("permission_error"), CredentialRejected),
        (404, error("not_found_error", "model: claude-x"), ModelNotFoundUpstream),
        (413, error("request_too_large"), ContextTooLong),
        (429, error("rate_limit_error", error_code="enforced_spend_limit_reached"), UpstreamPaymentRequired),
        (500, error("api_error"), UpstreamUnavailable),
        (504, error("timeout_error"), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = ADAPTER.error("anthropic", ErrorReply(status, {}, body))
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, body["error"]["message"])


def test_an_error_event_ends_the_stream_by_its_meaning() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed("anthropic", stream(opening(input_tokens=1), error("overloaded_error", "Overloaded")))
    assert (caught.value.status, caught.value.detail) == (529, "Overloaded")
