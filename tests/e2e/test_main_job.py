"""The main job on both stores, against real models: a tenant's own key in, a model's answer out."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo import documents as gql
from tests.databases import Urls
from tests.e2e.portunus import PLATFORM_KEY, Client, Served, environment, served
from tests.real_model import DIMENSIONS, model_server

HELLO = {"messages": [{"role": "USER", "content": "hi"}], "maxTokens": 60, "temperature": 0}
WEATHER = {
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(scope="module")
def chat_server() -> Iterator[str]:
    with model_server(key=PLATFORM_KEY) as url:
        yield url


@pytest.fixture(scope="module")
def embed_server() -> Iterator[str]:
    with model_server(embed=True, key=PLATFORM_KEY) as url:
        yield url


@pytest.fixture
def portunus(urls: Urls, chat_server: str, tmp_path: Path) -> Iterator[Served]:
    with served(environment(urls, chat_server), tmp_path) as running:
        yield running


def hosted(name: str, kind: str, url: str, key: str = PLATFORM_KEY) -> dict[str, Any]:
    fields = {"endpoint_url": f"{url}/v1", "api_key": key}
    if kind == "LLM":
        fields |= {"function_calling_type": "tool_call", "context_size": "2048"}
    pairs = [{"name": field, "value": value} for field, value in fields.items()]
    return {
        "provider": "openai_api_compatible",
        "name": name,
        "model": {"name": name, "type": kind},
        "fields": pairs,
    }


def openai(url: str, key: str) -> dict[str, Any]:
    fields = [{"name": "openai_api_key", "value": key}, {"name": "openai_api_base", "value": url}]
    return {"provider": "openai", "name": "main", "fields": fields}


async def add(client: Client, credential: dict[str, Any]) -> Any:
    return (await client.ask(gql.ADD_CREDENTIAL, input=credential))["addCredential"]


async def test_a_tenant_brings_its_own_model_and_gets_real_answers(
    portunus: Served, chat_server: str, embed_server: str
) -> None:
    async with portunus.client_of(portunus.open_tenant("Acme")) as client:
        refused = await add(client, hosted("tiny", "LLM", chat_server, key="sk-wrong-key-0123456789"))
        assert refused["code"] == "CREDENTIAL_REJECTED"
        unreachable = await add(client, hosted("tiny", "LLM", "http://127.0.0.1:9"))
        assert unreachable["code"] == "UPSTREAM_UNAVAILABLE"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []

        added = await add(client, hosted("tiny", "LLM", chat_server))
        assert added["credential"]["endpoint"] == chat_server
        shown = {field["name"]: field["value"] for field in added["credential"]["fields"]}
        assert PLATFORM_KEY not in json.dumps(added)
        assert shown["endpoint_url"] == f"{chat_server}/v1"

        tiny = {"provider": "openai_api_compatible", "name": "tiny"}
        whole = (await client.ask(gql.CHAT, input={**HELLO, "model": tiny}))["chat"]
        assert whole["text"] == "Hello from a tiny real model."
        assert whole["paidBy"] == "OWN"
        assert whole["usage"]["output"] > 0

        await streams(client, tiny)
        await overflows(client, tiny)
        await embeds(client, embed_server)


async def streams(client: Client, model: dict[str, str]) -> None:
    """A real tool call, piece by piece."""
    call = {**HELLO, "model": model, "tools": [WEATHER]}
    call["maxTokens"] = 200
    call["messages"] = [{"role": "USER", "content": "Weather in Tokyo?"}]
    document = """subscription Stream($input: ChatInput!) { chatStream(input: $input) {
      __typename ... on ToolCallDelta { name arguments } ... on ChatFinished { finishReason usage { output } }
      ... on Problem { code message } } }"""
    async with client.subscribed(document, input=call) as events:
        items = [event["chatStream"] async for event in events]
    kinds = [item["__typename"] for item in items]
    assert kinds[0] == "ChatStarted"
    assert kinds[-1] == "ChatFinished"
    assert items[-1]["finishReason"] == "TOOL_CALLS"
    pieces = [item for item in items if item["__typename"] == "ToolCallDelta"]
    assert len(pieces) > 2
    assert [piece["name"] for piece in pieces if piece["name"]] == ["get_weather"]
    assert json.loads("".join(piece["arguments"] for piece in pieces)) == {"city": "Tokyo"}


async def overflows(client: Client, model: dict[str, str]) -> None:
    long = {**HELLO, "model": model, "messages": [{"role": "USER", "content": "word " * 2_000}]}
    assert (await client.ask(gql.CHAT, input=long))["chat"]["code"] == "CONTEXT_TOO_LONG"


async def embeds(client: Client, server: str) -> None:
    assert "credential" in await add(client, hosted("tiny-embed", "EMBEDDING", server))
    defaults = (await client.ask(gql.DEFAULTS))["defaultModels"]
    (embedding,) = [d for d in defaults if d["type"] == "EMBEDDING"]
    assert embedding["automatic"]
    assert embedding["model"]["name"] == "tiny-embed"
    vectors = (await client.ask(gql.EMBED, input={"texts": ["a door", "a doors", "SELECT 1"]}))["embed"]["vectors"]
    assert [len(vector) for vector in vectors] == [DIMENSIONS] * 3
    near, far = (sum(a * b for a, b in zip(vectors[0], v, strict=True)) / math.hypot(*v) for v in vectors[1:])
    assert near > far


async def test_the_trial_runs_out_and_the_own_key_takes_over(portunus: Served, chat_server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Acme")) as client:
        assert "credential" in await add(client, openai(f"{chat_server}/v1", PLATFORM_KEY))
        await client.ask(gql.PREFER, input={"provider": "openai", "source": "PLATFORM"})
        trial = {**HELLO, "model": {"provider": "openai", "name": "gpt-3.5-turbo"}}
        answers = [(await client.ask(gql.CHAT, input=trial))["chat"] for _ in range(5)]
        assert [answer["paidBy"] for answer in answers] == ["PLATFORM"] * 3 + ["OWN"] * 2
        assert {answer["text"] for answer in answers} == {"Hello from a tiny real model."}
        (quota,) = (await client.ask(gql.QUOTAS))["quotas"]["nodes"]
        assert (quota["used"], quota["free"]) == (3, 0)


async def test_without_an_own_key_an_empty_trial_is_a_typed_refusal(portunus: Served) -> None:
    async with portunus.client_of(portunus.open_tenant("Acme")) as client:
        trial = {**HELLO, "model": {"provider": "openai", "name": "gpt-3.5-turbo"}}
        answers = [(await client.ask(gql.CHAT, input=trial))["chat"] for _ in range(4)]
        assert [answer.get("code") for answer in answers] == [None, None, None, "QUOTA_EXHAUSTED"]


async def test_another_tenant_sees_none_of_it(portunus: Served, chat_server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Acme")) as client:
        mine = (await add(client, hosted("tiny", "LLM", chat_server)))["credential"]["id"]
    async with portunus.client_of(portunus.open_tenant("Globex")) as other:
        seen = await other.ask(gql.LOOK, id=mine)
        assert seen["node"] is None
        assert seen["credentials"]["nodes"] == []
        remove = """mutation($input: RemoveCredentialInput!) { removeCredential(input: $input) {
          __typename ... on Problem { code } } }"""
        theirs = await other.ask(remove, input={"id": mine})
        nobodys = await other.ask(remove, input={"id": mine[:-4] + "AAAA"})
        assert theirs == nobodys == {"removeCredential": {"__typename": "NotFound", "code": "NOT_FOUND"}}
        tiny = {"provider": "openai_api_compatible", "name": "tiny"}
        assert (await other.ask(gql.CHAT, input={**HELLO, "model": tiny}))["chat"]["code"] == "NO_CREDENTIAL"
