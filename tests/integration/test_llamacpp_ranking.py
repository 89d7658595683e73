"""Reranking by a real server, llama.cpp, as each self-hosted vendor of its path is called; and its list of models."""

from collections.abc import AsyncIterator, Iterator

import pytest

from domain.errors import BadRequestUpstream, CredentialRejected
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall
from domain.ports import ListedModel, Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.real_model import KEY, model_server

ADDRESSES = {"openai_api_compatible": "endpoint_url", "localai": "server_url", "gpustack": "endpoint_url"}
DOCUMENTS = ("alpha", "beta", "gamma", "delta", "epsilon")


@pytest.fixture(scope="module")
def ranking() -> Iterator[str]:
    with model_server(rank=True) as url:
        yield f"{url}/v1"


@pytest.fixture
async def subject() -> AsyncIterator[HttpGateway]:
    async with gateway(adapters=ADAPTERS) as found:
        yield found


def at(provider: str, url: str, key: str = KEY) -> Target:
    return rec.target(provider, "tiny", {ADDRESSES[provider]: url, "api_key": key}, ModelType.RERANK)


@pytest.mark.parametrize("provider", ADDRESSES)
async def test_every_document_is_ranked_once(subject: HttpGateway, ranking: str, provider: str) -> None:
    got = await subject.rerank(at(provider, ranking), RerankCall("q", DOCUMENTS, top_n=1))
    assert sorted(r.index for r in got.results) == list(range(5))
    assert list(got.results) == sorted(got.results, key=lambda r: -r.score)
    assert got.usage.input


@pytest.mark.parametrize("provider", ADDRESSES)
async def test_a_credential_is_proved(subject: HttpGateway, ranking: str, provider: str) -> None:
    good, bad = at(provider, ranking), at(provider, ranking, key="sk-wrong-0123456789")
    await subject.probe(provider, good.form, good.model)
    with pytest.raises(CredentialRejected):
        await subject.probe(provider, bad.form, bad.model)


@pytest.mark.parametrize("provider", ADDRESSES)
async def test_its_models_are_listed(subject: HttpGateway, ranking: str, provider: str) -> None:
    listed = await subject.listed(provider, at(provider, ranking).form)
    assert [(m.name, m.type) for m in listed] == [("tiny", None)]
    assert listed[0].context


async def test_the_native_shape_of_text_embedding_inference_is_ranked_in_pieces(
    subject: HttpGateway, ranking: str
) -> None:
    form = {"server_url": ranking, "api_key": KEY, "max_client_batch_size": "2"}
    goal = rec.target("text_embedding_inference", "tiny", form, ModelType.RERANK)
    await subject.probe(goal.model.provider, goal.form, goal.model)
    got = await subject.rerank(goal, RerankCall("q", DOCUMENTS))
    assert sorted(r.index for r in got.results) == list(range(5))
    assert list(got.results) == sorted(got.results, key=lambda r: -r.score)


async def test_a_server_that_does_not_rank_says_so(subject: HttpGateway) -> None:
    with model_server() as url:
        with pytest.raises(BadRequestUpstream) as caught:
            await subject.rerank(at("localai", url), RerankCall("q", DOCUMENTS))
        assert await subject.listed("localai", at("localai", url).form) == (ListedModel("tiny", None, 2048),)
    assert caught.value.status == 501
