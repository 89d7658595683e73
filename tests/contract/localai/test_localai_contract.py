"""LocalAI: requests as the documented client sends them (sdk_requests.json) and as its own OpenAPI wants them
(request_schemas.json, which has no `dimensions`); answers with the fields of that OpenAPI; refusals from its error
reference (localai.io/reference/api-errors), and from llama.cpp, its usual backend.
"""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    UpstreamError,
    UpstreamUnavailable,
)
from domain.model.catalogue import Feature, ModelRef, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "localai"
FORM = {"server_url": "http://127.0.0.1:8080", "api_key": "<key>"}
LLAMA = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_embeddings.json")
KNOWN = rec.load(ID, "request_schemas.json")["components"]["schemas"]["schema.OpenAIRequest"]["properties"]


def fits(ours: rec.Sent) -> None:
    """Nothing in the body that the server's own schema does not name."""
    rec.valid(ID, "schema.OpenAIRequest", ours.body)
    assert ours.body.keys() <= KNOWN.keys() | {"dimensions"}


@pytest.mark.parametrize("name", client.CHATS)
def test_a_chat_request_fits_the_servers_own_schema(name: str) -> None:
    fits(client.chat(ID, name, FORM))


@pytest.mark.parametrize("name", client.EMBEDS)
def test_an_embedding_request_is_the_clients_but_for_its_encoding(name: str) -> None:
    ours = client.embed(ID, name, FORM)
    assert ours == client.theirs(ID, name, frozenset({"encoding_format"}))
    fits(ours)


def test_vectors_are_read() -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    answer = dialect.parse(LLAMA["embed_two"]["json"], 2)
    assert [len(vector) for vector in answer.vectors] == [64, 64]
    assert (answer.usage.input, answer.usage.output) == (5, 0)


def error(code: int, message: str, kind: str = "") -> Any:
    return {"error": {"code": code, "message": message, "type": kind}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error(401, "An authentication key is required", "invalid_request_error"), CredentialRejected),
        (401, "", CredentialRejected),  # its opaque errors have no body
        (400, error(400, "Bad Request"), BadRequestUpstream),
        (404, error(404, "Resource not found"), BadRequestUpstream),
        (422, error(422, "top_n - should be greater than or equal to 1"), BadRequestUpstream),
        (500, LLAMA["embed_too_long"]["json"], ContextTooLong),
        (500, error(500, "Internal Server Error"), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.detail == (body["error"]["message"] if body else "")


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"])
@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(base: str, kind: ModelType, path: str) -> None:
    ours = client.probed(ID, {"server_url": base}, kind)
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", f"/v1/{path}", "mine")
    assert "authorization" not in ours.headers


def test_the_form_describes_the_model() -> None:
    provider = ADAPTERS[ID].provider()
    silent = provider.hosted(ModelRef(ID, "gpt-4", ModelType.LLM), {})
    assert (silent.context, silent.features) == (None, frozenset({Feature.STREAMING}))
    told = provider.hosted(ModelRef(ID, "gpt-4", ModelType.LLM), {"context_size": "4096", "vision_support": "support"})
    assert (told.context, told.features) == (4096, frozenset({Feature.VISION, Feature.STREAMING}))
