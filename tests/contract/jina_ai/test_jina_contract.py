"""Jina AI, which has no client of its own for these calls: requests satisfy the OpenAPI that its API serves
(request_schemas.json: the mirror tryAGI/Jina at 2a3f424f) and have no field that it does not know; answers have the
shapes and examples, refusals the codes and texts, of the same.
"""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import ModelType
from domain.model.rerank import Ranked, RerankCall
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "jina_ai"
ADAPTER = ADAPTERS[ID]
FORM = {"api_key": "jina_dummy"}
HEADERS = ("authorization", "content-type", "accept")
EXPECTED = {"authorization": "Bearer jina_dummy", "content-type": "application/json", "accept": "application/json"}
FAMILIES: list[tuple[str, str, str | None, str | None]] = [
    ("jina-embeddings-v5-text-small", "EmbeddingsV5Request", "retrieval.query", "retrieval.passage"),
    ("jina-embeddings-v5-text-nano", "EmbeddingsV5Request", "retrieval.query", "retrieval.passage"),
    ("jina-embeddings-v4", "EmbeddingsV4Request", "retrieval.query", "retrieval.passage"),
    ("jina-embeddings-v3", "EmbeddingsV3Request", "retrieval.query", "retrieval.passage"),
    ("jina-embeddings-v2-base-en", "EmbeddingsV2Request", None, None),
    ("jina-clip-v1", "ClipV1Request", None, None),
    ("jina-clip-v2", "ClipV2Request", "retrieval.query", None),
    ("jina-code-embeddings-0.5b", "CodeEmbeddings500MRequest", "nl2code.query", "nl2code.passage"),
    ("jina-code-embeddings-1.5b", "CodeEmbeddings1500MRequest", "nl2code.query", "nl2code.passage"),
]


def conforms(schema: str, body: Any) -> None:
    """Satisfies the schema, and has no field that it does not know."""
    rec.valid(ID, schema, body)
    known = rec.load(ID, "request_schemas.json")["components"]["schemas"][schema]["properties"]
    assert body.keys() <= known.keys()


@pytest.mark.parametrize(("model", "schema", "query", "document"), FAMILIES, ids=[f[0] for f in FAMILIES])
def test_texts_are_embedded_for_their_purpose(model: str, schema: str, query: str | None, document: str | None) -> None:
    for purpose, task in ((EmbedPurpose.QUERY, query), (EmbedPurpose.DOCUMENT, document)):
        ours = rec.embedded(ID, FORM, model, EmbedCall(("a", "b"), purpose=purpose), HEADERS)
        conforms(schema, ours.body)
        assert (ours.method, ours.path, ours.headers) == ("POST", "/v1/embeddings", EXPECTED)
        assert (ours.body["input"], ours.body.get("task")) == (["a", "b"], task)


def test_shorter_vectors_are_asked_for_by_their_length() -> None:
    body = rec.embedded(ID, FORM, "jina-embeddings-v3", EmbedCall(("a",), dimensions=512)).body
    conforms("EmbeddingsV3Request", body)
    assert body["dimensions"] == 512


@pytest.mark.parametrize(
    ("model", "schema"),
    [
        ("jina-reranker-v3", "RerankerV3Request"),
        ("jina-reranker-m0", "RerankerM0Request"),
        ("jina-reranker-v2-base-multilingual", "TextRerankerRequest"),
        ("jina-colbert-v2", "TextRerankerRequest"),
    ],
)
def test_all_documents_are_ranked_and_none_is_sent_back(model: str, schema: str) -> None:
    assert ADAPTER.rerank
    goal = rec.target(ID, model, FORM, ModelType.RERANK)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.rerank.render(goal, RerankCall("q", ("a", "b"), top_n=1)), HEADERS)
    conforms(schema, ours.body)
    assert (ours.path, ours.headers) == ("/v1/rerank", EXPECTED)
    assert (ours.body["top_n"], ours.body["return_documents"]) == (2, False)


def test_vectors_are_read_by_their_index() -> None:
    data = [{"object": "embedding", "index": i, "embedding": [float(i), 0.5]} for i in (1, 0)]
    body = {"model": "jina-embeddings-v3", "object": "list", "data": data, "usage": {"total_tokens": 3}}
    rec.valid(ID, "EmbeddingResponse", body)
    answer = rec.vectors(ID, body, 2)
    assert answer.vectors == ((0.0, 0.5), (1.0, 0.5))
    assert (answer.usage.input, answer.usage.output) == (3, 0)


