"""Reranking at Tongyi: requests as the vendor's SDK sends them (sdk_requests.json: dashscope 2.0.2); the answer and
the refusals are those that it accepted (sdk_requests_replies.json), in the shape of the example of
docs.qwencloud.com/api-reference/rerank/dashscope-rerank.
"""

import json
from typing import Any

import pytest

from domain import errors
from domain.errors import BadRequestUpstream, InvalidRange, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall, Reranking
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body
from tests.stubs.serve import serving

ID, RERANK = "tongyi", ModelType.RERANK
FORM = {"dashscope_api_key": "sk-fake"}
HEADERS = ("authorization",)
REPLIES = rec.calls(ID, "sdk_requests_replies.json")
CALL = RerankCall("q", ("a", "b"), top_n=1, threshold=0.5)


def answer(*results: tuple[Any, Any], **more: Any) -> Any:
    found = [{"index": index, "relevance_score": score} for index, score in results]
    return {"output": {"results": found}, "usage": {"total_tokens": 79}, "request_id": "85ba5752", **more}


def parse(said: Any, count: int = 2) -> Reranking:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    return dialect.parse(said, count)


async def ranked(reply: Failure) -> Reranking:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(reply) as url, gateway(adapters=ADAPTERS) as subject:
        return await subject.rerank(rec.target(ID, "qwen3-rerank", {**FORM, "base_url": url}, RERANK), CALL)


@pytest.mark.parametrize("name", ["rerank_without_documents", "rerank_qwen3_without_documents"])
def test_a_request_is_the_sdks(name: str) -> None:
    theirs = rec.recorded(rec.calls(ID)[name], headers=HEADERS)
    dialect = ADAPTERS[ID].rerank
    assert dialect
    goal = rec.target(ID, theirs.body["model"], FORM, RERANK)
    assert rec.sent(ADAPTERS[ID], goal.form, dialect.render(goal, CALL), HEADERS) == theirs


def test_what_does_not_fit_one_request_is_refused_since_scores_compare_within_one_only() -> None:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    goal = rec.target(ID, "qwen3-rerank", FORM, RERANK)
    assert dialect.render(goal, RerankCall("q", ("a",) * 500)).json
    with pytest.raises(InvalidRange, match="500"):
        dialect.render(goal, RerankCall("q", ("a",) * 501))


async def test_an_answer_that_the_sdk_accepted_is_read_best_first() -> None:
    found = await ranked(body(json.dumps(REPLIES["rerank"]["reply_replayed"]["body"]).encode()))
    theirs = REPLIES["rerank"]["sdk_result"]
    ranks = [(row["index"], row["relevance_score"]) for row in theirs["output"]["results"]]
    assert [(each.index, each.score) for each in found.results] == ranks
    assert (found.usage.input, found.usage.output) == (theirs["usage"]["total_tokens"], 0)


BAD: list[Any] = [
    None,
    [],
    {},
    {"results": [{"index": 0, "relevance_score": 1}]},
    {"output": None},
    {"output": {"results": None}},
    answer((0, 0.5)),
    answer((0, 0.5), (0, 0.5)),
    answer((0, 0.5), (2, 0.5)),
    answer((0, 0.5), (1, float("nan"))),
    answer((0, 0.5), (1, "0.5")),
    answer((0, 0.5), (True, 0.5)),
]


@pytest.mark.parametrize("said", BAD, ids=lambda said: str(said)[:60])
def test_an_answer_that_does_not_rank_each_document_once_is_refused(said: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        parse(said)


@pytest.mark.parametrize("usage", [None, [], {}, {"total_tokens": "9"}, {"total_tokens": True}])
def test_odd_counts_are_unknown(usage: Any) -> None:
    found = parse(answer((0, 0.5), (1, 0.25), usage=usage))
    assert len(found.results) == 2
    assert (found.usage.input, found.usage.output) == (None, None)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("error_400", errors.BadRequestUpstream),
        ("error_401", errors.CredentialRejected),
        ("error_404", errors.ModelNotFoundUpstream),
        ("error_429", errors.UpstreamRateLimited),
    ],
)
async def test_a_refusal_is_read_that_the_sdk_reads(name: str, meaning: type[UpstreamError]) -> None:
    reply, theirs = REPLIES[name]["reply_replayed"], REPLIES[name]["sdk_result"]
    with pytest.raises(meaning) as caught:
        await ranked(body(json.dumps(reply["body"]).encode(), status=reply["status"], retry_after="0"))
    assert (caught.value.status, caught.value.detail) == (theirs["status_code"], theirs["message"])
