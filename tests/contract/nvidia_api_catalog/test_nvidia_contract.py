"""NVIDIA's API catalogue: requests as the documented client (sdk_requests.json: openai for Python 3.54.0) and NVIDIA's
own (sdk_requests_langchain_nvidia.json: langchain-nvidia-ai-endpoints 1.5.0) send them; answers that the latter took
are held in ../nvidia_nim, rankings in ../test_reranking.py; refusals as quoted in the issues named beside them.

Of NVIDIA's client these are left out of the comparison: `stream: false`, which is the default and not sent, the limit
of 1,024 tokens that it adds, and that it lets documents be cut (`truncate: END`) where we have them refused.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
)
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "nvidia_api_catalog"
OWN = "sdk_requests_langchain_nvidia.json"
FORM = {"api_key": "<key>"}
PASSAGES = EmbedCall(("a", "b"))
QUERY = EmbedCall(("a",), purpose=EmbedPurpose.QUERY)


def own(name: str, *without: str) -> Any:
    return rec.recorded(rec.calls(ID, OWN)[name], without=without).body


@pytest.mark.parametrize(
    ("name", "call", "without"),
    [
        ("ChatNVIDIA.invoke", replace(rec.asking("Hello"), knobs=Knobs(0.2, 0.9, 64)), ["stream"]),
        ("ChatNVIDIA.stream with tool", replace(rec.asking("Weather in Tokyo?"), tools=(client.TOOL,)), ["max_tokens"]),
        ("ChatNVIDIA vision", rec.asking("What?", rec.pixel()), ["stream", "max_tokens"]),
    ],
)
def test_a_chat_request_is_that_of_the_vendors_own_client(name: str, call: ChatCall, without: list[str]) -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    theirs = own(name, *without)
    request = dialect.render(rec.target(ID, theirs["model"], FORM), call, stream="stream" in name)
    assert request.json == theirs


@pytest.mark.parametrize(("name", "call"), [("passage", PASSAGES), ("query", QUERY)])
def test_an_embedding_request_is_the_clients(name: str, call: EmbedCall) -> None:
    assert client.embed(ID, f"embeddings.create {name}", FORM, call) == client.theirs(ID, f"embeddings.create {name}")


def test_an_embedding_request_is_that_of_the_vendors_own_client() -> None:
    passages = client.embed(ID, "embeddings.create passage", FORM, PASSAGES).body
    assert {**passages, "truncate": "END"} == own("NVIDIAEmbeddings.embed_documents")
    assert client.embed(ID, "embeddings.create query", FORM, QUERY).body == own("NVIDIAEmbeddings.embed_query")


def test_vectors_come_in_the_order_of_the_texts() -> None:
    """Inferred."""
    rows = [{"object": "embedding", "index": i, "embedding": [i, 0.5]} for i in (1, 0)]
    assert rec.vectors(ID, {"object": "list", "data": rows}, 2).vectors == ((0.0, 0.5), (1.0, 0.5))


GONE = "The model 'x/y' has reached its end of life on 2026-08-07T09:00:00Z and is no longer available."
CLOSED = "Function '12345678-b123-12a3-1221-123456789123': Not found for account 'Ab1'"
UNSAID = "'input_type' parameter is required for asymmetric models"


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        # dmMaze/BallonsTranslator#1233
        (403, {"status": 403, "title": "Forbidden", "detail": "Authorization failed"}, CredentialRejected),
        # Alishahryar1/free-claude-code#956
        (404, {"status": 404, "title": "Not Found", "detail": CLOSED}, ModelNotFoundUpstream),
        # NVIDIA/NemoClaw#11902
        (410, {"type": "about:blank", "title": "Gone", "status": 410, "detail": GONE}, ModelNotFoundUpstream),
        # CherryHQ/cherry-studio#16818
        (400, {"error": UNSAID}, BadRequestUpstream),
        # Inferred
        (404, {"status": 404, "title": "Not Found", "detail": "No such page"}, BadRequestUpstream),
        (402, {"status": 402, "title": "Payment Required", "detail": "Out of credits"}, UpstreamPaymentRequired),
        (429, {"status": 429, "title": "Too Many Requests"}, UpstreamRateLimited),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.provider, failure.status) == (meaning, ID, status)
    assert failure.detail == body.get("detail", body.get("error", ""))


@pytest.mark.parametrize("chosen", [None, "openai/gpt-oss-20b"])
def test_the_probe_is_a_chat_with_a_model_of_the_tenants_choice(chosen: str | None) -> None:
    ours = client.probed(ID, {**FORM, **({"validate_model": chosen} if chosen else {})})
    assert (ours.method, ours.path) == ("POST", "/v1/chat/completions")
    assert (ours.body["model"], ours.body["max_tokens"]) == (chosen or "meta/llama-3.1-8b-instruct", 5)


def test_the_key_goes_to_the_vendors_own_address_only() -> None:
    form = rec.target(ID, "x", FORM).form
    assert ADAPTERS[ID].base_url(form) == "https://integrate.api.nvidia.com/v1"
    assert rec.signed(ADAPTERS[ID], form)["authorization"] == "Bearer <key>"
