"""360 Zhinao publishes no contract that could be had. Requests are held against OpenAI's own OpenAPI
(../openai/request_schemas.json), whose shape its users' clients send; one answer is recorded (recorded_reply.json), and
streams and tool calls are inferred from it and from OpenAI's shape. Of its codes, 1005 is known from opencompass, whose
client waits on it (opencompass/models/ai360_api.py).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    StreamBroken,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, Knobs
from domain.model.events import Finish, FinishReason
from tests.contract import recordings as rec

ID = "zhinao_360"
FORM = {"api_key": "<key>"}
TOOL = rec.weather("Weather by city")
REPLY = rec.load(ID, "recorded_reply.json")["body"]


@pytest.mark.parametrize(
    "call",
    [
        replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9, 64, ("END",), 7, 0, 0)),
        rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1"),
        rec.asking("What is this?", rec.pixel()),
    ],
    ids=["knobs", "tools", "vision"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_has_openais_shape(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, "360gpt2-pro", call, stream=stream, headers=("authorization",))
    assert (ours.method, ours.path) == ("POST", "/v1/chat/completions")
    assert ours.headers == {"authorization": "Bearer <key>"}
    assert ours.body["model"] == "360gpt2-pro"
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_the_probe_is_a_word_to_the_model_that_every_key_reaches() -> None:
    ours = rec.probed(ID, FORM)
    assert (ours.method, ours.path, ours.query) == ("POST", "/v1/chat/completions", "")
    assert (ours.body["model"], ours.body["max_tokens"]) == ("360gpt-turbo", 5)


def test_an_answer_that_names_no_reason_to_end_is_whole() -> None:
    answer = rec.answered(ID, REPLY)
    assert answer.text.startswith("你好，我是360智脑")
    assert answer.finish == FinishReason(Finish.STOP, "")
    assert (answer.usage.input, answer.usage.output) == (24, 33)


def cut(said: str, **more: Any) -> Any:
    return {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": "", **more}]}


def test_a_stream_that_names_no_reason_ends_with_its_mark() -> None:
    said = REPLY["choices"][0]["message"]["content"]
    stream = rec.events(*map(cut, said), {"choices": [], "usage": REPLY["usage"]})
    assert rec.split_in_all_ways(ID, stream) == rec.answered(ID, REPLY)
    with pytest.raises(StreamBroken):
        rec.streamed(ID, stream.removesuffix("data: [DONE]\n\n"))


def test_a_stream_may_name_its_reason() -> None:
    stream = rec.events(cut("x"), cut("", finish_reason="length"))
    assert rec.streamed(ID, stream).finish == FinishReason(Finish.LENGTH, "length")


def error(code: str, message: str) -> Any:
    return {"error": {"code": code, "message": message, "type": "invalid_request_error"}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error("1002", "Invalid key"), CredentialRejected),
        (402, error("1004", "No balance"), UpstreamPaymentRequired),
        (429, error("1005", "TPM limit"), UpstreamRateLimited),
        (400, error("1001", "This model's maximum context length is 8192 tokens."), ContextTooLong),
        (400, error("1001", "Bad parameter"), BadRequestUpstream),
        (500, error("1210", "Broken"), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    assert type(rec.refused(ID, status, body)) is meaning


def test_too_many_tokens_a_minute_are_told_inside_a_success() -> None:
    failure = rec.refused(ID, 200, error("1005", "TPM limit"))
    assert type(failure) is UpstreamRateLimited
    assert failure.status == 429
