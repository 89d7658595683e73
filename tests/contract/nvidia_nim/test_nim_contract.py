"""NVIDIA NIM: requests as the documented client sends them (sdk_requests.json) and as OpenAI's OpenAPI wants them,
those of the retriever as NVIDIA's own client sends them to a container (../nvidia_api_catalog: langchain-nvidia 1.5.0).
The answer of a chat is a container's, as redhat-na-ssa/nvaie-guide at 0cd18f48 shows it (docs/software/nim.md), vectors
come in the shape with which NVIDIA's client is tested, and streams in that of OpenAI's reference (inferred). Of the
refusals the first is shortened from ai-dynamo/aiperf#507, the second from free-claude-code#391, the rest are inferred
from vLLM. Chats are held in ../test_openai_chats.py, rankings in ../test_reranking.py.

Left out of the comparison: that NVIDIA's client lets documents be cut (`truncate: END`) where we have them refused.
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
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from domain.model.rerank import RerankCall
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "nvidia_nim"
OWN = ("nvidia_api_catalog", "sdk_requests_langchain_nvidia.json")
FORM = {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"}


def own(name: str) -> rec.Sent:
    return rec.recorded(rec.calls(*OWN)[name], headers=client.HEADERS)


@pytest.mark.parametrize(
    ("name", "call", "cut"),
    [
        ("NVIDIAEmbeddings.embed_documents", EmbedCall(("a", "b")), {"truncate": "END"}),
        ("NVIDIAEmbeddings.embed_query", EmbedCall(("a",), purpose=EmbedPurpose.QUERY), {}),
    ],
)
def test_an_embedding_request_is_that_of_the_vendors_own_client(
    name: str, call: EmbedCall, cut: dict[str, str]
) -> None:
    theirs = own(name)
    ours = rec.embedded(ID, FORM, theirs.body["model"], call, client.HEADERS)
    assert replace(ours, body=ours.body | cut) == theirs


def test_a_ranking_request_is_that_of_the_vendors_own_client() -> None:
    theirs, adapter = own("NVIDIARerank.compress_documents"), ADAPTERS[ID]
    assert adapter.rerank
    goal = rec.target(ID, theirs.body["model"], FORM, ModelType.RERANK)
    request = adapter.rerank.render(goal, RerankCall("q", ("a", "b")))
    assert rec.sent(adapter, goal.form, request, client.HEADERS) == theirs


def test_vectors_are_read() -> None:
    """langchain-ai/langchain-nvidia at 47a96a45, libs/ai-endpoints/tests/unit_tests/test_embeddings.py."""
    rows = [{"embedding": [0.1, 0.2, 0.3], "index": 0}]
    answer = rec.vectors(ID, {"data": rows, "usage": {"prompt_tokens": 8, "total_tokens": 8}}, 1)
    assert (answer.vectors, answer.usage.input, answer.usage.output) == (((0.1, 0.2, 0.3),), 8, 0)


def test_the_answer_of_a_container_is_read() -> None:
    message = {"role": "assistant", "content": "Hello! How can I assist you today?"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    body = {
        "id": "chat-7badc43d2979411c86b70937861ae104",
        "object": "chat.completion",
        "created": 1743615706,
        "model": "meta/llama-3.1-8b-instruct",
        "choices": [choice],
        "usage": {"prompt_tokens": 12, "total_tokens": 21, "completion_tokens": 9},
        "prompt_logprobs": None,
    }
    answer = rec.answered(ID, body)
    assert (answer.text, answer.finish) == (message["content"], FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (12, 9)


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
