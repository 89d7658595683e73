"""Our requests to Anthropic equal those of its own SDK (sdk_requests.json: anthropic for Python 2.12.0, recorded on
loopback) and satisfy its OpenAPI (request_schemas.json: the mirror tryAGI/Anthropic at 8b42a21e).

Left out of the comparison: `anthropic-version`, since we ask for 2023-06-01, which still takes sampling, where the SDK
asks for 2026-10-21; and `tool_choice: {"type": "auto"}`, which is the default and not sent.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import (
    ChatCall,
    ImagePart,
    Knobs,
    Message,
    ResponseSchema,
    Role,
    TextPart,
    ToolCall,
    ToolChoice,
)
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ADAPTER = ADAPTERS["anthropic"]
FORM = {"anthropic_api_key": "sk-ant-dummy"}
HEADERS = ("authorization", "x-api-key", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CASES: list[tuple[str, ChatCall, bool, set[str]]] = [
    ("chat", rec.asking("Hello", system="Be brief."), False, set()),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True, {"tool_choice"}),
    ("chat_tool_result", rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "toolu_1"), False, set()),
    ("chat_vision", rec.asking(rec.pixel(), "What is this?"), False, set()),
    ("chat_vision_url", rec.asking(ImagePart("https://example.com/a.png"), "What is this?"), False, set()),
    ("chat_structured", replace(rec.asking("x"), response_schema=ResponseSchema("r", CLOSED)), False, set()),
]


def render(call: ChatCall, model: str = "claude-sonnet-4-6", *, stream: bool = False) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target("anthropic", model, FORM), call, stream=stream)


def body_of(call: ChatCall, model: str = "claude-sonnet-4-6") -> Any:
    body = render(call, model).json
    rec.valid("anthropic", "CreateMessageParams", body)
    return body


@pytest.mark.parametrize(("name", "call", "stream", "without"), CASES, ids=[case[0] for case in CASES])
def test_a_message_request_is_the_sdks(name: str, call: ChatCall, stream: bool, without: set[str]) -> None:
    request = render(replace(call, knobs=Knobs(max_tokens=64)), stream=stream)
    ours = rec.sent(ADAPTER, rec.target("anthropic", "x", FORM).form, request, HEADERS)
    assert ours == rec.recorded(rec.calls("anthropic")[name], without=without, headers=HEADERS)
    rec.valid("anthropic", "CreateMessageParams", ours.body)


def test_ids_of_calls_that_another_vendor_made_become_such_as_this_one_takes() -> None:
    """Its OpenAPI, to which `body_of` holds them, has letters, digits, dashes and underscores."""

    def ids(call_id: str) -> tuple[str, str]:
        _, asked, answered = body_of(rec.after_tool("Weather?", "Oslo", "5C", TOOL, call_id))["messages"]
        return asked["content"][0]["id"], answered["content"][0]["tool_use_id"]

    (asked, answered), (other, _) = ids("functions.get_weather:0"), ids("functions.get_weather:1")
    assert asked == answered != other
    assert ids("toolu_1") == ("toolu_1", "toolu_1")


def test_sampling_reaches_a_model_that_takes_it() -> None:
    request = render(replace(rec.asking("Hello"), knobs=Knobs(temperature=0.2, max_tokens=64)))
    assert request.json == rec.recorded(rec.calls("anthropic")["chat_temperature"]).body
    assert request.warnings == ()


def test_the_probe_is_the_sdks_list_of_one_model() -> None:
    form = rec.target("anthropic", "x", FORM).form
    ours = rec.sent(ADAPTER, form, ADAPTER.probe(None, form), HEADERS)
    assert ours == rec.recorded(rec.calls("anthropic")["models"], headers=HEADERS)
    assert rec.signed(ADAPTER, form)["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize("base", ["", "https://api.anthropic.com/", "https://api.anthropic.com/v1"])
def test_an_address_has_no_version_of_its_own(base: str) -> None:
    form = rec.target("anthropic", "x", {**FORM, "anthropic_api_url": base}).form
    assert ADAPTER.base_url(form) == "https://api.anthropic.com"


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-sonnet-4-6", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-3-5-sonnet-20241022", True),
        ("claude-opus-4-7", False),
        ("claude-opus-4-7-20260416", False),
        ("claude-sonnet-5-5", False),
        ("claude-fable-5", False),
    ],
)
def test_sampling_is_left_out_with_a_warning_where_it_is_refused(model: str, takes: bool) -> None:
    request = render(replace(rec.asking("x"), knobs=Knobs(temperature=0.2, top_p=0.9, stop=("END",))), model)
    assert request.json
    assert ("temperature" in request.json, "top_p" in request.json) == (takes, takes)
    assert len(request.warnings) == (0 if takes else 2)
    assert request.json["stop_sequences"] == ["END"]


def test_what_the_vendor_lacks_is_left_out_with_a_warning() -> None:
    request = render(replace(rec.asking("x"), knobs=Knobs(seed=7, presence_penalty=0.1, frequency_penalty=0.1)))
    rec.valid("anthropic", "CreateMessageParams", request.json)
    assert [w.split()[0] for w in request.warnings] == ["seed", "presence_penalty", "frequency_penalty"]


def test_thinking_has_fields_of_its_own() -> None:
    knobs = Knobs(extra={"effort": "low", "include_thoughts": True})
    call = replace(rec.asking("x"), knobs=knobs, response_schema=ResponseSchema("r", {"type": "object"}))
    request = render(call, "claude-opus-5-5")
    assert request.json
    rec.valid("anthropic", "CreateMessageParams", request.json)
    assert request.json["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert request.json["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object"}},
    }
    assert not {"effort", "include_thoughts"} & request.json.keys()
    assert request.warnings == ()
    silent = body_of(replace(rec.asking("x"), knobs=Knobs(extra={"include_thoughts": False})))
    assert not {"thinking", "output_config", "include_thoughts"} & silent.keys()


def test_an_output_limit_is_always_sent() -> None:
    assert body_of(rec.asking("x"))["max_tokens"] == 4096


def test_results_of_one_turn_come_in_one_user_turn_and_first() -> None:
    calls = (ToolCall("a", "f", "{}"), ToolCall("b", "g", ""))
    turns = (
        rec.saying(Role.USER, "Go"),
        Message(Role.ASSISTANT, (TextPart("Calling."),), calls),
        rec.saying(Role.USER, "And then?"),
        Message(Role.TOOL, (TextPart("1"),), tool_call_id="a"),
        Message(Role.TOOL, (rec.pixel(),), tool_call_id="b"),
    )
    body = body_of(ChatCall(turns, tools=(TOOL,)))
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use", "tool_use"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_system_turns_leave_the_conversation_and_turns_of_one_side_are_merged() -> None:
    turns = (
        rec.saying(Role.SYSTEM, "One."),
        rec.saying(Role.USER, "a"),
        rec.saying(Role.SYSTEM, "Two."),
        rec.saying(Role.USER, "", "b"),
        rec.saying(Role.ASSISTANT, ""),
    )
    body = body_of(ChatCall(turns))
    assert body["system"] == "One.\n\nTwo."
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert [block["text"] for block in body["messages"][0]["content"]] == ["a", "b"]


@pytest.mark.parametrize(("choice", "kind"), [(ToolChoice.REQUIRED, "any"), (ToolChoice.NONE, "none")])
def test_a_tool_choice_has_the_vendors_name(choice: ToolChoice, kind: str) -> None:
    assert body_of(replace(rec.asking("x"), tools=(TOOL,), tool_choice=choice))["tool_choice"] == {"type": kind}


@pytest.mark.parametrize("arguments", ["{", "[]", '"text"'])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidRange):
        render(ChatCall((Message(Role.ASSISTANT, tool_calls=(ToolCall("a", "f", arguments),)),)))


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.ASSISTANT])
def test_an_image_where_none_can_be_is_refused(role: Role) -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(role, (rec.pixel(),)),)))
