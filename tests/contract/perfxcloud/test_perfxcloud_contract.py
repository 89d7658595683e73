"""Our requests to PerfXCloud equal those of OpenAI's client (sdk_requests.json: openai for Python 3.54.0, recorded on
loopback) and satisfy OpenAI's own OpenAPI (../openai/request_schemas.json): the vendor publishes no contract, and that
of Dify's plugin has OpenAI's shape. Answers and refusals are inferred from that shape and from one-api, whose paths the
vendor's console has.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolCall
from domain.model.events import Finish
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "perfxcloud"
FORM = {"api_key": "<key>"}
HEADERS = ("authorization", "content-type", "accept")
MODEL = "Qwen2.5-72B-Instruct"
TOOL = rec.weather("Weather by city")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}},
    "required": ["a"],
    "additionalProperties": False,
}
BRIEF = replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9, 64, ("END",), 7, 0, 0))
AFTER = rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1")
CASES: list[tuple[str, ChatCall, bool]] = [
    ("chat.completions.create", BRIEF, False),
    ("chat.completions.create stream + tool", replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)), True),
    ("chat.completions.create tool result turn", AFTER, False),
    (
        "chat.completions.create json_schema",
        replace(rec.asking("a?"), response_schema=ResponseSchema("ans", CLOSED)),
        False,
    ),
]


@pytest.mark.parametrize(("name", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=stream, headers=HEADERS)
    assert ours == rec.recorded(rec.calls(ID)[name], without={"tool_choice"}, headers=HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_an_embedding_request_is_the_clients() -> None:
    ours = rec.embedded(ID, FORM, "BAAI/bge-m3", EmbedCall(("a", "b"), dimensions=256), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embeddings.create float"], headers=HEADERS)
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_the_probe_is_the_clients_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models.list"], headers=HEADERS)


@pytest.mark.parametrize(
    ("entered", "base"),
    [
        ("", "https://cloud.perfxlab.cn/v1"),
        ("https://cloud.perfxlab.cn", "https://cloud.perfxlab.cn/v1"),
        ("https://mirror.example/deep/v1/", "https://mirror.example/deep/v1"),
    ],
)
def test_chat_and_embeddings_share_one_address(entered: str, base: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, MODEL, {**FORM, "endpoint_url": entered}).form) == base


def test_a_folded_stream_equals_the_whole_answer() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    message = {"role": "assistant", "content": "东京", "tool_calls": [call]}
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": usage})
    stream = rec.events(
        {"choices": [{"delta": {"role": "assistant", "content": "东"}}]},
        {"choices": [{"delta": {"content": "京"}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, **call}]}}]},
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": usage},
    )
    assert rec.split_in_all_ways(ID, stream) == whole
    assert (whole.tool_calls, whole.finish.unified) == (
        (ToolCall("call_1", "get_weather", "{}"),),
        Finish.TOOL_CALLS,
    )
    assert (whole.usage.input, whole.usage.output) == (9, 4)


def test_vectors_are_read_in_the_order_of_the_texts() -> None:
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert rec.vectors(ID, {"data": data, "usage": {"prompt_tokens": 2}}, 2).vectors == ((1.0,), (2.0,))


def error(message: str, kind: str = "one_api_error", code: str | None = None) -> Any:
    return {"error": {"message": message, "type": kind, "param": "", "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error("无效的令牌"), CredentialRejected),
        (403, error("insufficient quota", code="insufficient_quota"), UpstreamPaymentRequired),
        (429, error("Too many requests"), UpstreamRateLimited),
        (
            404,
            error("The model `x` does not exist.", "invalid_request_error", "model_not_found"),
            ModelNotFoundUpstream,
        ),
        (400, error("This model's maximum context length is 8192 tokens.", "BadRequestError"), ContextTooLong),
        (503, error("No channel is available"), UpstreamUnavailable),
        (502, "<html>Bad gateway</html>", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    assert type(rec.refused(ID, status, body)) is meaning


def test_its_models_cost_nothing() -> None:
    assert all(m.price and str(m.price.input) == "0" for m in catalogue().provider(ID).models)
