"""Reranking through GraphQL: order, cuts, and refusals."""

from typing import Any

from domain.errors import UpstreamRateLimited
from domain.model.events import Usage
from domain.model.rerank import Ranked, RerankCall, Reranking
from tests.graphql_house import House, talking

RERANK = """mutation R($input: RerankInput!) { rerank(input: $input) {
  __typename
  ... on RerankPayload { results { index score } usage { input } model { name } paidBy warnings }
  ... on InvalidRange { field }
  ... on Problem { code } } }"""
ORDER = Reranking((Ranked(2, 0.9), Ranked(0, 0.5), Ranked(1, -0.25)), Usage(input=12), ("a warning",))
ASKED = {"query": "door", "documents": ["gate", "cat", "key"]}


async def ranked(house: House, **given: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await house.data(RERANK, input={**ASKED, **given}))["rerank"]
    return result


async def test_documents_come_best_first_by_their_place_in_the_request() -> None:
    answer = await ranked(await talking(ORDER))
    assert answer["results"] == [
        {"index": 2, "score": 0.9},
        {"index": 0, "score": 0.5},
        {"index": 1, "score": -0.25},
    ]
    assert (answer["usage"], answer["model"]) == ({"input": 12}, {"name": "sorter"})
    assert (answer["paidBy"], answer["warnings"]) == ("OWN", ["a warning"])


async def test_the_best_few_above_a_threshold_are_kept() -> None:
    house = await talking(ORDER, ORDER, ORDER)
    assert [r["index"] for r in (await ranked(house, topN=2))["results"]] == [2, 0]
    assert [r["index"] for r in (await ranked(house, threshold=0.6))["results"]] == [2]
    assert (await ranked(house, threshold=1.0))["results"] == []
    asked = house.gateway.asked[-1]
    assert isinstance(asked, RerankCall)
    assert asked.documents == ("gate", "cat", "key")


async def test_what_means_nothing_is_refused_by_its_field() -> None:
    house = await talking()
    for given, field in (
        ({"query": " "}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": ["a", ""]}, "documents[1]"),
        ({"documents": ["a"] * 1_001}, "documents"),
        ({"topN": 0}, "topN"),
    ):
        assert await ranked(house, **given) == {"__typename": "InvalidRange", "field": field, "code": "INVALID_RANGE"}
    assert not house.gateway.asked


async def test_a_vendors_refusal_is_data() -> None:
    answer = await ranked(await talking(UpstreamRateLimited("acme", 429)))
    assert answer["code"] == "UPSTREAM_RATE_LIMITED"
