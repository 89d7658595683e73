"""Our requests to DeepSeek equal those of the client it documents (sdk_requests.json: openai for Python 3.54.0) and
satisfy OpenAI's OpenAPI, for it publishes none; answers are those that this client accepted, and recorded ones
(recorded_answers.json); errors are those of its page.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, Knobs, Role, ToolCall, ToolChoice
from domain.model.catalogue import Feature
from domain.model.events import Finish, FinishReason
from domain.model.parameters import Value
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ID = "deepseek"
FORM = {"api_key": "sk-dummy"}
HEADERS = ("authorization", "content-type", "accept")
SAID = rec.load(ID, "recorded_answers.json")
TOOL = rec.weather("Current weather of a city")
HELLO = rec.asking("Hello", system="Be brief.")
ASKING = rec.asking("Weather in Paris?")
REQUIRED = replace(ASKING, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED)
SILENT: dict[str, Value] = {"enable_thinking": False}
CASES: list[tuple[str, ChatCall, bool]] = [
    ("chat", replace(HELLO, knobs=Knobs(max_tokens=64)), False),
    ("chat_non_thinking", replace(HELLO, knobs=Knobs(temperature=0.2, extra=SILENT)), False),
    ("chat_stream_tool", replace(ASKING, tools=(TOOL,)), True),
    ("chat_tool_result", rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1"), False),
    ("chat_tool_required", REQUIRED, False),
    ("chat_vision", rec.asking("What is in this image?", rec.pixel()), False),
]


def chat(call: ChatCall, *, stream: bool = False) -> rec.Sent:
    ours = rec.asked(ID, FORM, "deepseek-flash", call, stream=stream, headers=HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)
    return ours


@pytest.mark.parametrize(("name", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool) -> None:
    assert chat(call, stream=stream) == rec.recorded(rec.calls(ID)[name], headers=HEADERS)


def test_every_turn_of_the_models_has_an_empty_thought() -> None:
    turns = (rec.saying(Role.USER, "Hello"), rec.saying(Role.ASSISTANT, "Hi."), rec.saying(Role.USER, "Bye."))
    asked, said, _ = chat(ChatCall(turns)).body["messages"]
    assert (said["content"], said["reasoning_content"]) == ("Hi.", "")
    assert "reasoning_content" not in asked


def rendered(call: ChatCall) -> Request:
    adapter = ADAPTERS[ID]
    assert adapter.chat
    return adapter.chat.render(rec.target(ID, "deepseek-flash", FORM), call, stream=False)


def test_a_required_call_says_that_it_costs_the_thoughts() -> None:
    (warning,) = rendered(REQUIRED).warnings
    assert warning == "thinking was left out: deepseek-flash cannot think where a tool call is required"
    assert not rendered(replace(REQUIRED, tool_choice=ToolChoice.AUTO)).warnings


@pytest.mark.parametrize(("wish", "warnings"), [(True, 1), (False, 0)])
def test_a_required_call_warns_whoever_did_not_want_silence(wish: bool, warnings: int) -> None:
    request = rendered(replace(REQUIRED, knobs=Knobs(extra={"enable_thinking": wish})))
    assert request.json
    assert (request.json["thinking"], len(request.warnings)) == ({"type": "disabled"}, warnings)
    assert "enable_thinking" not in request.json


def test_thinking_is_not_asked_for_since_it_is_the_default() -> None:
    request = rendered(replace(HELLO, knobs=Knobs(temperature=0.2, extra={"enable_thinking": True})))
    assert request.json
    assert request.json.keys() == {"model", "messages"}
    assert [warning.split()[0] for warning in request.warnings] == ["temperature"]


def test_calls_are_ruled_out_by_offering_none_since_thinking_takes_no_choice() -> None:
    assert chat(replace(REQUIRED, tool_choice=ToolChoice.NONE)).body.keys() == {"model", "messages"}


def test_a_turn_in_which_the_model_said_nothing_is_left_out() -> None:
    turns = (rec.saying(Role.USER, "Hello"), rec.saying(Role.ASSISTANT, ""), rec.saying(Role.USER, "Hello?"))
    assert [turn["content"] for turn in chat(ChatCall(turns)).body["messages"]] == ["Hello", "Hello?"]


def test_sampling_is_left_out_and_said_so() -> None:
    request = rendered(replace(HELLO, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1)))
    assert request.json
    assert request.json.keys() == {"model", "messages", "max_tokens", "stop"}
    dropped = {"temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"}
    assert {warning.partition(" ")[0] for warning in request.warnings} == dropped


def test_no_row_offers_a_schema_that_the_vendor_does_not_take() -> None:
    rows = catalogue().provider(ID).models
    assert rows
    assert not any(Feature.STRUCTURED_OUTPUT in row.features for row in rows)


def test_the_probe_is_the_clients_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models"], headers=HEADERS)


def test_an_address_with_a_version_is_taken_as_it_is() -> None:
    form = rec.target(ID, "x", {**FORM, "endpoint_url": "https://api.deepseek.com/v1/"}).form
    assert ADAPTERS[ID].base_url(form) == "https://api.deepseek.com/v1"


def test_a_whole_answer_keeps_its_thoughts_apart() -> None:
    answer = rec.answered(ID, rec.calls(ID)["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.reasoning, answer.finish) == ("Hi.", "thinking", FinishReason(Finish.STOP, "stop"))
    usage = answer.usage
    assert (usage.input, usage.output, usage.cached_input, usage.reasoning) == (12, 3, 0, 1)


def test_a_stream_among_keep_alive_comments_is_put_together() -> None:
    answer = rec.split_in_all_ways(ID, rec.calls(ID)["chat_stream_tool"]["reply_replayed"]["text"])
    assert (answer.text, answer.reasoning) == ("", "hm")
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output, answer.usage.cached_input) == (30, 9, 0)


def test_recorded_calls_of_two_tools_are_read_beside_text_and_thoughts() -> None:
    answer = rec.answered(ID, SAID["calls"])
    assert (answer.text, answer.finish.unified) == ("Let me get your name and roll the die!", Finish.TOOL_CALLS)
    assert answer.reasoning.startswith("Great, now I have access")
    assert [(call.id[:7], call.name, call.arguments) for call in answer.tool_calls] == [
        ("call_00", "get_player_name", "{}"),
        ("call_01", "roll_dice", "{}"),
    ]
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (875, 79, 26)


def test_a_recorded_stream_is_put_together() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert (answer.text, answer.reasoning) == ("Hello there! 😊 How can I help you today?", "Hmm, okay too.")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (6, 212, 198)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    body = rec.calls(ID)["chat"]["reply_replayed"]["body"]
    said = body["choices"][0]["message"]
    deltas = [{"reasoning_content": said["reasoning_content"]}, {"content": said["content"]}]
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": body["usage"]})
    assert rec.split_in_all_ways(ID, rec.events(*chunks)) == rec.answered(ID, body)


def test_an_answer_without_machines_to_end_it_is_a_failure_whole_and_streamed() -> None:
    reason = "insufficient_system_resource"
    with pytest.raises(UpstreamUnavailable):
        rec.answered(ID, {"choices": [{"message": {"content": "Hi"}, "finish_reason": reason}]})
    with pytest.raises(UpstreamUnavailable):
        rec.streamed(ID, rec.events({"choices": [{"delta": {}, "finish_reason": reason}]}))


@pytest.mark.parametrize(
    ("status", "said", "meaning"),
    [
        (401, "Authentication Fails, Your api key is invalid", CredentialRejected),
        (402, "Insufficient Balance", UpstreamPaymentRequired),
        (400, "This model's maximum context length is 1000000 tokens.", ContextTooLong),
        (400, "Content Exists Risk", ContentRefused),
        (400, "Failed to deserialize the JSON body", BadRequestUpstream),
        (422, "Invalid Parameters", BadRequestUpstream),
        (429, "Rate Limit Reached", UpstreamRateLimited),
        (500, "Server Error", UpstreamUnavailable),
        (503, "Server Overloaded", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_status_and_message(status: int, said: str, meaning: type[UpstreamError]) -> None:
    error = {"message": said, "type": "invalid_request_error", "param": None, "code": "invalid_request_error"}
    failure = rec.refused(ID, status, {"error": error})
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, said)
