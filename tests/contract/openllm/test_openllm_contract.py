"""OpenLLM: requests as the client that its README names sends them (sdk_requests.json, sdk_requests_embeddings.json),
and as OpenAI's OpenAPI wants them; answers in the shapes of vLLM, which it runs, and vectors as llama.cpp gave them.
Refusals are vLLM's of today (ErrorResponse in vllm/entrypoints/openai/engine/protocol.py at d7e5252) and of old, flat.
"""

import json
from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import EmbedCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

ID = "openllm"
FORM = FORMS[ID]
LLAMA = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_embeddings.json")


@pytest.mark.parametrize("name", client.EMBEDS)
def test_an_embedding_request_is_the_clients_but_for_its_encoding(name: str) -> None:
    call = rec.calls(ID, "sdk_requests_embeddings.json")[name]
    theirs = rec.recorded(call, without={"encoding_format"}, headers=client.HEADERS)
    ours = rec.embedded(ID, FORM, theirs.body["model"], client.EMBEDS[name], client.HEADERS)
    assert ours == theirs
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, LLAMA["embed_two"]["json"], 2)
    assert [len(vector) for vector in answer.vectors] == [64, 64]
    assert (answer.usage.input, answer.usage.output) == (5, 0)


def vllm(code: int, kind: str, message: str) -> Any:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


def nested(code: int, kind: str, message: str) -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


LONG = "This model's maximum context length is 2048 tokens. However, you requested 4096 tokens."


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, {"error": "Unauthorized"}, errors.CredentialRejected),
        (400, nested(400, "BadRequestError", LONG), errors.ContextTooLong),
        (400, nested(400, "BadRequestError", "top_p must be in (0, 1], got 2.0."), errors.BadRequestUpstream),
        (404, nested(404, "NotFoundError", "The model `x` does not exist."), errors.ModelNotFoundUpstream),
        (500, nested(500, "InternalServerError", "EngineCore encountered an issue."), errors.UpstreamUnavailable),
        (400, vllm(400, "BadRequestError", LONG), errors.ContextTooLong),
        (400, vllm(400, "BadRequestError", "temperature must be non-negative"), errors.BadRequestUpstream),
        (404, vllm(404, "NotFoundError", "The model `x` does not exist."), errors.ModelNotFoundUpstream),
        (429, {"error": "Too many requests"}, errors.UpstreamRateLimited),
        (503, {"error": "Service Busy"}, errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    said = body.get("error", body)
    assert failure.detail == (said if isinstance(said, str) else said["message"])


def test_a_refusal_inside_a_stream_has_the_status_that_it_names() -> None:
    with pytest.raises(errors.ContextTooLong) as caught:
        rec.streamed(ID, f"data: {json.dumps({'error': vllm(400, 'BadRequestError', LONG)})}\n\n")
    assert caught.value.status == 400


@pytest.mark.parametrize("base", ["http://127.0.0.1:3000", "http://127.0.0.1:3000/", "http://127.0.0.1:3000/v1"])
@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(base: str, kind: ModelType, path: str) -> None:
    ours = client.probed(ID, {"server_url": base}, kind)
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", f"/v1/{path}", "mine")
    assert "authorization" not in ours.headers


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "8192", "function_calling_type": "tool_call"}
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "llama3.2:1b", ModelType.LLM), public)
    assert (row.context, row.features) == (8192, frozenset({Feature.TOOLS, Feature.STREAMING}))


def test_one_request_carries_few_texts() -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, "bge", FORM, ModelType.EMBEDDING)) == 32
    assert rec.embedded(ID, FORM, "bge", EmbedCall(("a",))).path == "/v1/embeddings"
