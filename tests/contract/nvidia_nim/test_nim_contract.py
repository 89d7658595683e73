"""NVIDIA NIM: requests as the documented client sends them (sdk_requests.json) and as OpenAI's OpenAPI wants them, and
those of the retriever as NVIDIA's own client sends them to a container (sdk_requests_langchain_nvidia.json:
langchain-nvidia-ai-endpoints 1.5.0). Answers are those that this client accepted, which we read as it does, from a
container and from NVIDIA's API catalogue; the whole one is a container's, as redhat-na-ssa/nvaie-guide at 0cd18f48
shows it (docs/software/nim.md). Of the refusals the first is shortened from ai-dynamo/aiperf#507, the second from
free-claude-code#391, the rest are inferred from vLLM. Chats are held in ../test_openai_chats.py, rankings in
../test_reranking.py.
"""

import json
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.rerank import RerankCall
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "nvidia_nim"
FORM = {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"}
DOORS = [ID, "nvidia_api_catalog"]
OWN = rec.calls(ID, "sdk_requests_langchain_nvidia.json")


def reply(name: str) -> Any:
    """A text for a stream, else JSON."""
    replayed = OWN[name]["reply_replayed"]
    return replayed.get("text") or replayed["body"]


@pytest.mark.parametrize("provider", DOORS)
@pytest.mark.parametrize("name", [name for name in OWN if name.startswith("ChatNVIDIA")])
def test_an_answer_is_read_as_by_the_vendors_own_client(name: str, provider: str) -> None:
    theirs, body = OWN[name]["sdk_result"], reply(name)
    answer = rec.split_in_all_ways(provider, body) if "stream" in name else rec.answered(provider, body)
    assert (answer.text, answer.reasoning) == (theirs["content"], theirs["reasoning"] or "")
    calls = [{"name": call.name, "args": json.loads(call.arguments), "id": call.id} for call in answer.tool_calls]
    assert calls == theirs["tool_calls"]
    assert answer.finish.raw == theirs["finish_reason"]
    assert [answer.usage.input, answer.usage.output] == theirs["usage"]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("NVIDIAEmbeddings.embed_documents", EmbedCall(("a", "b"))),
        ("NVIDIAEmbeddings.embed_query", EmbedCall(("a",), purpose=EmbedPurpose.QUERY)),
    ],
)
def test_an_embedding_is_asked_for_and_read_as_by_the_vendors_own_client(name: str, call: EmbedCall) -> None:
    theirs = rec.recorded(OWN[name], headers=client.HEADERS)
    assert rec.embedded(ID, FORM, theirs.body["model"], call, client.HEADERS) == theirs
    for provider in DOORS:
        answer = rec.vectors(provider, reply(name), len(call.texts))
        assert answer.vectors[0] == (0.1, 0.2, 0.3)
        assert answer.usage.input == 4 * len(call.texts)


def test_a_ranking_is_asked_for_and_read_as_by_the_vendors_own_client() -> None:
    name, adapter = "NVIDIARerank.compress_documents", ADAPTERS[ID]
    assert adapter.rerank
    theirs, call = rec.recorded(OWN[name], headers=client.HEADERS), RerankCall("q", ("a", "b"))
    goal = rec.target(ID, theirs.body["model"], FORM, ModelType.RERANK)
    assert rec.sent(adapter, goal.form, adapter.rerank.render(goal, call), client.HEADERS) == theirs
    ranked = adapter.rerank.parse(reply(name), 2).results
    assert [[call.documents[each.index], each.score] for each in ranked] == OWN[name]["sdk_result"]


EXTRA = "[{'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted'}]"
LONG = "This model's maximum context length is 196608 tokens. However, your messages resulted in 199906 tokens."


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (
            400,
            {"object": "error", "message": EXTRA, "type": "BadRequestError", "code": 400},
            BadRequestUpstream,
        ),  # aiperf
        (400, {"error": {"message": LONG, "type": "Bad Request", "code": 400}}, ContextTooLong),
        (400, {"object": "error", "message": LONG, "type": "BadRequestError", "code": 400}, ContextTooLong),
        (401, {"error": "Unauthorized"}, CredentialRejected),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, ModelNotFoundUpstream),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}, BadRequestUpstream),
        (503, "", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert bool(failure.detail) is bool(body)


def test_the_probe_calls_the_very_model() -> None:
    ours = client.probed(ID, FORM)
    assert (ours.method, ours.path, ours.headers["authorization"]) == ("POST", "/v1/chat/completions", "Bearer <key>")
    assert (ours.body["model"], ours.body["max_tokens"]) == ("mine", 5)


@pytest.mark.parametrize(("kind", "path"), [(ModelType.EMBEDDING, "embeddings"), (ModelType.RERANK, "ranking")])
def test_a_retriever_is_proved_by_its_own_work(kind: ModelType, path: str) -> None:
    ours = client.probed(ID, FORM, kind)
    assert (ours.path, ours.body["model"]) == (f"/v1/{path}", "mine")


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1/"])
def test_a_container_without_a_proxy_needs_an_address_only(base: str) -> None:
    ours = client.probed(ID, {"endpoint_url": base})
    assert ours.path == "/v1/chat/completions"
    assert "authorization" not in ours.headers


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "131072", "max_tokens_to_sample": "8192", "function_calling_type": "tool_call"}
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "meta/llama-3.1-8b-instruct", ModelType.LLM), public)
    assert (row.context, row.max_output, row.features) == (131072, 8192, frozenset({Feature.TOOLS, Feature.STREAMING}))
