"""Our reading of OpenRouter's answers: those that its documented client accepted (sdk_requests.json, `reply_replayed`),
and the refusals in its OpenAPI and in its guide (errors-and-debugging.mdx), both OpenRouterTeam/docs at c26125a5.
"""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
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

ID = "openrouter"


def reply(name: str) -> Any:
    said = rec.calls(ID)[name]["reply_replayed"]
    return said["text"] if "text" in said else said["body"]


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, reply("chat"))
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output, answer.usage.raw["cost"]) == (12, 3, 0.0001)


def test_a_stream_opens_with_a_comment_and_counts_beside_an_empty_piece() -> None:
    answer = rec.split_in_all_ways(ID, reply("chat_stream_tool"))
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_thoughts_are_kept_apart_and_a_stream_folds_to_the_whole() -> None:
    """After reasoning-tokens.mdx: the text in `reasoning`, the blocks in `reasoning_details`."""
    details = [{"type": "reasoning.text", "text": "Hm.", "index": 0}]
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
    message = {"role": "assistant", "content": "Hi.", "reasoning": "Hm.", "reasoning_details": details}
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
    assert (whole.text, whole.reasoning, whole.usage.reasoning) == ("Hi.", "Hm.", 6)
    stream = rec.events(
        {"choices": [{"delta": {"content": "", "reasoning": "Hm.", "reasoning_details": details}}]},
        {"choices": [{"delta": {"content": "Hi."}}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    )
    assert rec.split_in_all_ways(ID, stream) == whole


def test_recorded_thoughts_are_kept_apart() -> None:
    """pydantic/pydantic-ai at 4fda3898: recorded_answers.json."""
    recorded = rec.load(ID, "recorded_answers.json")
    whole = rec.answered(ID, recorded["reasoning"])
    assert (whole.text, whole.usage.output, whole.usage.reasoning) == ("ok", 53, 48)
    assert whole.reasoning == recorded["reasoning"]["choices"][0]["message"]["reasoning"]
    streamed = rec.split_in_all_ways(ID, recorded["reasoning_stream"])
    assert (streamed.text, streamed.finish) == ("2 + 2 = 4", FinishReason(Finish.STOP, "stop"))
    assert streamed.reasoning == "This is a simple arithmetic question. 2+2 equals 4."
    assert (streamed.usage.output, streamed.usage.reasoning) == (36, 13)


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, reply("embedding"), 1)
    assert (answer.vectors, answer.usage.input) == (((0.1, 0.2),), 1)


def error(code: int, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, **more}}


def typed(code: int, kind: str) -> Any:
    return error(code, "No.", metadata={"error_type": kind})


REFUSALS: list[tuple[int, Any, type[UpstreamError]]] = [
    (401, error(401, "Missing Authentication header"), CredentialRejected),
    (402, error(402, "Insufficient credits. Add more using https://openrouter.ai/credits"), UpstreamPaymentRequired),
    (403, error(403, "Only management keys can perform this operation"), CredentialRejected),
    (403, error(403, "Request blocked", metadata={"patterns": ["ignore all previous instructions"]}), ContentRefused),
    (403, error(403, "Flagged", metadata={"reasons": ["violence"], "flagged_input": "…"}), ContentRefused),
    (404, error(404, "No endpoints found that support image input"), BadRequestUpstream),
    (404, error(404, "Gone.", availability={"code": "model_deprecated", "retryable": False}), ModelNotFoundUpstream),
    (400, error(400, "Bad id.", availability={"code": "model_not_found"}), ModelNotFoundUpstream),
    (400, error(400, "Invalid request parameters"), BadRequestUpstream),
    (400, typed(400, "context_length_exceeded"), ContextTooLong),
    (400, typed(400, "string_too_long"), ContextTooLong),
    (400, typed(400, "token_limit_exceeded"), UpstreamPaymentRequired),
    (400, typed(400, "content_policy_violation"), ContentRefused),
    (400, typed(400, "refusal"), ContentRefused),
    (413, error(413, "Request payload too large"), ContextTooLong),
    (422, error(422, "Invalid argument"), BadRequestUpstream),
    (429, error(429, "Rate limit exceeded"), UpstreamRateLimited),
    (502, error(502, "Provider returned error"), UpstreamUnavailable),
    (524, error(524, "Request timed out. Please try again later."), UpstreamUnavailable),
    (529, error(529, "Provider returned error"), UpstreamUnavailable),
]


@pytest.mark.parametrize(("status", "body", "meaning"), REFUSALS)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, body["error"]["message"])


@pytest.mark.parametrize(("status", "body", "meaning"), REFUSALS)
def test_a_success_may_hold_the_same_refusal(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    with pytest.raises(UpstreamError) as caught:
        rec.streamed(ID, rec.events({"id": "gen-1", **body, "choices": [{"finish_reason": "error"}]}))
    assert (type(caught.value), caught.value.status) == (meaning, status)


def test_a_host_that_is_lost_breaks_the_stream_off() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, reply("stream_error"))
    assert (caught.value.status, caught.value.detail) == (502, "Provider disconnected")


def test_a_limit_says_how_long_to_wait() -> None:
    assert rec.refused(ID, 429, error(429, "Rate limit exceeded"), {"retry-after": "60"}).retry_after == 60
