"""Our reading of Mistral AI's answers: those that its SDK replayed (sdk_requests.json), the shapes of its OpenAPI
(request_schemas.json), against which the inferred ones are held, and refusals as its users report them; those of 402
and 503 are inferred.
"""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ToolCall
from domain.model.events import Finish, FinishReason
from tests.contract import recordings as rec

ID = "mistral_ai"
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm, "}, {"type": "text", "text": "twice."}]}
USAGE = {"prompt_tokens": 11, "completion_tokens": 37, "total_tokens": 48}


def replayed(name: str) -> Any:
    return rec.calls(ID)[name]["reply_replayed"]


def choice(message: Any, reason: str = "stop") -> Any:
    made = {"index": 0, "message": message, "finish_reason": reason}
    rec.valid(ID, "ChatCompletionChoice", made)
    return made


def chunk(delta: Any, reason: str | None = None, **more: Any) -> Any:
    made = {"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}
    rec.valid(ID, "CompletionChunk", made)
    return made


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, replayed("chat")["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_tool_call_that_streams_in_one_piece_is_put_together() -> None:
    answer = rec.split_in_all_ways(ID, replayed("chat_stream_tool")["text"])
    assert answer.tool_calls == (ToolCall("D681PevKs", "get_weather", '{"city": "Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_thoughts_are_parts_of_the_content_and_are_kept_apart_from_the_answer() -> None:
    content = [THOUGHT, {"type": "text", "text": "Größe: "}, {"type": "text", "text": "4"}]
    whole = rec.answered(ID, {"choices": [choice({"role": "assistant", "content": content})], "usage": USAGE})
    stream = rec.events(
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": [{"type": "thinking", "thinking": [piece]}]}) for piece in THOUGHT["thinking"]),
        chunk({"content": [{"type": "text", "text": "Größe: "}]}),
        chunk({"content": "4"}, "stop", usage=USAGE),
    )
    assert (whole.reasoning, whole.text) == ("Hm, twice.", "Größe: 4")
    assert rec.split_in_all_ways(ID, stream) == whole


@pytest.mark.parametrize("reason", ["length", "model_length"])
def test_both_limits_end_an_answer_for_its_length(reason: str) -> None:
    answer = rec.answered(ID, {"choices": [choice({"role": "assistant", "content": "x"}, reason)]})
    assert answer.finish == FinishReason(Finish.LENGTH, reason)


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, replayed("embedding")["body"], 1)
    assert (answer.vectors, answer.usage.input, answer.usage.output) == (((0.1, 0.2),), 2, 0)


def error(kind: str, message: str, code: str | None = None) -> Any:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


LONG = "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 131072 maximum context length"


@pytest.mark.parametrize(
    ("status", "body", "meaning", "detail"),
    [
        (401, replayed("error_401")["body"], CredentialRejected, "Unauthorized"),
        (402, {"detail": "No balance"}, UpstreamPaymentRequired, "No balance"),
        (422, replayed("error_422")["body"], BadRequestUpstream, "body.model: Field required"),
        (429, replayed("error_429")["body"], UpstreamRateLimited, "Requests rate limit exceeded"),
        (400, error("invalid_model", "Invalid model: x", "1500"), ModelNotFoundUpstream, "Invalid model: x"),
        (400, error("invalid_request_error", LONG), ContextTooLong, LONG),
        (400, error("invalid_function_call", "Tool call id was x", "3280"), BadRequestUpstream, "Tool call id"),
        (503, error("internal_server_error", "Overloaded"), UpstreamUnavailable, "Overloaded"),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError], detail: str) -> None:
    failure = rec.refused(ID, status, body, {"retry-after": "2"})
    assert type(failure) is meaning
    assert failure.detail.startswith(detail)
    assert failure.retry_after == (2.0 if failure.retryable else None)


def test_an_error_in_place_of_a_chunk_is_a_refusal() -> None:
    with pytest.raises(ModelNotFoundUpstream) as caught:
        rec.streamed(ID, rec.events(error("invalid_model", "Invalid model: x", "1500")))
    assert caught.value.detail == "Invalid model: x"
