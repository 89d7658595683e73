"""Our requests to OpenRouter equal those of the client that it documents (sdk_requests.json: openai for Python 3.54.0,
recorded on loopback) and satisfy its OpenAPI (request_schemas.json: OpenRouterTeam/docs at c26125a5).

Left out of the comparison: the headers by which an application may make itself known, `tool_choice: "auto"`, which is
the default and not sent, and an effort of reasoning, for which our vocabulary has no word.
"""

from dataclasses import replace

import pytest

from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolChoice
from domain.model.catalogue import Feature, ModelType
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "openrouter"
FORM = {"api_key": "sk-or-v1-dummy"}
PRIVATE = {**FORM, "data_collection": "deny"}
HEADERS = ("authorization", "content-type", "accept")
MODEL = "openai/gpt-5.4-mini"
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("Hello", system="Be brief.")
EVERY = Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1)
BRIEF = replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64))
CALLING = replace(rec.asking("Weather in Paris?"), tools=(TOOL,))
CASES = [("chat", PRIVATE, BRIEF, False), ("chat_stream_tool", FORM, CALLING, True)]


@pytest.mark.parametrize(("name", "form", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, form: dict[str, str], call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, form, MODEL, call, stream=stream, headers=HEADERS)
    assert ours == rec.recorded(rec.calls(ID)[name], without={"tool_choice", "reasoning"}, headers=HEADERS)
    rec.valid(ID, "ChatRequest", ours.body)


def test_an_embedding_request_is_the_clients() -> None:
    ours = rec.embedded(ID, FORM, "openai/text-embedding-3-small", EmbedCall(("hello",)), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embedding"], headers=HEADERS)
    rec.valid(ID, "EmbeddingsRequest", ours.body)


def test_the_probe_looks_at_the_key_because_the_models_are_public() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["key"], headers=HEADERS)


@pytest.mark.parametrize(
    "call",
    [
        replace(CHAT, knobs=EVERY),
        rec.asking("What is this?", rec.pixel()),
        rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1"),
        replace(CALLING, tool_choice=ToolChoice.REQUIRED),
        replace(CHAT, response_schema=ResponseSchema("r", {"type": "object", "properties": {}})),
    ],
    ids=["knobs", "vision", "tool result", "tool choice", "schema"],
)
def test_whatever_is_asked_for_satisfies_the_openapi(call: ChatCall) -> None:
    body = rec.asked(ID, FORM, MODEL, call).body
    rec.valid(ID, "ChatRequest", body)
    assert body.keys() - {"model", "messages"} or len(body["messages"][0]["content"]) == 2


def test_every_knob_travels() -> None:
    body = rec.asked(ID, FORM, MODEL, replace(CHAT, knobs=EVERY)).body
    assert body["stop"] == ["END"]
    assert body.keys() >= {"temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "max_tokens"}


@pytest.mark.parametrize(("said", "sent"), [("", None), ("allow", None), ("deny", {"data_collection": "deny"})])
def test_hosts_that_keep_data_are_a_tenants_choice(said: str, sent: dict[str, str] | None) -> None:
    form = {**FORM, "data_collection": said}
    vectors = rec.embedded(ID, form, "openai/text-embedding-3-small", EmbedCall(("hello",), dimensions=8)).body
    rec.valid(ID, "EmbeddingsRequest", vectors)
    assert vectors.get("provider") == rec.asked(ID, form, MODEL, CHAT).body.get("provider") == sent


@pytest.mark.parametrize(
    ("entered", "base"),
    [
        ("", "https://openrouter.ai/api/v1"),
        ("https://proxy.example/api/v1/", "https://proxy.example/api/v1"),
        ("https://proxy.example/api", "https://proxy.example/api/v1"),
    ],
)
def test_an_address_gets_its_version_once(entered: str, base: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, MODEL, {**FORM, "endpoint_url": entered}).form) == base


def test_rows_name_their_makers_and_cost_what_can_be() -> None:
    rows = {model.ref.name: model for model in catalogue().provider(ID).models}
    assert all("/" in name for name in rows)
    assert {Feature.TOOLS, Feature.VISION, Feature.REASONING} <= rows["anthropic/claude-sonnet-5"].features
    read = [row for row in rows.values() if row.ref.type in (ModelType.LLM, ModelType.EMBEDDING)]
    assert all(row.price for row in read)
    assert all(row.price.input and 0 < row.price.input < 50 for row in rows.values() if row.price)
    assert rows["openai/text-embedding-3-large"].dimensions == 3072
