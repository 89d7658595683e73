"""Reranking through the gateway: all documents in order of their scores, and answers that are of no use."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest

from domain.errors import BadRequestUpstream, CredentialRejected, UnsupportedFeature, UpstreamError, UpstreamRateLimited
from domain.model.rerank import RerankCall
from infrastructure.providers.registry import ADAPTERS
from tests.gateways import bench, gateway
from tests.stubs import plain, shapes
from tests.stubs.misbehaviour import body
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

DOCUMENTS = ("one", "two", "three", "four", "five")
CALL = RerankCall("q", DOCUMENTS, top_n=2, threshold=0.9)


async def test_every_document_comes_best_first_whatever_is_kept_later() -> None:
    async with bench() as at:
        got = await at.gateway.rerank(plain.target(at.url), CALL)
    assert sorted(r.index for r in got.results) == list(range(5))
    assert [r.score for r in got.results] == sorted((shapes.score("q", d) for d in DOCUMENTS), reverse=True)
    assert all(r.score == shapes.score("q", DOCUMENTS[r.index]) for r in got.results)
    assert (got.usage.input, got.usage.output) == (5, 0)
    assert at.vendor.seen[0]["top_n"] == 5
    assert at.vendor.bill == {"sk-good": 1}


def results(scores: Sequence[object], **more: object) -> bytes:
    rows = [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]
    return orjson.dumps({"results": rows, **more})


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (results([0.1, 0.2, 0.3, 0.4]), "each of 5 documents"),
        (results([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), "each of 5 documents"),
        (results([0.1, 0.2, 0.3, 0.4, None]), "no number"),
        (results([0.1, 0.2, 0.3, 0.4, "high"]), "no number"),
        (b'{"results":[{"index":0,"relevance_score":NaN}]}', "not JSON"),
        (b"[]", "each of 5 documents"),
        (b"null", "each of 5 documents"),
        (b'{"error":{"message":"no reranker here"}}', "no reranker here"),
    ],
)
async def test_an_answer_that_does_not_rank_them_all_is_refused(answer: bytes, detail: str) -> None:
    async with serving(body(answer)) as url, gateway() as subject:
        with pytest.raises(BadRequestUpstream, match=detail) as caught:
            await subject.rerank(plain.target(url), CALL)
    assert (caught.value.provider, caught.value.status, caught.value.sent) == ("plain", 200, True)


@pytest.mark.parametrize(
    ("model", "kind", "status"),
    [("fail-401", CredentialRejected, 401), ("fail-429", UpstreamRateLimited, 429), ("html", BadRequestUpstream, 200)],
)
async def test_a_refusal_has_its_own_kind(model: str, kind: type[UpstreamError], status: int) -> None:
    async with bench() as at:
        with pytest.raises(kind) as caught:
            await at.gateway.rerank(plain.target(at.url, model), CALL)
    assert (caught.value.provider, caught.value.status) == ("plain", status)


async def test_no_failure_shows_the_key() -> None:
    async with bench() as at:
        with pytest.raises(UpstreamError) as caught:
            await at.gateway.rerank(plain.target(at.url, "echo-key", key="sk-canary-0123456789"), CALL)
    assert "canary" not in repr(vars(caught.value))


async def test_a_vendor_that_does_not_rank_says_so() -> None:
    async with gateway(adapters={"plain": ADAPTERS["deepseek"]}) as subject:
        with pytest.raises(UnsupportedFeature, match="reranking"):
            await subject.rerank(plain.target(""), CALL)


async def test_more_documents_than_one_request_carries_are_ranked_in_several() -> None:
    few = replace(plain.adapter(), documents=lambda form: int(str(form["batch"])))
    vendor = Vendor()
    async with serving(vendor) as url, gateway(adapters={"plain": few}) as subject:
        got = await subject.rerank(plain.target(url, batch=2), CALL)
        whole = await subject.rerank(plain.target(url, batch=5), CALL)
    assert [len(seen["documents"]) for seen in vendor.seen] == [2, 2, 1, 5]
    assert got.results == whole.results
    assert (got.usage.input, whole.usage.input) == (5, 5)


async def test_a_failure_after_the_first_of_several_requests_may_have_cost_something() -> None:
    few = replace(plain.adapter(), documents=lambda form: 3)  # noqa: ARG005 - whatever the form says
    async with serving(body(results([0.1, 0.2, 0.3]))) as url, gateway(adapters={"plain": few}) as subject:
        with pytest.raises(BadRequestUpstream, match="each of 2 documents") as caught:
            await subject.rerank(plain.target(url), CALL)
    assert (caught.value.status, caught.value.sent) == (None, True)
