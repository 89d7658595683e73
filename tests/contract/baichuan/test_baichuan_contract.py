"""Baichuan has no SDK of its own: requests are those of OpenAI's client (sdk_requests.json) and satisfy its OpenAPI
(../openai/request_schemas.json). A whole answer is recorded (recorded_answers.json). Streams and the texts of refusals
are those of its reference as f8cxtsvnr8.apifox.cn holds a copy of it (api-135486461, doc-3441122). The rest is inferred
from what its users' clients send and read (langgenius/dify-official-plugins at 7af22831, songquanpeng/one-api at
8df4a267, LangChain's BaichuanTextEmbeddings).

Left out of the comparison: `tool_choice: "auto"` and `encoding_format: "float"`, which are the defaults and not sent.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, ToolCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "baichuan"
FORM = {"api_key": "<key>"}
HEADERS = ("authorization",)
SIGNED = {"authorization": "Bearer <key>"}
MODEL = "Baichuan4-Turbo"
UNSENT = {"seed", "stop", "presence_penalty", "frequency_penalty"}


@pytest.mark.parametrize("name", [name for name in client.CHATS if name in rec.calls(ID)])
def test_a_chat_request_is_the_clients(name: str) -> None:
    assert client.chat(ID, name, FORM) == client.theirs(ID, name)


@pytest.mark.parametrize("call", client.CHATS.values(), ids=client.CHATS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_request_has_openais_shape(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=stream, headers=HEADERS)
    assert (ours.method, ours.path, ours.headers) == ("POST", "/v1/chat/completions", SIGNED)
    assert (ours.body["model"], ours.body.get("stream")) == (MODEL, True if stream else None)
    assert not ours.body.keys() & {*UNSENT, "stream_options"}
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_knobs_that_no_client_sends_are_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = client.CHATS["chat.completions.create"]
    request = dialect.render(rec.target(ID, MODEL, FORM), call, stream=False)
    assert {warning.split()[0] for warning in request.warnings} == UNSENT


def test_an_embedding_request_is_the_clients() -> None:
    ours = client.embed(ID, "embeddings.create float, plain", FORM, EmbedCall(("a", "b")))
    assert ours == client.theirs(ID, "embeddings.create float, plain", frozenset({"encoding_format"}))
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, "Baichuan-Text-Embedding", FORM, ModelType.EMBEDDING)) == 16


def test_vectors_are_read_with_the_total_alone() -> None:
    rows = [{"index": at, "embedding": [0.5, float(at)]} for at in (1, 0)]
    answer = rec.vectors(ID, {"data": rows, "usage": {"total_tokens": 2}}, 2)
    assert (answer.vectors, answer.usage.input) == (((0.5, 0.0), (0.5, 1.0)), 2)


def test_the_probe_is_a_word_to_embed() -> None:
    theirs = client.theirs(ID, "embeddings.create float, plain", frozenset({"encoding_format"}))
    assert rec.probed(ID, FORM, client.HEADERS) == replace(theirs, body={**theirs.body, "input": ["ping"]})


def test_a_recorded_answer_is_read() -> None:
    answer = rec.answered(ID, rec.load(ID, "recorded_answers.json")["chat"])
    assert answer.text.startswith("你好！我是百川大模型")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output, answer.tool_calls) == (8, 52, ())


def test_a_stream_folds_to_the_whole_answer() -> None:
    answer = client.told(ID, {**client.CALLING, "content": "See:"}, "tool_calls")
    assert (answer.text, answer.finish.unified) == ("See:", Finish.TOOL_CALLS)
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Tokyo"}'),)
    assert (answer.usage.input, answer.usage.output) == (9, 20)


def test_a_stream_as_the_reference_shows_it_has_an_empty_reason_until_its_end() -> None:
    def chunk(text: str, reason: str) -> str:
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
        head = {"id": "chatcmpl-M633300APBknoaF", "object": "chat.completion.chunk", "created": 1698205608}
        return f"data:{json.dumps({**head, 'model': 'Baichuan2-Turbo', 'choices': [choice]})}\n\n"

    for reason, meaning in (("stop", Finish.STOP), ("content_filter", Finish.CONTENT_FILTER)):
        answer = rec.split_in_all_ways(ID, chunk("世界第一高峰是珠穆", "") + chunk("朗玛峰", "") + chunk("。", reason))
        assert (answer.text, answer.finish) == ("世界第一高峰是珠穆朗玛峰。", FinishReason(meaning, reason))


def test_of_the_counts_the_last_ones_hold() -> None:
    counts = [{"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2)]
    deltas: list[Any] = [{"role": "assistant", "content": "po"}, {"content": "ng"}]
    chunks = [{"choices": [{"index": 0, "delta": delta}], "usage": c} for delta, c in zip(deltas, counts, strict=True)]
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    answer = rec.split_in_all_ways(ID, rec.events(*chunks, last))
    assert (answer.text, answer.usage.output, answer.finish.unified) == ("pong", 2, Finish.STOP)


@pytest.mark.parametrize("place", ["type", "code"])
@pytest.mark.parametrize(
    ("status", "word", "meaning"),
    [
        (401, "invalid_api_key", errors.CredentialRejected),
        (400, "api_key_empty", errors.CredentialRejected),
        (400, "invalid_authentication", errors.CredentialRejected),
        (429, "insufficient_quota", errors.UpstreamPaymentRequired),
        (429, "rate_limit", errors.UpstreamRateLimited),
        (400, "rate_limit_reached", errors.UpstreamRateLimited),
        (400, "invalid_request_error", errors.BadRequestUpstream),
        (400, "internal_error", errors.UpstreamUnavailable),
        (500, "", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_type_or_code(
    status: int, word: str, place: str, meaning: type[UpstreamError]
) -> None:
    failure = rec.refused(ID, status, {"error": {"message": "It said no.", place: word}}, {"retry-after": "2"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, "It said no.")
    assert failure.retry_after == (2.0 if meaning.retryable else None)


def test_a_refusal_is_read_by_its_status_and_text() -> None:
    texts = {
        "Invalid Authentication": (401, errors.CredentialRejected),
        "Incorrect API key provided": (401, errors.CredentialRejected),
        "Rate limit reached for requests": (429, errors.UpstreamRateLimited),
        "Insufficient account balance, please recharge": (429, errors.UpstreamPaymentRequired),
        "Internal Server Error": (500, errors.UpstreamUnavailable),
    }
    for text, (status, meaning) in texts.items():
        assert type(rec.refused(ID, status, {"error": {"message": text}})) is meaning


def test_a_context_that_is_too_long_is_told_by_the_message() -> None:
    body = {"error": {"message": "The maximum context length is 32768 tokens.", "type": "invalid_request_error"}}
    assert type(rec.refused(ID, 400, body)) is errors.ContextTooLong


def test_a_failure_inside_a_stream_is_no_answer() -> None:
    with pytest.raises(errors.UpstreamRateLimited):
        rec.streamed(ID, rec.events({"error": {"message": "Too fast.", "type": "rate_limit"}}))


def test_models_that_are_gone_lead_to_those_of_today() -> None:
    offered = catalogue()
    for gone, heir in (("Baichuan2-53B", "Baichuan4-Air"), ("Baichuan2-Turbo-192k", "Baichuan3-Turbo-128k")):
        assert [ref.name for ref in offered.successors(ModelRef(ID, gone, ModelType.LLM))] == [gone, heir]
    calling = {row.ref.name for row in offered.provider(ID).models if Feature.TOOLS in row.features}
    assert "Baichuan4-Turbo" in calling
    assert "Baichuan4-Turbo" in {row.ref.name for row in offered.provider(ID).models if row.price}
    assert not calling & {"Baichuan-M3", "Baichuan-M3-Plus", "Baichuan-M2-Plus"}
