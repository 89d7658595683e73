"""Our reading of OpenAI's answers: those that its SDK accepted (sdk_requests.json, `reply_replayed`), two that were
recorded in pydantic/pydantic-ai at 4fda3898 (recorded_answers.json), the shapes of its error guide
(developers.openai.com, error codes), and the variations of its imitations, which are inferred.
"""

import base64
import json
import struct
from collections.abc import Mapping
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

ADAPTER = ADAPTERS["openai"]
RECORDED = rec.load("openai", "recorded_answers.json")


def parse(body: Any) -> ChatAnswer:
    assert ADAPTER.chat
    return ADAPTER.chat.parse(body)


def reply(message: Any, reason: Any = "stop", **more: Any) -> Any:
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}], **more}


def chunk(delta: Any, reason: Any = None, **more: Any) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}], **more})}\n\n"


DONE = "data: [DONE]\n\n"
USAGE: Mapping[str, Any] = {
    "prompt_tokens": 9,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 12},
}


def test_a_whole_answer_is_read() -> None:
    answer = parse(rec.calls("openai")["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output, answer.usage.raw["total_tokens"]) == (12, 3, 15)


def test_a_model_that_thinks_keeps_its_thoughts_and_counts_them() -> None:
    answer = parse(RECORDED["reasoning"])
    assert answer.text.startswith("The capital of Mexico is Mexico City.")
    assert (answer.reasoning, answer.finish) == ("", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (13, 238, 192)


def test_a_streamed_tool_call_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways("openai", rec.calls("openai")["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    whole = reply({"content": "Größe: 😀", "reasoning_content": "Hm.", "tool_calls": [call]}, "tool_calls", usage=USAGE)
    stream = [chunk({"role": "assistant", "content": None}), chunk({"reasoning_content": "Hm."}), chunk({})]
    stream += [chunk({"content": "Größe"}, usage=None), chunk({"content": ": 😀"})]
    stream += [chunk({"tool_calls": [{"index": 0, **call}]}), chunk({}, "tool_calls")]
    stream += [f"data: {json.dumps({'choices': [], 'usage': USAGE})}\n\n", DONE]
    answer = parse(whole)
    assert rec.split_in_all_ways("openai", "".join(stream)) == answer
    assert answer.usage == Usage(9, 20, 4, 12, USAGE)
    assert answer.reasoning == "Hm."


def test_a_refusal_reads_as_text_that_was_filtered() -> None:
    whole = parse(reply({"content": None, "refusal": "I cannot."}))
    assert (whole.text, whole.finish) == ("I cannot.", FinishReason(Finish.CONTENT_FILTER, "stop"))
    stream = chunk({"refusal": "I can"}) + chunk({"refusal": "not."}) + chunk({}, "stop") + DONE
    assert rec.streamed("openai", stream) == whole


@pytest.mark.parametrize(
    ("raw", "unified"),
    [
        ("length", Finish.LENGTH),
        ("content_filter", Finish.CONTENT_FILTER),
        ("function_call", Finish.TOOL_CALLS),
        ("eos", Finish.STOP),
    ],
)
def test_reasons_to_end_have_our_name_beside_the_vendors(raw: str, unified: Finish) -> None:
    assert parse(reply({"content": "x"}, raw)).finish == FinishReason(unified, raw)


FRAGMENTS: Mapping[str, list[Any]] = {
    "by index": [
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
        {"index": 1, "function": {"arguments": "}"}},
    ],
    "without index": [
        {"id": "b", "function": {"name": "g", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "a", "function": {"name": "f", "arguments": "{}"}},
    ],
    "one index for all": [
        {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
    ],
    "an id in every piece": [
        {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{"}},
        {"index": 0, "id": "b", "function": {"arguments": "}"}},
        {"index": 1, "id": "a", "function": {"name": "f", "arguments": "{}"}},
    ],
    "an object": [
        {"index": 0, "id": "b", "function": {"name": "g", "arguments": {}}},
        {"index": 1, "id": "a", "function": {"name": "f", "arguments": {}}},
    ],
}


@pytest.mark.parametrize("kind", FRAGMENTS)
def test_fragments_of_tool_calls_find_each_other(kind: str) -> None:
    stream = "".join(chunk({"tool_calls": [f]}) for f in FRAGMENTS[kind]) + chunk({}, "tool_calls") + DONE
    answer = rec.streamed("openai", stream)
    assert answer.tool_calls == (ToolCall("b", "g", "{}"), ToolCall("a", "f", "{}"))


def test_a_tool_call_without_id_is_given_one() -> None:
    nameless = {"function": {"name": "f", "arguments": "{}"}}
    stream = chunk({"tool_calls": [nameless]}) + chunk({"tool_calls": [nameless]}) + chunk({}, "stop") + DONE
    first, second = rec.streamed("openai", stream).tool_calls
    assert first.id
    assert second.id
    assert first.id != second.id
    assert parse(reply({"tool_calls": [nameless]})).tool_calls[0].id


def test_a_stream_may_end_without_its_mark_once_its_reason_came() -> None:
    assert rec.streamed("openai", chunk({"content": "x"}) + chunk({}, "stop")).text == "x"


@pytest.mark.parametrize("end", ["", DONE])
def test_a_stream_without_a_reason_is_broken(end: str) -> None:
    with pytest.raises(StreamBroken):
        rec.streamed("openai", chunk({"content": "x"}) + end)


def test_what_follows_the_end_is_not_read() -> None:
    assert rec.streamed("openai", chunk({"content": "x"}, "stop") + DONE + DONE + "data: nonsense\n\n").text == "x"


ODD_DELTAS: list[Any] = [
    None,
    [],
    "text",
    {"content": 5},
    {"content": None, "tool_calls": None},
    {"tool_calls": [None, 3]},
]


@pytest.mark.parametrize("delta", ODD_DELTAS, ids=str)
def test_odd_pieces_do_not_hurt(delta: Any) -> None:
    assert rec.streamed("openai", chunk(delta) + "data: null\n\n" + chunk({"content": "x"}, "stop")).text == "x"


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"choices": None}, {"choices": []}, {"choices": [{}]}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream) as caught:
        parse(body)
    assert caught.value.status == 200


@pytest.mark.parametrize("count", [1.5, "12", None, True, 2**60, [3]])
def test_a_token_count_that_is_no_whole_number_or_below_zero_is_unsaid(count: Any) -> None:
    answer = parse(reply({"content": "x"}, usage={"prompt_tokens": count, "completion_tokens": -4}))
    assert (answer.usage.input, answer.usage.output) == (None, None)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def embedding(*vectors: Any, **more: Any) -> Any:
    rows = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
    return {"object": "list", "data": rows, **more}


def test_a_recorded_vector_is_read() -> None:
    """OpenAI's vectors have the length 1."""
    answer = rec.vectors("openai", RECORDED["embedding"], 1)
    (vector,) = answer.vectors
    assert len(vector) == 1536
    assert sum(number * number for number in vector) == pytest.approx(1, abs=1e-5)
    assert (answer.usage.input, answer.usage.output) == (4, 0)


def test_vectors_come_by_index_from_base64_or_numbers() -> None:
    assert ADAPTER.embed
    body = embedding(packed(0.5, -1.0), [0.25, 2], usage={"prompt_tokens": 3, "total_tokens": 3})
    body["data"].reverse()
    answer = ADAPTER.embed.parse(body, 2)
    assert answer.vectors == ((0.5, -1.0), (0.25, 2.0))
    assert (answer.usage.input, answer.usage.output) == (3, 0)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"data": None},
        embedding([1.0]),
        embedding([1.0], [2.0], [3.0]),
        embedding([1.0], []),
        embedding([1.0], None),
        embedding([1.0], ["x"]),
        embedding([1.0], "AAA="),
        embedding([1.0], "not base64!"),
        embedding([1.0], packed(float("nan"))),
        embedding([1.0], packed(float("inf"))),
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
    ],
    ids=str,
)
def test_vectors_that_do_not_fit_the_texts_are_refused(body: Any) -> None:
    assert ADAPTER.embed
    with pytest.raises(BadRequestUpstream):
        ADAPTER.embed.parse(body, 2)


def error(code: str | None, kind: str = "invalid_request_error", message: str = "No.") -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, rec.calls("openai")["error_401"]["reply_replayed"]["body"], CredentialRejected),
        (429, rec.calls("openai")["error_429"]["reply_replayed"]["body"], UpstreamPaymentRequired),
        (429, error("credit_balance_exhausted", "insufficient_quota"), UpstreamPaymentRequired),
        (429, error("rate_limit_exceeded", "requests"), UpstreamRateLimited),
        (403, error("unsupported_country_region_territory"), CredentialRejected),
        (403, error("model_not_found"), ModelNotFoundUpstream),
        (404, error("model_not_found"), ModelNotFoundUpstream),
        (404, error(None, message="Invalid URL (POST /v1/v1/chat)"), BadRequestUpstream),
        (400, error("context_length_exceeded"), ContextTooLong),
        (400, error(None, message="This model's maximum context length is 8192 tokens."), ContextTooLong),
        (400, error("invalid_value"), BadRequestUpstream),
        (500, error(None, "server_error"), UpstreamUnavailable),
        (503, error("server_is_overloaded"), UpstreamUnavailable),
        (502, "<html><body>Bad gateway</body></html>", UpstreamUnavailable),
        (418, None, BadRequestUpstream),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = ADAPTER.error("openai", ErrorReply(status, {}, body))
    assert type(failure) is meaning
    assert (failure.provider, failure.status) == ("openai", status)
    assert "<" not in failure.detail


def test_an_error_inside_a_stream_is_a_refusal() -> None:
    with pytest.raises(UpstreamRateLimited) as caught:
        rec.streamed("openai", f"data: {json.dumps(error('rate_limit_exceeded'))}\n\n")
    assert caught.value.status == 429
    with pytest.raises(UpstreamUnavailable):
        rec.streamed("openai", f"data: {json.dumps(error(None, 'server_error'))}\n\n")


def test_an_event_named_error_is_a_refusal_whatever_its_data() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed("openai", 'event: error\ndata: {"message": "It broke."}\n\n')
    assert caught.value.detail == "It broke."
