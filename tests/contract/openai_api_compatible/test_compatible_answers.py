"""Our reading of what real OpenAI-shaped servers answered on 2026-11-23: llama.cpp (recorded_real_llamacpp_*.json, from
the wheel xllamacpp 2026.10.11549) and infinity (recorded_real_infinity.json, infinity-emb 0.0.78).
"""

import math
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
)
from domain.model.events import ChatAnswer, Embeddings, Finish
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply
from tests.contract import recordings as rec

ID = "openai_api_compatible"
ADAPTER = ADAPTERS[ID]
LLAMA_CHAT = rec.exchanges(ID, "recorded_real_llamacpp_chat.json")
LLAMA_EMBED = rec.exchanges(ID, "recorded_real_llamacpp_embeddings.json")
INFINITY = rec.exchanges(ID, "recorded_real_infinity.json")


def parse(name: str) -> ChatAnswer:
    assert ADAPTER.chat
    return ADAPTER.chat.parse(LLAMA_CHAT[name]["json"])


def embeddings(reply: Any, count: int) -> Embeddings:
    assert ADAPTER.embed
    return ADAPTER.embed.parse(reply["json"], count)


@pytest.mark.parametrize(
    ("name", "text", "finish", "tokens"),
    [
        ("chat", "Hello from a tiny real model.", Finish.STOP, (53, 30)),
        ("chat_length", "Hello", Finish.LENGTH, (53, 5)),
        ("chat_after_tool", "It is sunny in Tokyo.", Finish.STOP, (728, 22)),
        ("chat_json_schema", '{ "a": false }', Finish.STOP, (53, 17)),
    ],
)
def test_a_whole_answer_is_read(name: str, text: str, finish: Finish, tokens: tuple[int, int]) -> None:
    answer = parse(name)
    assert (answer.text, answer.finish.unified) == (text, finish)
    assert (answer.usage.input, answer.usage.output) == tokens


def test_a_stream_of_single_letters_is_put_together() -> None:
    answer = rec.split_in_all_ways(ID, LLAMA_CHAT["chat_stream_usage"]["text"])
    assert (answer.text, answer.finish.unified) == ("Hello fr", Finish.LENGTH)
    assert (answer.usage.input, answer.usage.output, answer.usage.cached_input) == (53, 8, 52)


def test_a_streamed_tool_call_equals_the_whole_one() -> None:
    whole = parse("chat_tool")
    answer = rec.split_in_all_ways(ID, LLAMA_CHAT["chat_tool_stream"]["text"])
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert rec.without_ids(answer).tool_calls == rec.without_ids(whole).tool_calls
    assert answer.finish == whole.finish
    assert (answer.usage.input, answer.usage.output) == (whole.usage.input, whole.usage.output)


def test_base64_and_numbers_are_the_same_vectors() -> None:
    numbers = embeddings(LLAMA_EMBED["embed_two"], 2)
    packed = embeddings(LLAMA_EMBED["embed_base64"], 2)
    assert (numbers.usage.input, numbers.usage.output) == (5, 0)
    for one, other in zip(numbers.vectors, packed.vectors, strict=True):
        assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(one, other, strict=True))
    assert len(embeddings(INFINITY["embed"], 2).vectors[0]) == 384
    assert len(embeddings(INFINITY["embed_base64"], 1).vectors[0]) == 384


@pytest.mark.parametrize(
    ("reply", "meaning", "detail"),
    [
        (LLAMA_CHAT["error_bad_key"], CredentialRejected, "Invalid API Key"),
        (LLAMA_CHAT["error_no_key"], CredentialRejected, "Invalid API Key"),
        (LLAMA_CHAT["error_context"], ContextTooLong, "request (6351 tokens) exceeds"),
        (LLAMA_CHAT["error_bad_json"], BadRequestUpstream, "[json.exception"),
        (LLAMA_CHAT["error_missing_messages"], BadRequestUpstream, "'messages' is required"),
        (LLAMA_CHAT["error_unknown_path"], BadRequestUpstream, "File Not Found"),
        (LLAMA_CHAT["chat_image_unsupported"], BadRequestUpstream, "image input is not supported"),
        (LLAMA_CHAT["embeddings_not_enabled"], BadRequestUpstream, "This server does not support"),
        (LLAMA_EMBED["embed_too_long"], ContextTooLong, "input (6301 tokens) is too large to process"),
        (INFINITY["unauthorised"], CredentialRejected, "Unauthorized"),
        (INFINITY["validation"], BadRequestUpstream, "body.text.input: Field required"),
        (INFINITY["rerank_wrong_model"], BadRequestUpstream, "ModelNotDeployedError"),
    ],
)
def test_a_refusal_is_read_by_its_meaning(reply: Any, meaning: type[UpstreamError], detail: str) -> None:
    failure = ADAPTER.error(ID, ErrorReply(reply["status"], reply["headers"], reply["json"]))
    assert type(failure) is meaning
    assert failure.detail.startswith(detail)
    assert (failure.retryable, failure.status) == (False, reply["status"])


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ({"error": {"code": "insufficient_quota", "message": "No balance."}}, UpstreamPaymentRequired),
        ([{"error": {"message": "Slow down."}}], UpstreamRateLimited),
        ({"message": "Slow down."}, UpstreamRateLimited),
    ],
)
def test_gateways_say_too_much_in_several_shapes(body: Any, meaning: type[UpstreamError]) -> None:
    """Inferred: no recording of these exists."""
    failure = ADAPTER.error(ID, ErrorReply(429, {"retry-after": "3"}, body))
    assert type(failure) is meaning
    assert failure.retry_after == (3.0 if meaning is UpstreamRateLimited else None)
