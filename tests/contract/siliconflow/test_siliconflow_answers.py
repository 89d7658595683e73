"""Our reading of SiliconFlow's answers: the examples of its OpenAPI (documented_replies.json), and a stream that was
recorded (recorded_answers.json); how thoughts and calls are cut up in one is inferred. Refusals beside the documented
ones are such as its users report.
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

ID = "siliconflow"
SAID = rec.load(ID, "documented_replies.json")


def test_a_whole_answer_is_read_with_its_thoughts_apart() -> None:
    answer = rec.answered(ID, SAID["Default"])
    assert (answer.text, answer.reasoning, answer.finish) == ("你好！...", "...", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (15, 1540, 1190)


def test_a_tool_call_is_read() -> None:
    answer = rec.answered(ID, SAID["Function"])
    call = ToolCall("019bda90bb06ea1f88f140889ff0916b", "get_current_weather", '{"location": "Boston, MA"}')
    assert (answer.tool_calls, answer.finish.unified) == ((call,), Finish.TOOL_CALLS)


def test_a_recorded_stream_counts_as_it_goes() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*rec.load(ID, "recorded_answers.json")["stream"]))
    assert answer.text == "你好！有什么问题或者需要帮助的吗？"
    assert (answer.reasoning, answer.finish) == ("", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (30, 10)


def piece(usage: Any = None, reason: str | None = None, **delta: Any) -> Any:
    choice = {"index": 0, "delta": {"content": None, "reasoning_content": None, **delta}, "finish_reason": reason}
    return {**SAID["Streaming"], "choices": [choice], "usage": usage or SAID["Streaming"]["usage"]}


@pytest.mark.parametrize("name", ["Default", "Function"])
def test_a_stream_folds_to_the_whole_answer_and_its_last_count_of_tokens_holds(name: str) -> None:
    choice, usage = SAID[name]["choices"][0], SAID[name]["usage"]
    thought, said = choice["message"]["reasoning_content"], choice["message"]["content"]
    calls = [{"index": i, **call} for i, call in enumerate(choice["message"].get("tool_calls", []))]
    stream = rec.events(
        SAID["Streaming"],
        *(piece(reasoning_content=letter) for letter in thought),
        *(piece(content=letter) for letter in said),
        *(piece(tool_calls=[call]) for call in calls),
        piece(usage, choice["finish_reason"], content=""),
    )
    assert rec.split_in_all_ways(ID, stream) == rec.answered(ID, SAID[name])


def test_the_end_of_a_sequence_is_a_stop() -> None:
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": "eos"}]}
    assert rec.answered(ID, body).finish == FinishReason(Finish.STOP, "eos")


def test_vectors_are_read() -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}]
    usage = {"prompt_tokens": 2, "completion_tokens": 0, "total_tokens": 2}
    answer = rec.vectors(ID, {"object": "list", "model": "BAAI/bge-m3", "data": data, "usage": usage}, 1)
    assert (answer.vectors, answer.usage.input) == (((0.5, -1.0),), 2)


def error(code: int, message: str) -> Any:
    return {"code": code, "message": message, "data": None}


@pytest.mark.parametrize(
    ("status", "body", "meaning", "detail"),
    [
        (400, SAID["BadRequest"], ModelNotFoundUpstream, "Model does not exist."),
        (401, SAID["Unauthorized"], CredentialRejected, "Invalid token"),
        (403, SAID["Forbidden"], CredentialRejected, "Forbidden"),
        (404, SAID["NotFound"], BadRequestUpstream, "404 page not found"),
        (429, SAID["RateLimit"], UpstreamRateLimited, "Request was rejected due to rate limiting."),
        (503, SAID["Overloaded"], UpstreamUnavailable, "Model service overloaded."),
        (504, "", UpstreamUnavailable, ""),
        (401, error(30014, "Token is invalid."), CredentialRejected, "Token is invalid."),
        (402, error(30001, "Sorry, your account balance is insufficient"), UpstreamPaymentRequired, "Sorry"),
        (403, error(30001, "Sorry, your account balance is insufficient"), UpstreamPaymentRequired, "Sorry"),
        (403, error(30003, "Model disabled."), ModelNotFoundUpstream, "Model disabled."),
        (451, error(20021, "Sensitive content."), ContentRefused, "Sensitive content."),
        (400, error(20015, "length of prompt_tokens (9) must be less than max_seq_len (8)."), ContextTooLong, "length"),
        (
            400,
            error(20015, "number of input tokens (9) has exceeded max_prompt_tokens (8) limit."),
            ContextTooLong,
            "number of input tokens",
        ),
        (400, error(20015, "The parameter is invalid. Please check again."), BadRequestUpstream, "The parameter"),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError], detail: str) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert failure.detail.startswith(detail)
    assert failure.status == status


def test_an_overload_inside_a_stream_is_one() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, rec.events(SAID["Streaming"], SAID["Overloaded"]))
    assert caught.value.status == 503
