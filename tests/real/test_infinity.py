"""A tenant's own embedding server with a real model: infinity and MiniLM behind a served Portunus."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from demo import documents as gql
from domain.errors import BadRequestUpstream, CredentialRejected, UpstreamError
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply
from tests.contract.recordings import exchanges
from tests.databases import sqlite
from tests.e2e.portunus import Client, Served, environment, served
from tests.real.infinity import BATCH, DIMENSIONS, KEY, LONGEST, MODEL, infinity
from tests.real.topics import SENTENCES, TEXTS, cosine

pytestmark = pytest.mark.real

ID = "openai_api_compatible"
RECORDED = exchanges(ID, "recorded_real_infinity.json")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with infinity(tmp_path_factory.mktemp("infinity")) as url:
        yield url


@pytest.fixture(scope="module")
def portunus(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("portunus")
    with served(environment(sqlite(home), server), home) as running:
        yield running


async def add(client: Client, server: str, *, key: str = KEY, chunks: int = BATCH) -> Any:
    fields = {"endpoint_url": f"{server}/v1", "api_key": key, "max_chunks": str(chunks)}
    credential = {
        "provider": ID,
        "name": MODEL,
        "model": {"name": MODEL, "type": "EMBEDDING"},
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return (await client.ask(gql.ADD_CREDENTIAL, input=credential))["addCredential"]


async def embed(client: Client, texts: list[str], **more: Any) -> Any:
    return (await client.ask(gql.EMBED, input={"texts": texts, **more}))["embed"]


async def test_a_wrong_key_is_refused_and_not_kept(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Wrong")) as client:
        assert (await add(client, server, key="sk-wrong-key-0123456789"))["code"] == "CREDENTIAL_REJECTED"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


async def test_each_sentence_is_nearest_to_its_own_topic(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Topics")) as client:
        assert "credential" in await add(client, server)
        vectors = (await embed(client, TEXTS))["vectors"]
        assert [len(vector) for vector in vectors] == [DIMENSIONS] * len(TEXTS)
        for at, (topic, text) in enumerate(SENTENCES):
            others = [place for place in range(len(TEXTS)) if place != at]
            nearest = max(others, key=lambda place: cosine(vectors[at], vectors[place]))
            assert SENTENCES[nearest][0] == topic, (text, TEXTS[nearest])


async def test_the_order_of_the_texts_outlives_the_batches(portunus: Served, server: str) -> None:
    assert len(TEXTS) > BATCH
    async with portunus.client_of(portunus.open_tenant("Order")) as client:
        assert "credential" in await add(client, server)
        together = (await embed(client, TEXTS))["vectors"]
        for text, vector in zip(TEXTS, together, strict=True):
            (alone,) = (await embed(client, [text]))["vectors"]
            assert cosine(vector, alone) > 0.999, text


async def test_shorter_vectors_are_asked_of_the_model(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Short")) as client:
        assert "credential" in await add(client, server)
        assert [len(v) for v in (await embed(client, TEXTS, dimensions=64))["vectors"]] == [64] * len(TEXTS)


async def test_wrong_input_is_a_typed_problem(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Wrong input")) as client:
        assert "credential" in await add(client, server, chunks=2 * BATCH)
        assert len((await embed(client, TEXTS[:BATCH]))["vectors"]) == BATCH
        too_many = await embed(client, TEXTS)
        assert too_many["code"] == "BAD_REQUEST_UPSTREAM"
        assert f"at most {BATCH} items" in too_many["message"]
        too_long = await embed(client, ["x" * (LONGEST + 1)])
        assert too_long["code"] == "BAD_REQUEST_UPSTREAM"
        assert "xxx" not in too_long["message"]
        assert (await embed(client, ["a", ""]))["code"] == "INVALID_RANGE"


@pytest.mark.parametrize(
    ("name", "key", "body", "meaning"),
    [
        ("unauthorised", None, {"model": MODEL, "input": ["hello"]}, CredentialRejected),
        ("validation", KEY, {"model": MODEL}, BadRequestUpstream),
    ],
)
def test_the_server_still_refuses_as_it_was_recorded(
    server: str, name: str, key: str | None, body: Any, meaning: type[UpstreamError]
) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx2.post(f"{server}/v1/embeddings", json=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()) == (RECORDED[name]["status"], RECORDED[name]["json"])
    failure = ADAPTERS[ID].error(ID, ErrorReply(answer.status_code, answer.headers, answer.json()))
    assert type(failure) is meaning
