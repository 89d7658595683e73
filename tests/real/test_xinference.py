"""A tenant's own Xinference with real engines, authentication on: three launched models behind a served Portunus."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from demo import documents as gql
from domain.errors import BadRequestUpstream, CredentialRejected, ModelNotFoundUpstream, UpstreamError
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import ErrorReply
from tests.contract.recordings import exchanges
from tests.databases import sqlite
from tests.e2e.portunus import Client, Served, environment, served
from tests.real.topics import SENTENCES, TEXTS, cosine
from tests.real.xinference import CONTEXT, DIMENSIONS, EMBEDDER, LLM, RERANKER, Xinference, xinference

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]  # its models load one after the other

ID = "xinference"
RECORDED = exchanges(ID, "recorded_real_xinference.json")
TYPES = {LLM: "LLM", EMBEDDER: "EMBEDDING", RERANKER: "RERANK"}
WRONG = "xf-wrong-key-0123456789"
HELLO = "Hello from a tiny real model."
SAYING = {"model": {"provider": ID, "name": LLM}, "temperature": 0, "maxTokens": 60}
HI = {**SAYING, "messages": [{"role": "USER", "content": "hi"}]}
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

TOOL_CALL = """mutation T($input: ChatInput!) { chat(input: $input) {
  ... on ChatPayload { text finishReason toolCalls { id name arguments } }
  ... on Problem { code message } } }"""
TOOL_STREAM = """subscription S($input: ChatInput!) { chatStream(input: $input) {
  __typename ... on ToolCallDelta { name arguments } ... on Problem { code message } } }"""
RERANK = """mutation R($input: RerankInput!) { rerank(input: $input) {
  ... on RerankPayload { results { index score } usage { input } }
  ... on Problem { code message } } }"""
LIST = """mutation L($input: ListVendorModelsInput!) { listVendorModels(input: $input) {
  ... on ListVendorModelsPayload { models { name type context } }
  ... on Problem { code message } } }"""
IMPORT = """mutation I($input: ImportModelsInput!) { importModels(input: $input) {
  ... on ImportModelsPayload { models { name type custom status } }
  ... on Problem { code message } } }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xinference]:
    with xinference(tmp_path_factory.mktemp("xinference")) as running:
        yield running


