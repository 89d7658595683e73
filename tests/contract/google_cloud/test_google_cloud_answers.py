"""Our reading of Google Cloud's answers: those that google-genai and anthropic for Python accepted (sdk_requests*.json,
`reply_replayed`), and the forms that the discovery document of aiplatform v1 gives, revision 20261106.
"""

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
from domain.model.events import Finish, FinishReason, Usage
from infrastructure.providers.dialects.gemini_turns import with_thought
from infrastructure.providers.registry import ADAPTERS
from tests.contract import google_client as google
from tests.contract import recordings as rec
from tests.contract.google_client import refusal

ID = "google_cloud"
CLAUDE = rec.calls(ID, "sdk_requests.claude_vertex.json")


def replayed(name: str) -> Any:
    return rec.calls(ID)[name]["reply_replayed"]["body"]


@pytest.mark.parametrize(("name", "said"), [("chat", "Hi."), ("chat_vision", "A dot."), ("chat_json_schema", "{}")])
def test_a_whole_answer_is_read(name: str, said: str) -> None:
    answer = rec.answered(ID, replayed(name))
    assert (answer.text, answer.finish, answer.usage.input) == (said, FinishReason(Finish.STOP, "STOP"), 12)


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways(ID, rec.calls(ID)["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.tool_calls == (ToolCall(with_thought("fc1", "c2ln"), "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "STOP")


def test_a_folded_stream_equals_the_whole_answer() -> None:
    answer = google.told(ID, {"text": "Hm.", "thought": True}, {"text": "Zwei "}, {"text": "😀"})
    assert (answer.reasoning, answer.text, answer.usage.output) == ("Hm.", "Zwei 😀", 25)
    assert rec.answered(ID, replayed("chat_thinking")).reasoning == "thinking"


def test_claudes_answer_is_read() -> None:
    answer = rec.answered(ID, CLAUDE["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "end_turn"))


def test_claudes_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways(ID, CLAUDE["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.text == "Let me check."
    assert answer.tool_calls == (ToolCall("toolu_1", "get_weather", '{"city":"Paris"}'),)
    assert (answer.finish.unified, answer.usage.input, answer.usage.output) == (Finish.TOOL_CALLS, 30, 9)


@pytest.mark.parametrize("text", ["", 'event: ping\ndata: {"type": "ping"}\n\n', 'data: {"candidates": []}\n\n'])
def test_a_stream_that_ends_without_its_mark_is_broken(text: str) -> None:
    with pytest.raises(StreamBroken):
        rec.streamed(ID, text)


def test_an_error_event_ends_a_stream_of_either_kind_by_its_meaning() -> None:
    overloaded = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    for text in (google.events(replayed("error_503")), f"event: error\ndata: {overloaded}\n\n"):
        with pytest.raises(UpstreamUnavailable):
            rec.streamed(ID, text)


def test_a_vector_is_read_from_either_method() -> None:
    predicted = rec.vectors(ID, replayed("embedding"), 1)
    assert (predicted.vectors, predicted.usage.input, predicted.usage.output) == (((0.1, 0.2),), 1, 0)
    embedded = rec.vectors(ID, replayed("embedding_2"), 1)
    assert (embedded.vectors, embedded.usage) == (((0.1, 0.2),), Usage(1, 0, raw={"promptTokenCount": 1}))
    unsaid = {"predictions": [{"embeddings": {"values": [1]}}]}
    assert rec.vectors(ID, unsaid, 1).usage == Usage()


@pytest.mark.parametrize(
    "body",
    [
        {"embedding": {"values": [1]}, "truncated": True},
        {"predictions": [{"embeddings": {"values": [1], "statistics": {"token_count": 1, "truncated": True}}}]},
    ],
)
def test_a_text_that_was_cut_is_warned_of(body: Any) -> None:
    assert len(rec.vectors(ID, body, 1).warnings) == 1


@pytest.mark.parametrize("body", [{}, {"predictions": [{}, {}]}, {"embedding": {"values": []}}], ids=str)
def test_vectors_that_do_not_fit_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, body, 1)


DISABLED = refusal(403, "PERMISSION_DENIED", "Vertex AI API has not been used in project 1.", reason="SERVICE_DISABLED")
UNBILLED = refusal(
    403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", reason="BILLING_DISABLED"
)
ABSENT = refusal(404, "NOT_FOUND", "Publisher Model `x` was not found or your project does not have access to it.")


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, replayed("error_400"), CredentialRejected),
        (429, replayed("error_429"), UpstreamRateLimited),
        (503, replayed("error_503"), UpstreamUnavailable),
        (400, refusal(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum."), ContextTooLong),
        (400, refusal(400, "FAILED_PRECONDITION", "The request is not allowed."), BadRequestUpstream),
        (401, refusal(401, "UNAUTHENTICATED", "Request had invalid authentication."), CredentialRejected),
        (403, DISABLED, CredentialRejected),
        (403, UNBILLED, UpstreamPaymentRequired),
        (404, ABSENT, ModelNotFoundUpstream),
        (504, refusal(504, "DEADLINE_EXCEEDED", "Deadline expired."), UpstreamUnavailable),
        (
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}},
            ContextTooLong,
        ),
        (
            429,
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Quota exceeded."}},
            UpstreamRateLimited,
        ),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, body["error"]["message"])


def test_a_model_that_is_not_there_proves_the_key_that_asks() -> None:
    proves = ADAPTERS[ID].proves
    assert proves(rec.refused(ID, 404, ABSENT))
    assert not any(proves(rec.refused(ID, 403, body)) for body in (DISABLED, UNBILLED))


def test_a_token_that_is_echoed_is_not_shown() -> None:
    body = refusal(401, "UNAUTHENTICATED", "Bearer ya29.c0-canary_1.x is not valid.")
    assert rec.refused(ID, 401, body).detail == "Bearer •••• is not valid."