@pytest.mark.parametrize(
    "row", [{"embeddings": [[0.1], [0.2]]}, {"embedding": {"hello": 1.2}}], ids=["several vectors", "sparse"]
)
def test_vectors_of_another_kind_are_refused(row: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, {"data": [{"object": "embedding", "index": 0, **row}]}, 1)


def test_a_ranking_is_read_whatever_the_scores_range() -> None:
    results = [{"index": 1, "relevance_score": 1.2}, {"index": 0, "relevance_score": -0.3}]
    body = {"model": "jina-reranker-v3", "object": "list", "results": results, "usage": {"total_tokens": 15}}
    rec.valid(ID, "RerankingResponse", body)
    assert ADAPTER.rerank
    answer = ADAPTER.rerank.parse(body, 2)
    assert answer.results == (Ranked(1, 1.2), Ranked(0, -0.3))
    assert (answer.usage.input, answer.usage.output) == (15, 0)


def test_a_list_of_models_has_the_names_that_calls_take() -> None:
    """The example of the OpenAPI, whose ids have the maker before them."""
    rows = [{"id": f"jina-ai/{name}", "context_length": 8192} for name in ("jina-embeddings-v3", "jina-reranker-v3")]
    assert ADAPTER.models
    assert ADAPTER.models.parse({"data": [*rows, {"id": "jina-vlm"}]}).models == (
        ListedModel("jina-embeddings-v3", ModelType.EMBEDDING, 8192),
        ListedModel("jina-reranker-v3", ModelType.RERANK, 8192),
        ListedModel("jina-vlm"),
    )


def test_the_probe_embeds_one_word() -> None:
    ours = rec.probed(ID, FORM, HEADERS)
    conforms("EmbeddingsV3Request", ours.body)
    assert (ours.path, ours.headers, ours.body["input"]) == ("/v1/embeddings", EXPECTED, ["ping"])


def test_an_own_server_has_its_own_address() -> None:
    form = rec.target(ID, "x", {**FORM, "base_url": "http://127.0.0.1:8080/v1/"}).form
    assert ADAPTER.base_url(form) == "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, "AUTH_INVALID_API_KEY", CredentialRejected),
        (401, "AUTH_MISSING_API_KEY", CredentialRejected),
        (401, "AUTH_INVALID_FORMAT", CredentialRejected),
        (403, "AUTHZ_INSUFFICIENT_BALANCE", UpstreamPaymentRequired),
        (403, "AUTHZ_RESOURCE_LIMIT_EXCEEDED", UpstreamPaymentRequired),
        (402, "", UpstreamPaymentRequired),
        (400, "INPUT_MODEL_NOT_FOUND", ModelNotFoundUpstream),
        (400, "INPUT_INVALID_LABELS", BadRequestUpstream),
        (409, "CONFLICT_RESOURCE_BUSY", UpstreamUnavailable),
        (429, "RATE_REQUEST_LIMIT_EXCEEDED", UpstreamRateLimited),
        (429, "RATE_TOKEN_LIMIT_EXCEEDED", UpstreamRateLimited),
        (429, "RATE_CONCURRENCY_LIMIT_EXCEEDED", UpstreamRateLimited),
        (500, "INTERNAL_ERROR", UpstreamUnavailable),
        (503, "SERVICE_UNAVAILABLE", UpstreamUnavailable),
        (504, "SERVICE_TIMEOUT", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_code(status: int, code: str, meaning: type[UpstreamError]) -> None:
    body = {"detail": "As the vendor says.", "code": code, "request_id": "03f58cd9da22fabf"}
    rec.valid(ID, "ErrorResponse", body)
    failure = rec.refused(ID, status, body, {"retry-after": "3"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, "As the vendor says.")
    assert failure.retry_after == (3 if meaning.retryable else None)


def test_what_is_wrong_with_a_request_is_told() -> None:
    body = {"detail": "Request validation failed.", "errors": [{"field": "input", "message": "too long", "type": "x"}]}
    rec.valid(ID, "HTTPValidationError", body)
    assert type(rec.refused(ID, 422, body)) is BadRequestUpstream
