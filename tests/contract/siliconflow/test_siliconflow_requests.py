"""Our requests to SiliconFlow equal those of the client that it documents (sdk_requests.json: openai for Python 3.54.0,
recorded on loopback) and satisfy its OpenAPI (request_schemas.json), as far as that goes: it knows no tool turns.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent, and `enable_thinking`, which that
caller chose.
"""

from dataclasses import replace

import pytest

from domain.model.calls import ChatCall, EmbedCall, ImagePart, Knobs, ResponseSchema
from domain.model.catalogue import Feature, ModelType
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "siliconflow"
FORM = {"api_key": "sk-fake"}
HEADERS = ("authorization", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("ping", system="You are terse.")
PICTURE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
SEEING = "Qwen/Qwen2.5-VL-72B-Instruct"
CASES: list[tuple[str, str, ChatCall, bool]] = [
    ("chat", "Qwen/Qwen3-8B", replace(CHAT, knobs=Knobs(temperature=0.6, max_tokens=16)), False),
    ("chat_stream_tool", "Qwen/Qwen3-8B", replace(CHAT, tools=(TOOL,)), True),
    ("chat_tool_result", "Qwen/Qwen3-8B", rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1"), False),
    ("chat_vision", SEEING, rec.asking(PICTURE, "what is it?"), False),
]


@pytest.mark.parametrize(("name", "model", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, model: str, call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, model, call, stream=stream, headers=HEADERS)
    without = {"tool_choice", "enable_thinking"}
    assert ours == rec.silent(rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS))
    if name != "chat_tool_result":
        rec.valid(ID, "ChatCompletionVLMRequest" if model == SEEING else "ChatCompletionRequest", ours.body)


def test_an_embedding_request_is_the_clients() -> None:
    ours = rec.embedded(ID, FORM, "BAAI/bge-m3", EmbedCall(("hello", "world")), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embedding"], headers=HEADERS)
    rec.valid(ID, "EmbeddingsRequest", ours.body)


def test_one_request_carries_as_many_texts_as_the_vendor_takes() -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    texts = ("x",) * dialect.batch(rec.target(ID, "BAAI/bge-m3", FORM, ModelType.EMBEDDING))
    assert len(texts) == 32
    rec.valid(ID, "EmbeddingsRequest", rec.embedded(ID, FORM, "BAAI/bge-m3", EmbedCall(texts)).body)


def test_the_probe_is_the_clients_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models"], headers=HEADERS)


@pytest.mark.parametrize(("abroad", "host"), [("", "cn"), ("false", "cn"), ("true", "com")])
def test_keys_belong_to_one_of_two_addresses(abroad: str, host: str) -> None:
    form = rec.target(ID, "x", {**FORM, "use_international_endpoint": abroad}).form
    assert ADAPTERS[ID].base_url(form) == f"https://api.siliconflow.{host}/v1"


@pytest.mark.parametrize(
    ("model", "thinks"), [("deepseek-ai/DeepSeek-V3.1-Terminus", False), ("deepseek-ai/DeepSeek-V3.2", None)]
)
def test_a_model_that_cannot_think_and_call_tools_is_told_not_to_think(model: str, thinks: bool | None) -> None:
    body = rec.asked(ID, FORM, model, replace(CHAT, tools=(TOOL,))).body
    assert body.get("enable_thinking") is thinks
    assert "enable_thinking" not in rec.asked(ID, FORM, model, CHAT).body
    rec.valid(ID, "ChatCompletionRequest", body)


def test_every_knob_and_a_schema_travel() -> None:
    schema = ResponseSchema("r", {"type": "object", "properties": {}})
    call = replace(CHAT, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1), response_schema=schema)
    body = rec.asked(ID, FORM, "zai-org/GLM-5.2", call).body
    assert (body["max_tokens"], body["stop"], body["response_format"]["type"]) == (64, ["END"], "json_schema")
    rec.valid(ID, "ChatCompletionRequest", body)


def test_rows_know_what_thinks_and_what_costs_nothing() -> None:
    rows = {model.ref.name: model for model in catalogue().provider(ID).models}
    assert {Feature.REASONING, Feature.TOOLS} <= rows["deepseek-ai/DeepSeek-V4-Flash"].features
    free = rows["BAAI/bge-m3"]
    assert free.price
    assert (str(free.price.input), free.price.currency, free.dimensions) == ("0", "CNY", 1024)
