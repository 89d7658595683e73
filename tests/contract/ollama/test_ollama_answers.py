"""Our reading of Ollama's answers: the examples of its OpenAPI (ollama/ollama, docs/openapi.yaml at fb307609) for chat
and embeddings, and what a real server answered (recorded_chats.json). Thoughts, tool calls and errors have the forms
that the OpenAPI gives them (request_schemas.json), errors the words of its server/routes.go, as of November 2026.
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
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.events import ChatAnswer, Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["ollama"]
CHAT = {
    "model": "gemma4",
    "created_at": "2025-10-17T23:14:07.414671Z",
    "message": {"role": "assistant", "content": "Hello! How can I help you today?"},
    "done": True,
    "done_reason": "stop",
    "total_duration": 174560334,
    "load_duration": 101397084,
    "prompt_eval_count": 11,
    "prompt_eval_duration": 13074791,
    "eval_count": 18,
    "eval_duration": 52479709,
}
EMBEDDED = {
    "model": "embeddinggemma",
    "embeddings": [[0.010071029, -0.0017594862, 0.05007221]],
    "total_duration": 14143917,
    "load_duration": 1019500,
    "prompt_eval_count": 8,
}
END = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 4}


def parse(body: Any) -> ChatAnswer:
    assert ADAPTER.chat
    return ADAPTER.chat.parse(body)


def lines(*objects: Any) -> str:
    return "".join(json.dumps(o) + "\n" for o in objects)


def piece(**message: Any) -> Any:
    return conforming("ChatStreamEvent", {"message": {"role": "assistant", "content": "", **message}, "done": False})


def conforming(schema: str, body: Any) -> Any:
    """A body that satisfies the schema and has no field that it does not know, nor its message."""
    rec.valid("ollama", schema, body)
    known = rec.load("ollama", "request_schemas.json")["components"]["schemas"][schema]["properties"]
    assert body.keys() <= known.keys()
    assert body.get("message", {}).keys() <= known.get("message", {}).get("properties", {}).keys()
    return body


def test_a_whole_answer_is_read() -> None:
    answer = parse(CHAT)
    assert (answer.text, answer.finish) == ("Hello! How can I help you today?", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (11, 18)


def test_recorded_answers_are_read() -> None:
    recorded = rec.load("ollama", "recorded_chats.json")
    streamed = rec.split_in_all_ways("ollama", recorded["stream"])
    assert streamed.text.startswith("Why did the OpenTelemetry")
    assert streamed.finish == FinishReason(Finish.STOP, "stop")
    assert (streamed.usage.input, streamed.usage.output) == (17, 50)
    whole = parse(recorded["whole"])
    assert whole.text.startswith("This is a simple example")
    assert (whole.usage.input, whole.usage.output) == (44, 113)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    calls: Any = [
        {"function": {"index": 0, "name": "f", "arguments": {"city": "Ōsaka"}}},
        {"id": "b", "function": {"name": "g", "arguments": {}}},
    ]
    message = {"role": "assistant", "content": "Größe: 😀", "thinking": "Hm.", "tool_calls": calls}
    whole = parse(conforming("ChatResponse", {**END, "prompt_eval_count": 7, "message": message}))
    stream = lines(
        piece(thinking="H"),
        piece(thinking="m."),
        piece(content="Größe"),
        piece(content=": 😀"),
        piece(tool_calls=calls[:1]),
        piece(tool_calls=calls[1:]),
        {**END, "prompt_eval_count": 7},
    )
    answer = rec.split_in_all_ways("ollama", stream)
    assert rec.without_ids(answer) == rec.without_ids(whole)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "stop")
    assert [call.arguments for call in answer.tool_calls] == ['{"city":"Ōsaka"}', "{}"]
    assert answer.tool_calls[0].id
    assert answer.tool_calls[1].id == "b"


def test_a_prompt_that_was_cached_is_not_counted() -> None:
    assert parse(END).usage.input is None


def test_an_answer_that_was_cut_by_the_limit_says_so() -> None:
    assert rec.streamed("ollama", lines(piece(content="x"), {**END, "done_reason": "length"})).finish == FinishReason(
        Finish.LENGTH, "length"
    )


def test_a_stream_without_its_last_line_is_broken() -> None:
    with pytest.raises(StreamBroken):
        rec.streamed("ollama", lines(piece(content="x")))
    assert rec.streamed("ollama", lines(piece(content="x"), END, {"error": "late"})).text == "x"


@pytest.mark.parametrize("odd", [None, 3, [], {}, {"message": None}, {"message": {"tool_calls": [None]}}], ids=str)
def test_odd_lines_do_not_hurt(odd: Any) -> None:
    assert rec.streamed("ollama", lines(odd, piece(content="x"), END)).text == "x"


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"message": "hi"}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        parse(body)


def test_vectors_are_read_in_order() -> None:
    assert ADAPTER.embed
    answer = ADAPTER.embed.parse(EMBEDDED, 1)
    assert answer.vectors == ((0.010071029, -0.0017594862, 0.05007221),)
    assert (answer.usage.input, answer.usage.output) == (8, 0)


@pytest.mark.parametrize("body", [None, {}, {"embeddings": [[1.0]]}, {"embeddings": [[1.0], ["x"]]}], ids=str)
def test_vectors_that_do_not_fit_the_texts_are_refused(body: Any) -> None:
    assert ADAPTER.embed
    with pytest.raises(BadRequestUpstream):
        ADAPTER.embed.parse(body, 2)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect"}, CredentialRejected),
        (404, {"error": "model 'x' not found"}, ModelNotFoundUpstream),
        (404, "404 page not found", BadRequestUpstream),
        (400, {"error": '"llama3.2" does not support tools'}, BadRequestUpstream),
        (400, {"error": "the input length exceeds the context length"}, ContextTooLong),
        (429, {"error": "too many concurrent requests"}, UpstreamRateLimited),
        (500, {"error": "llama runner process has terminated"}, UpstreamUnavailable),
        (503, {"error": "server busy, please try again.  maximum pending requests exceeded"}, UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    if isinstance(body, dict):
        rec.valid("ollama", "ErrorResponse", body)
    failure = ADAPTER.error("ollama", ErrorReply(status, {}, body))
    assert type(failure) is meaning
    said = body["error"] if isinstance(body, dict) else body
    assert failure.detail == " ".join(said.split())


def test_an_error_line_inside_a_stream_is_a_failure() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed("ollama", lines(piece(content="x"), {"error": "an unknown error was encountered"}))
    assert caught.value.detail == "an unknown error was encountered"
