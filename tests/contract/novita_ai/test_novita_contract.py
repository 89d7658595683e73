"""Our requests to novita.ai equal those of the client that it documents (sdk_requests.json: openai for Python 3.54.0,
recorded on loopback) and satisfy OpenAI's own OpenAPI (../openai/request_schemas.json): the vendor publishes none.
Answers are recorded ones (recorded_answers.json), of calls and thoughts in OpenAI's shape; refusals are the vendor's
own, as its users quote them.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; an image's `detail`, which our
vocabulary has not.
"""

from dataclasses import replace
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
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature
from domain.model.events import Finish
from infrastructure.providers.registry import catalogue
from tests.contract import recordings as rec

ID = "novita_ai"
FORM = {"api_key": "<key>"}
HEADERS = ("authorization", "content-type", "accept")
MODEL = "deepseek/deepseek-v3.2"
TOOL = rec.weather("Weather by city")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}},
    "required": ["a"],
    "additionalProperties": False,
}
BRIEF = replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9, 64, ("END",), 7, 0, 0))
AFTER = rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1")
SHAPED = replace(rec.asking("a?"), response_schema=ResponseSchema("ans", CLOSED))
CASES: list[tuple[str, ChatCall, bool]] = [
    ("chat.completions.create", BRIEF, False),
    ("chat.completions.create stream + tool", replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)), True),
    ("chat.completions.create tool result turn", AFTER, False),
    ("chat.completions.create json_schema", SHAPED, False),
]


@pytest.mark.parametrize(("name", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=stream, headers=HEADERS)
    assert ours == rec.recorded(rec.calls(ID)[name], without={"tool_choice"}, headers=HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_an_image_request_is_the_clients() -> None:
    theirs = rec.recorded(rec.calls(ID)["chat.completions.create vision"], headers=HEADERS)
    theirs.body["messages"][0]["content"][1]["image_url"].pop("detail", None)
    assert rec.asked(ID, FORM, MODEL, rec.asking("What is this?", rec.pixel()), headers=HEADERS) == theirs


def test_an_embedding_request_is_the_clients() -> None:
    ours = rec.embedded(ID, FORM, "baai/bge-m3", EmbedCall(("a", "b"), dimensions=256), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embeddings.create float"], headers=HEADERS)
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_the_probe_is_a_word_because_anyone_may_list_the_models() -> None:
    ours = rec.probed(ID, FORM, HEADERS)
    assert (ours.method, ours.path) == ("POST", "/openai/v1/chat/completions")
    assert (ours.body["model"], ours.body["max_tokens"]) == ("meta-llama/llama-3.1-8b-instruct", 5)
    assert ours.body["model"] in {model.ref.name for model in catalogue().provider(ID).models}


CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Tokyo"}'}}
USAGE = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
WORDS = {"role": "assistant", "content": "It is sunny.", "reasoning_content": "Hm. Sun."}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize(("message", "reason"), [(WORDS, "stop"), (CALLS, "tool_calls")], ids=["words", "calls"])
def test_a_stream_folds_to_the_whole_answer(message: dict[str, Any], reason: str) -> None:
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": reason}], "usage": USAGE})
    deltas: list[Any] = [{"reasoning_content": letter} for letter in message.get("reasoning_content", "")]
    deltas += [{"content": letter} for letter in message["content"] or ""]
    deltas += [{"tool_calls": [{"index": i, **call}]} for i, call in enumerate(message.get("tool_calls", []))]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    answer = rec.split_in_all_ways(ID, rec.events(*chunks, end, {"choices": [], "usage": USAGE}))
    assert answer == whole
    assert answer.reasoning == message.get("reasoning_content", "")
    assert answer.tool_calls == ((ToolCall("call_1", "get_weather", '{"city":"Tokyo"}'),) if message is CALLS else ())
    assert answer.finish.unified is (Finish.TOOL_CALLS if message is CALLS else Finish.STOP)
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (5, 9, 6)


SAID = rec.load(ID, "recorded_answers.json")


def test_a_recorded_answer_is_read_whole() -> None:
    answer = rec.answered(ID, SAID["whole"])
    assert (answer.text, answer.finish.unified) == ("to two.", Finish.STOP)
    assert (answer.usage.input, answer.usage.output) == (46, 4)


def test_a_recorded_stream_of_many_empty_pieces_is_put_together() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert (answer.text, answer.finish.unified) == ("This is only a test", Finish.STOP)


def test_vectors_are_read() -> None:
    data = [{"object": "embedding", "index": i, "embedding": [0.5, float(i)]} for i in (1, 0)]
    answer = rec.vectors(ID, {"object": "list", "data": data, "usage": {"prompt_tokens": 2, "total_tokens": 2}}, 2)
    assert (answer.vectors, answer.usage.input) == (((0.5, 0.0), (0.5, 1.0)), 2)


@pytest.mark.parametrize(
    ("status", "reason", "message", "meaning"),
    [
        (401, "FAILED_TO_AUTH", "fail to authenticate", CredentialRejected),
        (403, "INVALID_API_KEY", "invalid api-key", CredentialRejected),
        (403, "NOT_ENOUGH_BALANCE", "not enough balance", UpstreamPaymentRequired),
        (403, "model_access_denied", "denied", ModelNotFoundUpstream),
        (403, "ACCESS_DENY", "identity verification", CredentialRejected),
        (404, "MODEL_NOT_FOUND", "model not found", ModelNotFoundUpstream),
        (400, "INVALID_REQUEST_BODY", "max_tokens must be above 0", BadRequestUpstream),
        (400, "INVALID_REQUEST_BODY", "This model's maximum context length is 8192 tokens.", ContextTooLong),
        (429, "RATE_LIMIT_EXCEEDED", "too many requests", UpstreamRateLimited),
        (429, "TOKEN_LIMIT_EXCEEDED", "too many tokens", UpstreamRateLimited),
        (503, "SERVICE_NOT_AVAILABLE", "busy", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_reason(status: int, reason: str, message: str, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, {"code": status, "reason": reason, "message": message, "metadata": {}})
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, message)


def test_a_gateway_that_gave_up_is_unavailable() -> None:
    assert type(rec.refused(ID, 504, "<html>Gateway Time-out</html>")) is UpstreamUnavailable


def test_a_refusal_inside_a_stream_keeps_its_meaning() -> None:
    body = {"code": 403, "reason": "NOT_ENOUGH_BALANCE", "message": "not enough balance"}
    with pytest.raises(UpstreamPaymentRequired) as caught:
        rec.streamed(ID, rec.events(body))
    assert caught.value.status == 403


def test_rows_carry_what_novita_itself_calls_its_models() -> None:
    rows = {model.ref.name: model for model in catalogue().provider(ID).models}
    assert {Feature.TOOLS, Feature.REASONING, Feature.STRUCTURED_OUTPUT} <= rows["deepseek/deepseek-v4-flash"].features
    assert Feature.VISION in rows["moonshotai/kimi-k2.6"].features
    price = rows["moonshotai/kimi-k2.6"].price
    assert price
    assert (str(price.input), str(price.output), price.currency) == ("0.8", "3.4", "USD")
    assert rows["baai/bge-m3"].dimensions == 1024
