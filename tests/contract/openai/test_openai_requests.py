"""Our requests to OpenAI equal those of its own SDK (sdk_requests.json: openai for Python 3.54.0, recorded on loopback)
and satisfy its OpenAPI (request_schemas.json: openai/openai-openapi at f85dbe22).

Left out of the comparison: the project header, which the form has no field for; `tool_choice: "auto"`, which is the
default and not sent; and a temperature for a model that reasons, which is dropped with a warning.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, Knobs, Message, ResponseSchema, Role, ToolChoice
from domain.model.catalogue import ModelType
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["openai"]
FORM = {"openai_api_key": "sk-dummy", "openai_organization": "org-dummy"}
HEADERS = ("authorization", "openai-organization", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CHAT = rec.asking("Hello", system="Be brief.")
CASES: list[tuple[str, ChatCall, bool, set[str]]] = [
    ("chat", replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64)), False, {"temperature"}),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True, {"tool_choice"}),
    ("chat_tool_result", rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1"), False, set()),
    ("chat_vision", rec.asking("What is this?", rec.pixel()), False, set()),
    ("chat_json_schema", replace(CHAT, response_schema=ResponseSchema("r", CLOSED)), False, set()),
    ("error_401", CHAT, False, set()),
]


def render(call: ChatCall, model: str = "gpt-5.4-mini", *, stream: bool = False) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target("openai", model, FORM), call, stream=stream)


@pytest.mark.parametrize(("name", "call", "stream", "without"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, call: ChatCall, stream: bool, without: set[str]) -> None:
    request = render(call, stream=stream)
    ours = rec.sent(ADAPTER, rec.target("openai", "x", FORM).form, request, HEADERS)
    assert ours == rec.recorded(rec.calls("openai")[name], without=without, headers=HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize(
    ("name", "call", "without"),
    [
        ("embedding", EmbedCall(("hello",)), set()),
        ("embedding_float", EmbedCall(("hello",), dimensions=3), {"encoding_format"}),
    ],
)
def test_an_embedding_request_is_the_sdks(name: str, call: EmbedCall, without: set[str]) -> None:
    assert ADAPTER.embed
    goal = rec.target("openai", "text-embedding-3-small", FORM, ModelType.EMBEDDING)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.embed.render(goal, call), HEADERS)
    theirs = rec.recorded(rec.calls("openai")[name], without=without, headers=HEADERS)
    assert replace(ours, body={k: v for k, v in ours.body.items() if k not in without}) == theirs
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_the_probe_is_the_sdks_list_of_models() -> None:
    form = rec.target("openai", "x", FORM).form
    ours = rec.sent(ADAPTER, form, ADAPTER.probe(None, form), HEADERS)
    assert ours == rec.recorded(rec.calls("openai")["models"], headers=HEADERS)


def test_a_key_that_may_not_list_models_is_proved_by_a_chat() -> None:
    form = rec.target("openai", "x", {**FORM, "validate_model": "gpt-6-luna"}).form
    ours = rec.sent(ADAPTER, form, ADAPTER.probe(None, form))
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", "/v1/chat/completions", "gpt-6-luna")
    assert ours.body["max_completion_tokens"] == 20


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "https://api.openai.com/v1/models"),
        ("https://proxy.example", "https://proxy.example/v1/models"),
        ("https://proxy.example/v1/", "https://proxy.example/v1/models"),
        ("http://127.0.0.1:8000/deep/", "http://127.0.0.1:8000/deep/v1/models"),
    ],
)
def test_an_address_gets_its_version_once(base: str, url: str) -> None:
    form = rec.target("openai", "x", {**FORM, "openai_api_base": base}).form
    assert f"{ADAPTER.base_url(form)}/{ADAPTER.probe(None, form).path}" == url


KNOBS = Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1)


@pytest.mark.parametrize("model", ["o3", "o4-mini", "gpt-5", "gpt-5.4-mini", "gpt-6-luna", "gpt-10", "ft:gpt-5:acme"])
def test_a_model_that_reasons_gets_no_sampling_and_says_so(model: str) -> None:
    request = render(replace(CHAT, knobs=KNOBS), model)
    assert request.json
    assert request.json["max_completion_tokens"] == 64
    assert "max_tokens" not in request.json
    for knob in ("temperature", "top_p", "presence_penalty", "frequency_penalty"):
        assert knob not in request.json
        assert any(warning.startswith(f"{knob} was left out") for warning in request.warnings)
    assert ("stop" in request.json) is not model.startswith(("o3", "o4"))
    assert request.json["seed"] == 7
    rec.valid("openai", "CreateChatCompletionRequest", request.json)


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "gpt-3.5-turbo", "ft:gpt-4o-mini:acme", "gpt-35-turbo", "olmo-2", "gpt-oss"]
)
def test_any_other_model_gets_every_knob(model: str) -> None:
    request = render(replace(CHAT, knobs=KNOBS), model)
    assert request.json
    assert request.warnings == ()
    assert request.json["max_tokens"] == 64
    assert request.json.keys() >= {"temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty"}
    rec.valid("openai", "CreateChatCompletionRequest", request.json)


@pytest.mark.parametrize(
    ("model", "effort"), [("gpt-5.4", None), ("gpt-5.6-sol", "none"), ("gpt-6-luna", "none"), ("gpt-4o", None)]
)
def test_tools_switch_reasoning_off_where_chat_is_the_protocol_and_demands_it(model: str, effort: str | None) -> None:
    assert ADAPTER.chat
    goal = rec.target("openai", model, {**FORM, "api_protocol": "chat"})
    call = replace(CHAT, tools=(TOOL,), knobs=Knobs(temperature=0.5))
    request = ADAPTER.chat.render(goal, call, stream=False)
    assert request.path == "chat/completions"
    assert request.json
    assert request.json.get("reasoning_effort") == effort
    assert ("temperature" in request.json) is (model != "gpt-5.4")
    assert "reasoning_effort" not in (render(CHAT, model).json or {})


@pytest.mark.parametrize("choice", [ToolChoice.NONE, ToolChoice.REQUIRED])
def test_a_tool_choice_travels(choice: ToolChoice) -> None:
    request = render(replace(CHAT, tools=(TOOL,), tool_choice=choice))
    assert request.json
    assert request.json["tool_choice"] == choice.value
    rec.valid("openai", "CreateChatCompletionRequest", request.json)


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.ASSISTANT, Role.TOOL])
def test_an_image_outside_a_users_turn_is_refused(role: Role) -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(role, (rec.pixel(),), tool_call_id="call_1"),)))
