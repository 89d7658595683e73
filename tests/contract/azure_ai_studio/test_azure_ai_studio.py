"""Azure AI Studio: requests as its retired client sends them (sdk_requests.json: azure-ai-inference 1.0.0b9), as
OpenAI's does on v1 (../azure_openai/sdk_requests.json) and Anthropic's for Claude (sdk_requests.claude_foundry.json);
bodies as the specifications want them (request_schemas.json); answers that these clients accepted.

Left out of the comparison: `tool_choice`, which is the default and not sent; on v1 the client's bearer, in whose place
the specification also takes `api-key`; `anthropic-version`, of which ours still takes sampling.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    CredentialRejected,
    InvalidForm,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature, FormValues, ModelRef, ModelType
from domain.model.events import Finish
from domain.model.rerank import Ranked, RerankCall
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "azure_ai_studio"
ADAPTER = ADAPTERS[ID]
HOST = "https://r.services.ai.azure.com"
SINGLE = "https://m.eastus2.models.ai.azure.com"
HEADERS = ("api-key", "authorization", "x-api-key", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("Hello", system="Be brief.")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
SCHEMA = replace(CHAT, response_schema=ResponseSchema("r", CLOSED))


def at(endpoint: str, **more: str) -> FormValues:
    return {"endpoint": endpoint, "api_key": "dummy", **more}


def asked(endpoint: str, call: ChatCall, model: str, *, stream: bool = False) -> rec.Sent:
    return rec.asked(ID, at(endpoint), model, call, stream=stream, headers=HEADERS)


def theirs(name: str, file: str = "sdk_requests.json", *, without: tuple[str, ...] = ()) -> rec.Sent:
    return rec.recorded(rec.calls(ID, file)[name], without=without, headers=HEADERS)


INFERENCE: list[tuple[str, ChatCall, str]] = [
    ("chat", replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64)), "DeepSeek-V3"),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), "DeepSeek-V3"),
    ("error_401", CHAT, "m"),
]


@pytest.mark.parametrize(("name", "call", "model"), INFERENCE, ids=[case[0] for case in INFERENCE])
def test_a_request_to_model_inference_is_the_sdks(name: str, call: ChatCall, model: str) -> None:
    ours = asked(f"{HOST}/models", call, model, stream="stream" in name)
    assert replace(ours, headers={**ours.headers, "accept": "application/json"}) == theirs(name)
    rec.valid(ID, "ChatCompletionsOptions", ours.body)


@pytest.mark.parametrize("name", ["chat_stream_tool", "chat_tool_result", "chat_vision", "chat_json_schema", "v1_chat"])
def test_a_request_to_v1_is_that_of_openais_client(name: str) -> None:
    calls: dict[str, ChatCall] = {
        "chat_stream_tool": replace(rec.asking("Weather in Paris?"), tools=(TOOL,)),
        "chat_tool_result": rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1"),
        "chat_vision": rec.asking("What is this?", rec.pixel()),
        "chat_json_schema": SCHEMA,
        "v1_chat": CHAT,
    }
    ours = asked(HOST, calls[name], "my-gpt-deployment", stream="stream" in name)
    recorded = rec.recorded(rec.calls("azure_openai")[name], without=("tool_choice",))
    assert (ours.path, ours.query, ours.body) == ("/openai/v1/chat/completions", "", recorded.body)
    assert (ours.headers["api-key"], "authorization" in ours.headers) == ("dummy", False)
    rec.valid(ID, "AzureCreateChatCompletionRequest", ours.body)


def test_on_v1_knobs_go_by_the_model() -> None:
    call = replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64))
    assert asked(HOST, call, "DeepSeek-V4-Pro").body.items() >= {"max_tokens": 64, "temperature": 0.2}.items()
    assert asked(HOST, call, "gpt-5.4").body["max_completion_tokens"] == 64


@pytest.mark.parametrize(
    ("name", "call"),
    [("chat", CHAT), ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)))],
)
def test_a_request_to_claude_is_that_of_anthropics_client(name: str, call: ChatCall) -> None:
    call = replace(call, knobs=Knobs(max_tokens=64))
    ours = asked(f"{HOST}/anthropic", call, "claude-sonnet-4-5", stream="stream" in name)
    assert ours == theirs(name, "sdk_requests.claude_foundry.json", without=("tool_choice",))
    rec.valid("anthropic", "CreateMessageParams", ours.body)
    assert rec.signed(ADAPTER, at(f"{HOST}/anthropic"))["anthropic-version"] == "2023-06-01"


VERSION = "api-version=2024-05-01-preview"


@pytest.mark.parametrize(
    ("endpoint", "path", "query"),
    [
        (HOST, "/openai/v1/chat/completions", ""),
        (f"{HOST}/", "/openai/v1/chat/completions", ""),
        (f"{HOST}/openai/v1/", "/openai/v1/chat/completions", ""),
        (f"{HOST}/openai/v1/chat/completions", "/openai/v1/chat/completions", ""),
        (f"{HOST}/api/projects/p", "/openai/v1/chat/completions", ""),
        ("https://r.openai.azure.com", "/openai/v1/chat/completions", ""),
        ("https://gate.example/deep/openai/v1", "/deep/openai/v1/chat/completions", ""),
        (f"{HOST}/models", "/models/chat/completions", VERSION),
        (f"{HOST}/models/chat/completions?api-version=2024-05-01-preview", "/models/chat/completions", VERSION),
        (SINGLE, "/chat/completions", VERSION),
        (f"{SINGLE}/v1/chat/completions", "/chat/completions", VERSION),
        (f"{SINGLE}/?x=y", "/chat/completions", VERSION),
        ("https://models.example", "/chat/completions", VERSION),
        ("https://r.services.ai.azure.com.evil.example", "/chat/completions", VERSION),
        (f"{HOST}/anthropic/v1/messages", "/anthropic/v1/messages", ""),
    ],
)
def test_an_endpoint_tells_what_is_spoken_there(endpoint: str, path: str, query: str) -> None:
    ours = asked(endpoint, CHAT, "m")
    assert (ours.path, ours.query) == (path, query)


def test_a_host_of_a_single_model_gets_the_key_both_ways() -> None:
    ours = asked(SINGLE, CHAT, "m")
    assert (ours.headers["authorization"], ours.headers["api-key"]) == ("Bearer dummy", "dummy")


@pytest.mark.parametrize(
    ("file", "name"), [("sdk_requests.json", "chat"), ("sdk_requests.claude_foundry.json", "chat")]
)
def test_a_whole_answer_is_read_whatever_its_shape(file: str, name: str) -> None:
    answer = rec.answered(ID, rec.calls(ID, file)[name]["reply_replayed"]["body"])
    assert (answer.text, answer.finish.unified) == ("Hi.", Finish.STOP)
    assert (answer.usage.input, answer.usage.output) == (12, 3)


@pytest.mark.parametrize(
    ("file", "call_id", "said"),
    [("sdk_requests.json", "call_1", ""), ("sdk_requests.claude_foundry.json", "toolu_1", "Let me check.")],
)
def test_a_streamed_tool_call_is_read_whatever_its_shape(file: str, call_id: str, said: str) -> None:
    answer = rec.split_in_all_ways(ID, rec.calls(ID, file)["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.text == said
    assert answer.tool_calls == (ToolCall(call_id, "get_weather", '{"city":"Paris"}'),)
    assert answer.finish.unified is Finish.TOOL_CALLS


USED = {"prompt_tokens": 11, "total_tokens": 897, "completion_tokens": 886}


def test_thoughts_are_told_apart_where_the_api_does() -> None:
    """The examples, cut short, of MicrosoftDocs/azure-ai-docs at 19b30ff1, use-chat-reasoning/rest.md; before the
    versions of 2025 thoughts stand in the text.
    """
    message = {"role": "assistant", "content": "About 7,000.", "reasoning_content": "Okay, the user"}
    body = {"model": "DeepSeek-R1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    whole = rec.answered(ID, {**body, "usage": USED})
    assert (whole.reasoning, whole.text, whole.usage.output) == ("Okay, the user", "About 7,000.", 886)
    deltas = [{"role": "assistant", "content": "", "reasoning_content": "Okay, the user"}, {"content": "About 7,000."}]
    pieces = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    end = {"index": 0, "delta": {"content": "", "reasoning_content": ""}, "finish_reason": "stop", "logprobs": None}
    assert rec.split_in_all_ways(ID, rec.events(*pieces, {"choices": [end], "usage": USED})) == whole
    before = {**message, "content": "<think>\nOkay\n</think>\n\nAbout 7,000."}
    del before["reasoning_content"]
    assert rec.answered(ID, {"choices": [{"message": before, "finish_reason": "stop"}]}).text == before["content"]


def test_a_stream_without_a_frame_is_broken() -> None:
    with pytest.raises(StreamBroken):
        rec.streamed(ID, ": ping\n\n")


def test_an_embedding_request_is_the_sdks() -> None:
    ours = rec.embedded(ID, at(f"{HOST}/models"), "embed-v-4-0", EmbedCall(("hello",)), HEADERS)
    assert ours == theirs("embedding")
    rec.valid(ID, "EmbeddingsOptions", ours.body)
    query = EmbedCall(("hello",), purpose=EmbedPurpose.QUERY)
    assert rec.embedded(ID, at(SINGLE), "m", query).body["input_type"] == "query"


def test_on_v1_embeddings_have_no_purpose() -> None:
    ours = rec.embedded(ID, at(HOST), "embed-v-4-0", EmbedCall(("hello",), dimensions=256))
    assert (ours.path, ours.query) == ("/openai/v1/embeddings", "")
    assert ours.body == {"model": "embed-v-4-0", "input": ["hello"], "dimensions": 256}
    rec.valid(ID, "AzureCreateEmbeddingRequest", ours.body)


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, rec.calls(ID)["embedding"]["reply_replayed"]["body"], 1)
    assert (answer.vectors, answer.usage.input) == (((0.1, 0.2),), 1)


RERANK = ModelType.RERANK


def ranked(endpoint: str) -> rec.Sent:
    assert ADAPTER.rerank
    goal = rec.target(ID, "cohere-rerank-v4.0-pro", {"endpoint": endpoint, "jwt_token": "dummy"}, RERANK)
    request = ADAPTER.rerank.render(goal, RerankCall("q", ("a", "b"), top_n=1))
    return rec.sent(ADAPTER, goal.form, request, HEADERS)


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        (HOST, "/providers/cohere/v2/rerank"),
        (f"{HOST}/providers/cohere/v2/rerank", "/providers/cohere/v2/rerank"),
        (f"{HOST}/models", "/providers/cohere/v2/rerank"),
        (SINGLE, "/v2/rerank"),
        (f"{SINGLE}/", "/v2/rerank"),
        (f"{SINGLE}/v1/rerank", "/v1/rerank"),
        (f"{SINGLE}/v2/rerank?x=y", "/v2/rerank"),
    ],
)
def test_documents_are_ranked_where_the_endpoint_has_it(endpoint: str, path: str) -> None:
    ours = ranked(endpoint)
    assert (ours.method, ours.path, ours.query) == ("POST", path, "")
    assert ours.body == {"model": "cohere-rerank-v4.0-pro", "query": "q", "documents": ["a", "b"], "top_n": 2}
    assert (ours.headers["authorization"], ours.headers["api-key"]) == ("Bearer dummy", "dummy")
    rec.valid(ID, "V2RerankRequest", ours.body)


def test_a_ranking_is_asked_for_as_its_makers_client_does() -> None:
    """Which docs.cohere.com/docs/cohere-on-microsoft-azure points to a host of its own."""
    theirs = rec.recorded(rec.calls("cohere")["rerank"], headers=("authorization", "content-type"))
    call = RerankCall(theirs.body["query"], tuple(theirs.body["documents"]))
    goal = rec.target(ID, theirs.body["model"], {"endpoint": SINGLE, "jwt_token": "dummy"}, RERANK)
    assert ADAPTER.rerank
    request = ADAPTER.rerank.render(goal, call)
    assert rec.sent(ADAPTER, goal.form, request, ("authorization", "content-type")) == theirs


def test_a_ranking_is_read_best_first() -> None:
    assert ADAPTER.rerank
    results = [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}]
    answer = ADAPTER.rerank.parse({"results": results, "meta": {"billed_units": {"search_units": 1}}}, 2)
    assert answer.results == (Ranked(0, 0.9), Ranked(1, 0.2))
    assert (answer.usage.input, answer.usage.raw) == (None, {"search_units": 1})


def error(code: str, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, **more}}


BUSY = error("429", "Rate limit is exceeded. Try again in 7 seconds.")
CLAUDE = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, rec.calls(ID)["error_401"]["reply_replayed"]["body"], CredentialRejected),
        (401, {"detail": "Invalid token"}, CredentialRejected),
        (403, error("Forbidden", "The principal lacks a role."), CredentialRejected),
        (404, error("DeploymentNotFound", "The API deployment does not exist."), ModelNotFoundUpstream),
        (404, "Not Found", BadRequestUpstream),
        (400, error("content_filter", "The response was filtered."), ContentRefused),
        (422, error("Invalid input", "invalid input error", details=[{"loc": ["seed"]}]), BadRequestUpstream),
        (424, error("FailedDependency", "The model failed."), UpstreamUnavailable),
        (429, BUSY, UpstreamRateLimited),
        (529, CLAUDE, UpstreamUnavailable),
        (500, "Internal Server Error", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.detail in json.dumps(body)


def test_a_wait_is_told() -> None:
    assert rec.refused(ID, 429, BUSY, {"retry-after": "7"}).retry_after == 7


@pytest.mark.parametrize(
    ("frame", "status"),
    [(f"data: {json.dumps(BUSY)}\n\n", 429), (f"event: error\ndata: {json.dumps(CLAUDE)}\n\n", 529)],
)
def test_a_refusal_inside_a_stream_has_the_status_that_it_names(frame: str, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        rec.streamed(ID, frame)
    assert caught.value.status == status


@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(kind: ModelType, path: str) -> None:
    ours = client.probed(ID, at(HOST), kind)
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", f"/openai/v1/{path}", "mine")


def test_the_probe_ranks_one_document_with_the_very_model() -> None:
    ours = client.probed(ID, {"endpoint": SINGLE, "jwt_token": "dummy"}, RERANK)
    assert (ours.path, ours.body["model"], ours.body["top_n"]) == ("/v2/rerank", "mine", 1)


def test_each_type_has_its_own_secret() -> None:
    with pytest.raises(InvalidForm):
        rec.target(ID, "m", at(HOST), RERANK)
    with pytest.raises(InvalidForm):
        rec.target(ID, "m", {"endpoint": HOST, "jwt_token": "dummy"})


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "128000", "function_call_support": "true", "reasoning_support": "true"}
    row = ADAPTER.provider().hosted(ModelRef(ID, "m", ModelType.LLM), {**public, "vision_support": "false"})
    assert row.features == {Feature.TOOLS, Feature.REASONING, Feature.STREAMING}
    assert row.context == 128_000
