"""A tenant's own Triton Inference Server behind a served Portunus, and its recording held against the real server."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from demo import documents as gql
from tests.contract.recordings import load
from tests.databases import sqlite
from tests.e2e.portunus import Client, Served, environment, served
from tests.real.triton import triton

pytestmark = pytest.mark.real

ID = "nvidia_triton"
EXCHANGES = load(ID, "recorded_real_triton.json")["exchanges"]
WHOLE, PIECES = "ensemble", "stream_llm"
LIST = """
mutation List($input: ListVendorModelsInput!) {
  listVendorModels(input: $input) {
    ... on ListVendorModelsPayload { models { name type } }
    ... on Problem { code message }
  }
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with triton(tmp_path_factory.mktemp("triton")) as url:
        yield url


@pytest.fixture(scope="module")
def portunus(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("portunus")
    with served(environment(sqlite(home), server), home) as running:
        yield running


async def add(client: Client, server: str, model: str, kind: str = "LLM", **form: str) -> Any:
    fields = {"server_url": server} | ({"completion_type": "completion"} if kind == "LLM" else {}) | form
    credential = {
        "provider": ID,
        "name": model,
        "model": {"name": model, "type": kind},
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }
    return (await client.ask(gql.ADD_CREDENTIAL, input=credential))["addCredential"]


def asking(model: str, text: str, **more: Any) -> dict[str, Any]:
    return {"model": {"provider": ID, "name": model}, "messages": [{"role": "USER", "content": text}], **more}


async def chat(client: Client, model: str, text: str, **more: Any) -> Any:
    return (await client.ask(gql.CHAT, input=asking(model, text, **more)))["chat"]


async def stream(client: Client, model: str, text: str) -> tuple[list[str], Any]:
    """The pieces of text, and what came last."""
    async with client.subscribed(gql.STREAM, input=asking(model, text)) as events:
        items = [event["chatStream"] async for event in events]
    return [item["text"] for item in items if item["__typename"] == "TextDelta"], items[-1]


async def test_a_model_that_is_not_there_is_refused_and_not_kept(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Absent")) as client:
        assert (await add(client, server, "nope"))["code"] == "MODEL_NOT_FOUND_UPSTREAM"
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


@pytest.mark.parametrize(
    ("model", "form", "pieces"),
    [
        (WHOLE, "true", ["echo: hello big wide world"]),
        (WHOLE, "false", ["echo: hello big wide world"]),
        (PIECES, "true", ["echo: ", "hello ", "big ", "wide ", "world "]),
    ],
)
async def test_the_model_answers_whole_and_streamed(
    portunus: Served, server: str, model: str, form: str, pieces: list[str]
) -> None:
    async with portunus.client_of(portunus.open_tenant("Answers")) as client:
        assert "credential" in await add(client, server, model, stream=form)
        whole = await chat(client, model, "hello big wide world")
        heard, last = await stream(client, model, "hello big wide world")
    assert last["__typename"] == "ChatFinished"
    assert [piece.partition(" params=")[0] for piece in heard] == pieces
    assert whole["text"] == "".join(heard)
    assert whole["paidBy"] == "OWN"


async def test_limits_stop_words_and_parameters_reach_the_model(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Knobs")) as client:
        assert "credential" in await add(client, server, WHOLE, stream="false")
        limited = await chat(client, WHOLE, "hello big wide world", maxTokens=3, temperature=0.5)
        stopped = await chat(client, WHOLE, "hello big wide world", stop=["wide", "\n"])
    assert limited["text"] == 'echo: hello big params={"stream": false, "temperature": 0.5}'
    assert stopped["text"].startswith("echo: hello big params=")


async def test_turns_reach_the_model_with_their_roles(portunus: Served, server: str) -> None:
    call = asking(PIECES, "Hi")
    call["messages"] = [{"role": "SYSTEM", "content": "Be brief."}, *call["messages"]]
    async with portunus.client_of(portunus.open_tenant("Turns")) as client:
        assert "credential" in await add(client, server, PIECES, completion_type="chat")
        assert (await client.ask(gql.CHAT, input=call))["chat"]["text"] == "echo: System: Be brief. User: Hi "


@pytest.mark.parametrize("model", [WHOLE, PIECES])
async def test_a_failure_of_the_model_is_a_typed_problem_whole_and_streamed(
    portunus: Served, server: str, model: str
) -> None:
    async with portunus.client_of(portunus.open_tenant("Fails")) as client:
        assert "credential" in await add(client, server, model)
        whole = await chat(client, model, "BOOM")
        _, last = await stream(client, model, "BOOM")
    assert whole["code"] == last["code"] == "BAD_REQUEST_UPSTREAM"
    assert "model blew up" in whole["message"]
    assert "model blew up" in last["message"]


async def test_what_came_before_a_failure_is_kept(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Midway")) as client:
        assert "credential" in await add(client, server, PIECES)
        heard, last = await stream(client, PIECES, "hello BOOM never")
    assert heard == ["echo: ", "hello "]
    assert last["code"] == "BAD_REQUEST_UPSTREAM"


async def test_a_model_that_only_streams_says_so_where_the_form_asks_it_otherwise(
    portunus: Served, server: str
) -> None:
    async with portunus.client_of(portunus.open_tenant("Form")) as client:
        assert "credential" in await add(client, server, PIECES, stream="false")
        refused = await chat(client, PIECES, "hello")
    assert refused["code"] == "BAD_REQUEST_UPSTREAM"
    assert "use generate stream" in refused["message"]


async def test_a_model_that_was_unloaded_is_found_out_and_no_longer_listed(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Unloaded")) as client:
        assert "credential" in await add(client, server, WHOLE)
        assert await listed(client) == ["embedder", WHOLE, PIECES]
        order(server, "unload")
        try:
            assert (await chat(client, WHOLE, "hello"))["code"] == "MODEL_NOT_FOUND_UPSTREAM"
            assert await listed(client) == ["embedder", PIECES]
        finally:
            order(server, "load")


def order(server: str, what: str) -> None:
    httpx2.post(f"{server}/v2/repository/models/{WHOLE}/{what}", trust_env=False).raise_for_status()


async def listed(client: Client) -> list[str]:
    found = (await client.ask(LIST, input={"provider": ID}))["listVendorModels"]
    return [model["name"] for model in found["models"]]


async def test_texts_become_vectors_in_batches_and_in_order(portunus: Served, server: str) -> None:
    """The model takes eight texts in one request, and says how long each is."""
    texts = ["x" * length for length in range(1, 21)]
    async with portunus.client_of(portunus.open_tenant("Vectors")) as client:
        assert "credential" in await add(client, server, "embedder", "EMBEDDING", max_batch_size="8")
        found = (await client.ask(gql.EMBED, input={"texts": texts}))["embed"]
        assert found["vectors"] == [[length, 1, 2, 3] for length in range(1, 21)]


@pytest.mark.parametrize(
    ("model", "form", "code"),
    [
        ("nope", {}, "MODEL_NOT_FOUND_UPSTREAM"),
        ("ensemble", {}, "BAD_REQUEST_UPSTREAM"),
        ("embedder", {"text_tensor": "words"}, "BAD_REQUEST_UPSTREAM"),
        ("embedder", {"vector_tensor": "vectors"}, "BAD_REQUEST_UPSTREAM"),
    ],
)
async def test_a_model_or_tensor_that_is_not_there_is_refused_and_not_kept(
    portunus: Served, server: str, model: str, form: dict[str, str], code: str
) -> None:
    async with portunus.client_of(portunus.open_tenant(f"No {model} {len(form)}")) as client:
        assert (await add(client, server, model, "EMBEDDING", **form))["code"] == code
        assert (await client.ask("{ credentials { nodes { id } } }"))["credentials"]["nodes"] == []


async def test_a_batch_larger_than_the_model_takes_is_a_typed_problem(portunus: Served, server: str) -> None:
    async with portunus.client_of(portunus.open_tenant("Batch")) as client:
        assert "credential" in await add(client, server, "embedder", "EMBEDDING", max_batch_size="9")
        refusal = (await client.ask(gql.EMBED, input={"texts": ["x"] * 9}))["embed"]
        assert (refusal["code"], "batch-size" in refusal["message"]) == ("BAD_REQUEST_UPSTREAM", True)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange["name"])
def test_the_server_still_answers_as_it_was_recorded(server: str, exchange: Any) -> None:
    asked, recorded = exchange["request"], exchange["response"]
    body = {"content": asked["raw"]} if "raw" in asked else {"json": asked.get("json")}
    url = f"{server}{asked['path']}"
    answer = httpx2.request(asked["method"], url, headers=asked["headers"], trust_env=False, timeout=30, **body)
    assert answer.status_code == recorded["status"]
    assert answer.headers["content-type"] == recorded["headers"]["content-type"]
    assert (answer.json() if "json" in recorded else answer.text) == recorded.get("json", recorded.get("text"))
