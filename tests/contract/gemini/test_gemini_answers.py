"""Our reading of the Gemini API's answers: those that its SDK accepted (sdk_requests.json, `reply_replayed`), and the
forms that its protobuf definitions and its pages on errors, thinking and model lists give (as of November 2026).
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
from domain.model.catalogue import ModelType
from domain.model.events import Finish, FinishReason, Usage
from domain.ports import ListedModel
from infrastructure.providers.dialects.gemini_turns import with_thought
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Page
from tests.contract import google_client as google
from tests.contract import recordings as rec
from tests.contract.google_client import refusal

INFO, RETRY = "type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.RetryInfo"


def replayed(name: str) -> Any:
    return rec.calls("gemini")[name]["reply_replayed"]["body"]


@pytest.mark.parametrize(("name", "said"), [("chat", "Hi."), ("chat_vision", "A dot."), ("chat_json_schema", "{}")])
def test_a_whole_answer_is_read(name: str, said: str) -> None:
    answer = rec.answered("gemini", replayed(name))
    assert (answer.text, answer.finish) == (said, FinishReason(Finish.STOP, "STOP"))
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (12, 3, 0)


def test_thoughts_are_kept_apart() -> None:
    answer = rec.answered("gemini", replayed("chat_thinking"))
    assert (answer.reasoning, answer.text) == ("thinking", "Hi.")


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways("gemini", rec.calls("gemini")["chat_stream_tool"]["reply_replayed"]["text"])
    (call,) = answer.tool_calls
    assert (call.id, call.name, call.arguments) == (with_thought("fc1", "c2ln"), "get_weather", '{"city":"Paris"}')
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "STOP")
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    answer = google.told(
        "gemini",
        {"text": "Größe?", "thought": True},
        {"text": ""},
        {"text": "Zwei "},
        {"text": "😀"},
        {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "f"}},
        {"a part of tomorrow": 1},
    )
    assert (answer.reasoning, answer.text) == ("Größe?", "Zwei 😀")
    assert [call.arguments for call in answer.tool_calls] == ['{"x":1}', "{}"]
    assert len({call.id for call in answer.tool_calls}) == 2
    assert answer.usage == Usage(9, 25, None, 5, google.USAGE)


def test_cached_tokens_and_those_of_tools_are_counted() -> None:
    usage = {"promptTokenCount": 9, "toolUsePromptTokenCount": 3, "cachedContentTokenCount": 4}
    answer = google.told("gemini", {"text": "Hi"}, usage=usage)
    assert answer.usage == Usage(12, None, 4, None, usage)


@pytest.mark.parametrize(
    ("raw", "unified"),
    [
        ("MAX_TOKENS", Finish.LENGTH),
        ("SAFETY", Finish.CONTENT_FILTER),
        ("PROHIBITED_CONTENT", Finish.CONTENT_FILTER),
        ("IMAGE_RECITATION", Finish.CONTENT_FILTER),
        ("TOMORROW", Finish.STOP),
    ],
)
def test_reasons_to_end_have_our_name_beside_the_vendors(raw: str, unified: Finish) -> None:
    assert google.told("gemini", {"text": "Hi"}, reason=raw).finish == FinishReason(unified, raw)


@pytest.mark.parametrize("raw", ["MALFORMED_FUNCTION_CALL", "MISSING_THOUGHT_SIGNATURE", "OTHER"])
def test_an_answer_that_the_model_could_not_finish_is_a_failure(raw: str) -> None:
    with pytest.raises(BadRequestUpstream, match=raw):
        google.told("gemini", {"text": "Hi"}, reason=raw)


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER"])
def test_a_blocked_prompt_is_an_empty_answer_that_says_why(reason: str) -> None:
    body = {"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 9}}
    whole = rec.answered("gemini", body)
    assert (whole.text, whole.finish) == ("", FinishReason(Finish.CONTENT_FILTER, reason))
    assert rec.split_in_all_ways("gemini", google.events(body)) == whole


def test_a_stream_that_ends_without_a_reason_is_broken() -> None:
    piece = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}
    with pytest.raises(StreamBroken):
        rec.streamed("gemini", google.events(piece))
    assert rec.streamed("gemini", google.events(piece, {"candidates": [{"finishReason": "STOP"}]})).text == "Hi"


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"candidates": []}, {"candidates": [{}]}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.answered("gemini", body)


@pytest.mark.parametrize("odd", [None, 3, {}, {"candidates": None}, {"candidates": [{"content": 5}]}], ids=str)
def test_odd_events_do_not_hurt(odd: Any) -> None:
    end = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
    assert rec.streamed("gemini", google.events(odd, end)).text == "Hi"


def test_an_error_event_ends_the_stream_by_its_meaning() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed("gemini", google.events(replayed("error_503")))
    assert (caught.value.status, caught.value.detail) == (503, replayed("error_503")["error"]["message"])


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, replayed("error_400"), CredentialRejected),
        (429, replayed("error_429"), UpstreamRateLimited),
        (503, replayed("error_503"), UpstreamUnavailable),
        # google-gemini/gemini-cli#6678
        (
            400,
            [refusal(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens (8).")],
            ContextTooLong,
        ),
        (400, refusal(400, "INVALID_ARGUMENT", "Invalid value at 'contents[0]'"), BadRequestUpstream),
        (400, refusal(400, "FAILED_PRECONDITION", "Please enable billing on your project."), UpstreamPaymentRequired),
        (
            400,
            refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            BadRequestUpstream,
        ),
        (401, refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."), CredentialRejected),
        (403, refusal(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), CredentialRejected),
        (404, refusal(404, "NOT_FOUND", "models/x is not found for API version v1"), ModelNotFoundUpstream),
        (429, refusal(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), UpstreamPaymentRequired),
        (500, refusal(500, "INTERNAL", "An internal error has occurred."), UpstreamUnavailable),
        (504, refusal(504, "DEADLINE_EXCEEDED", "Deadline expired."), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused("gemini", status, body)
    error = (body[0] if isinstance(body, list) else body)["error"]
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, error["message"])


def test_the_wait_stands_in_the_body() -> None:
    assert rec.refused("gemini", 429, replayed("error_429")).retry_after == 17
    part = refusal(429, "RESOURCE_EXHAUSTED", "Slow.", **{"@type": RETRY, "retryDelay": "0.5s"})
    assert rec.refused("gemini", 429, part).retry_after == 0.5
    unsaid = refusal(429, "RESOURCE_EXHAUSTED", "Slow.", **{"@type": INFO, "retryDelay": "soon"})
    assert rec.refused("gemini", 429, unsaid).retry_after is None


def test_vectors_are_read_in_order() -> None:
    got = rec.vectors("gemini", replayed("embedding"), 2)
    assert (got.vectors, got.usage.input) == (((0.1, 0.2), (0.3, 0.4)), None)
    counted = {"embeddings": [{"values": [1]}], "usageMetadata": {"promptTokenCount": 3}}
    assert rec.vectors("gemini", counted, 1).usage == Usage(3, 0, raw={"promptTokenCount": 3})


@pytest.mark.parametrize(
    "body", [{}, {"embeddings": [{"values": [1]}, {"values": [2]}]}, {"embeddings": [{}]}], ids=str
)
def test_vectors_that_do_not_fit_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors("gemini", body, 1)


def listed(body: Any) -> Page:
    dialect = ADAPTERS["gemini"].models
    assert dialect
    return dialect.parse(body)


def test_the_list_of_models_tells_types_and_contexts_and_goes_on() -> None:
    assert listed(replayed("models")) == Page((ListedModel("gemini-3.5-flash", ModelType.LLM, 1_048_576),))
    rows = [
        {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent", "countTokens"]},
        {"name": "models/gemini-3.8-flash-tts", "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/gemini-3.5-transcribe", "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/gemini-3.5-transcribe-live", "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/gemini-3.1-flash-image", "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/veo", "supportedGenerationMethods": ["predictLongRunning"]},
        {},
    ]
    page = listed({"models": rows, "nextPageToken": "next"})
    assert page.models == (
        ListedModel("gemini-embedding-001", ModelType.EMBEDDING),
        ListedModel("gemini-3.8-flash-tts", ModelType.TEXT_TO_SPEECH),
        ListedModel("gemini-3.5-transcribe", ModelType.SPEECH_TO_TEXT),
        ListedModel("gemini-3.5-transcribe-live"),
        ListedModel("gemini-3.1-flash-image"),
        ListedModel("veo"),
    )
    assert page.following == "next"
    dialect = ADAPTERS["gemini"].models
    assert dialect
    assert dialect.render("next").query == {"pageSize": "1000", "pageToken": "next"}
    with pytest.raises(BadRequestUpstream):
        listed({"data": []})