@pytest.fixture(scope="module")
def portunus(server: Xinference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("portunus")
    with served(environment(sqlite(home), server.url), home) as running:
        yield running


async def add(client: Client, server: Xinference, uid: str, *, key: str | None = None, kind: str | None = None) -> Any:
    fields = {"server_url": server.url, "model_uid": uid, "api_key": key or server.key}
    kind = kind or TYPES[uid]
    fields |= {"context_length": str(CONTEXT), "function_calling_type": "tool_call"} if kind == "LLM" else {}
    credential = {
        "provider": ID,
        "name": uid,
        "model": {"name": uid, "type": kind},
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return (await client.ask(gql.ADD_CREDENTIAL, input=credential))["addCredential"]


async def asked(client: Client, document: str, **given: Any) -> Any:
    (answer,) = (await client.ask(document, input=given)).values()
    return answer


@pytest.mark.parametrize("uid", TYPES)
async def test_a_wrong_key_is_refused_and_not_kept(portunus: Served, server: Xinference, uid: str) -> None:
    async with portunus.client_of(portunus.open_tenant(f"Wrong {uid}")) as client:
        assert (await add(client, server, uid, key=WRONG))["code"] == "CREDENTIAL_REJECTED"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []
        assert "credential" in await add(client, server, uid)


async def test_a_model_that_is_not_launched_or_does_something_else_is_refused(
    portunus: Served, server: Xinference
) -> None:
    async with portunus.client_of(portunus.open_tenant("Elsewhere")) as client:
        assert (await add(client, server, "ghost", kind="LLM"))["code"] == "MODEL_NOT_FOUND_UPSTREAM"
        for uid, kind in ((LLM, "EMBEDDING"), (LLM, "RERANK"), (RERANKER, "EMBEDDING"), (EMBEDDER, "RERANK")):
            assert (await add(client, server, uid, kind=kind))["code"] == "BAD_REQUEST_UPSTREAM", (uid, kind)
        # Of a chat it says no more than that it failed.
        assert (await add(client, server, EMBEDDER, kind="LLM"))["code"] == "UPSTREAM_UNAVAILABLE"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


async def test_a_stream_says_what_the_whole_answer_says(portunus: Served, server: Xinference) -> None:
    async with portunus.client_of(portunus.open_tenant("Chat")) as client:
        assert "credential" in await add(client, server, LLM)
        whole = await asked(client, gql.CHAT, **HI)
        assert (whole["text"], whole["paidBy"], whole["model"]["name"]) == (HELLO, "OWN", LLM)
        assert whole["usage"]["output"] == RECORDED["chat"]["json"]["usage"]["completion_tokens"]
        async with client.subscribed(gql.STREAM, input=HI) as events:
            items = [event["chatStream"] async for event in events]
        pieces = [item["text"] for item in items if item["__typename"] == "TextDelta"]
        assert ("".join(pieces), len(pieces) > 1, items[-1]["__typename"]) == (HELLO, True, "ChatFinished")


async def test_a_tool_is_called_whole_and_streamed(portunus: Served, server: Xinference) -> None:
    asking = {**HI, "maxTokens": 300, "tools": [WEATHER]}
    async with portunus.client_of(portunus.open_tenant("Tools")) as client:
        assert "credential" in await add(client, server, LLM)
        whole = await asked(client, TOOL_CALL, **asking)
        (call,) = whole["toolCalls"]
        assert (call["name"], call["arguments"]) == ("get_weather", '{"city": "Tokyo"}')
        assert whole["finishReason"] == "TOOL_CALLS"
        async with client.subscribed(TOOL_STREAM, input=asking) as events:
            items = [event["chatStream"] async for event in events]
        pieces = [item for item in items if item["__typename"] == "ToolCallDelta"]
        assert [piece["name"] for piece in pieces if piece["name"]] == ["get_weather"]
        assert "".join(piece["arguments"] for piece in pieces) == call["arguments"]


async def test_what_is_too_long_is_a_typed_problem(portunus: Served, server: Xinference) -> None:
    long = {**SAYING, "messages": [{"role": "USER", "content": "word " * (CONTEXT * 2)}]}
    async with portunus.client_of(portunus.open_tenant("Long")) as client:
        assert "credential" in await add(client, server, LLM)
        assert (await asked(client, gql.CHAT, **long))["code"] == "UPSTREAM_UNAVAILABLE"


async def test_each_sentence_is_nearest_to_its_own_topic(portunus: Served, server: Xinference) -> None:
    async with portunus.client_of(portunus.open_tenant("Topics")) as client:
        assert "credential" in await add(client, server, EMBEDDER)
        vectors = (await asked(client, gql.EMBED, texts=TEXTS))["vectors"]
        assert [len(vector) for vector in vectors] == [DIMENSIONS] * len(TEXTS)
        for at, (topic, text) in enumerate(SENTENCES):
            others = [place for place in range(len(TEXTS)) if place != at]
            nearest = max(others, key=lambda place: cosine(vectors[at], vectors[place]))
            assert SENTENCES[nearest][0] == topic, (text, TEXTS[nearest])


async def test_the_order_of_the_texts_outlives_the_batches(portunus: Served, server: Xinference) -> None:
    many = [f"{number}. {text}" for number in range(1, 4) for text in TEXTS]
    async with portunus.client_of(portunus.open_tenant("Order")) as client:
        assert "credential" in await add(client, server, EMBEDDER)
        together = (await asked(client, gql.EMBED, texts=many))["vectors"]
        assert len(together) == len(many) > 32
        for place in (0, 31, 32, 35):
            (alone,) = (await asked(client, gql.EMBED, texts=[many[place]]))["vectors"]
            assert cosine(together[place], alone) > 0.999, many[place]


async def test_documents_come_back_ranked_with_a_count(portunus: Served, server: Xinference) -> None:
    async with portunus.client_of(portunus.open_tenant("Rank")) as client:
        assert "credential" in await add(client, server, RERANKER)
        ranking = await asked(client, RERANK, query="What do cats do?", documents=TEXTS)
        scores = [row["score"] for row in ranking["results"]]
        assert scores == sorted(scores, reverse=True)
        assert sorted(row["index"] for row in ranking["results"]) == list(range(len(TEXTS)))
        assert ranking["usage"]["input"] > len(TEXTS)
        best = await asked(client, RERANK, query="What do cats do?", documents=TEXTS, topN=2)
        assert [row["index"] for row in best["results"]] == [row["index"] for row in ranking["results"][:2]]


async def test_what_runs_there_is_listed_and_imported(portunus: Served, server: Xinference) -> None:
    async with portunus.client_of(portunus.open_tenant("List")) as client:
        assert "credential" in await add(client, server, LLM)
        listed = (await asked(client, LIST, provider=ID))["models"]
        assert {row["name"]: row["type"] for row in listed} == TYPES
        assert [row["context"] for row in listed if row["name"] == LLM] == [CONTEXT]
        taken = await asked(client, IMPORT, provider=ID, models=[{"name": EMBEDDER}])
        assert [(row["name"], row["type"], row["custom"]) for row in taken["models"]] == [(EMBEDDER, "EMBEDDING", True)]


@pytest.mark.parametrize(
    ("name", "key", "body", "meaning"),
    [
        ("no_key", "", {"model": LLM, "messages": []}, CredentialRejected),
        ("bad_key", WRONG, {"model": LLM, "messages": []}, CredentialRejected),
        (
            "unknown_model",
            None,
            {"model": "nope", "messages": [{"role": "user", "content": "hi"}]},
            ModelNotFoundUpstream,
        ),
        ("no_messages", None, {"model": LLM, "messages": []}, BadRequestUpstream),
    ],
)
def test_the_server_still_refuses_as_it_was_recorded(
    server: Xinference, name: str, key: str | None, body: Any, meaning: type[UpstreamError]
) -> None:
    told = server.key if key is None else key
    headers = {"Authorization": f"Bearer {told}"} if told else {}
    answer = httpx2.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, trust_env=False)
    assert answer.status_code == RECORDED[name]["status"], answer.text
    failure = ADAPTERS[ID].error(ID, ErrorReply(answer.status_code, answer.headers, answer.json()))
    assert type(failure) is meaning
