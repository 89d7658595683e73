"""Reranking in Google's cloud: requests are those of google-cloud-discoveryengine for Python 0.20.5 over REST, recorded
on loopback (sdk_requests.rank.json), and satisfy the discovery document (request_schemas.json: discoveryengine v1,
revision 20261106). Answers are those that the client accepted (`reply_replayed`). Left out of the comparison: the query
by which the client asks for numbers in place of the names of enums.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, CredentialRejected, UpstreamRateLimited
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.rerank import RerankCall, Reranking
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.contract.google_client import refusal
from tests.contract.google_cloud.account import FORM, ID, let_in

ADAPTER = ADAPTERS[ID]
MODEL = "semantic-ranker-default-004"
HEADERS = ("authorization", "content-type")
THEIRS = rec.calls(ID, "sdk_requests.rank.json")
CALL = RerankCall("door", ("cat", "gate"), top_n=1, threshold=0.5)


def sent(**form: str) -> rec.Sent:
    assert ADAPTER.rerank
    goal = rec.target(ID, MODEL, {**FORM, **form}, ModelType.RERANK)
    let_in({**FORM, **form})
    return rec.sent(ADAPTER, goal.form, ADAPTER.rerank.render(goal, CALL), HEADERS)


def read(body: Any, count: int = 2) -> Reranking:
    assert ADAPTER.rerank
    return ADAPTER.rerank.parse(body, count)


def test_a_request_is_the_sdks() -> None:
    ours = sent()
    assert ours == replace(rec.recorded(THEIRS["rank"], headers=HEADERS), query="")
    rec.valid(ID, "RankRequest", ours.body)


def test_it_goes_to_a_host_of_its_own_wherever_the_models_are() -> None:
    assert ADAPTER.rerank
    request = ADAPTER.rerank.render(rec.target(ID, MODEL, FORM, ModelType.RERANK), CALL)
    assert request.base == "https://discoveryengine.googleapis.com"
    assert sent(vertex_location="europe-west4").path == sent().path
    assert "/projects/..%2Fa%3Fb/" in sent(vertex_project_id="../a?b").path


@pytest.mark.parametrize("name", ["rank", "rank_details"])
def test_an_answer_is_read_best_first(name: str) -> None:
    answer = read(THEIRS[name]["reply_replayed"]["body"])
    assert [ranked.index for ranked in answer.results] == [1, 0]
    assert answer.results[0].score == 0.97
    assert answer.usage == Usage()


@pytest.mark.parametrize(
    "records",
    [
        None,
        [],
        [{"id": "0", "score": 1}],
        [{"id": "0", "score": 1}, {"id": "0", "score": 1}],
        [{"id": "0", "score": 1}, {"id": "2", "score": 1}],
        [{"id": "0", "score": 1}, {"id": 1, "score": 1}],
        [{"id": "0", "score": 1}, {"id": "1"}],
        [{"id": "0", "score": 1}, {"id": "1", "score": "NaN"}],
        [{"id": "0", "score": 1}, {"id": ["1"], "score": 1}],
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_the_documents_is_refused(records: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        read({"records": records})


def test_more_records_than_one_request_ranks_are_dealt_out() -> None:
    assert ADAPTER.documents(FORM) == 200


def test_refusals_are_those_of_the_whole_cloud() -> None:
    off = refusal(403, "PERMISSION_DENIED", "Discovery Engine API has not been used.", reason="SERVICE_DISABLED")
    slow = refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retryDelay="2s")
    assert isinstance(rec.refused(ID, 403, off), CredentialRejected)
    waits = rec.refused(ID, 429, slow)
    assert (type(waits), waits.retry_after) == (UpstreamRateLimited, 2)
