"""OpenAI's /responses: requests as its own SDK sends them (sdk_requests.json: openai for Python 3.54.0, recorded on
loopback) and as its OpenAPI wants them (responses_schemas.json: openai/openai-openapi at f85dbe22), and the replies
that the SDK took. Other events and items are shaped by that OpenAPI.

Left out of the comparison: `store`, which the SDK's caller left to its default. Text may be one string or items.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    StreamBroken,
    UnsupportedFeature,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, Knobs, Message, ResponseSchema, Role, TextPart, ToolCall, ToolChoice
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage
from infrastructure.providers.dialects.openai_responses import Responses
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.contract.openai.test_openai_requests import CLOSED, FORM, HEADERS

ADAPTER = ADAPTERS["openai"]
TORN = "gpt-6.1-sol"
TOOL = replace(rec.weather(""), description=None)
TOOLS = replace(rec.asking("Hello"), tools=(TOOL,))
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi.", "annotations": []}]}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": part} for part in ("Hm.", "So.")]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}
COUNTS = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
}


def render(call: ChatCall, model: str = TORN, *, stream: bool = False) -> Request:
    request = Responses().render(rec.target("openai", model, FORM), call, stream=stream)
    rec.valid("openai", "CreateResponse", request.json, "responses_schemas.json")
    return request


def body(call: ChatCall, model: str = TORN) -> dict[str, Any]:
    return dict(render(call, model).json or {})


def response(*output: Any, **more: Any) -> dict[str, Any]:
    whole = {"id": "r", "object": "response", "status": "completed", "error": None, "incomplete_details": None}
    return {**whole, "output": list(output), "usage": COUNTS, **more}


def event(kind: str, **more: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 0, **more})}\n\n"


def opening() -> str:
    return event("response.created", response=response(status="in_progress"))


def end(whole: dict[str, Any], kind: str = "response.completed") -> str:
    return event(kind, response=whole)


def parse(whole: dict[str, Any]) -> ChatAnswer:
    assert ADAPTER.chat
    return ADAPTER.chat.parse(whole)


@pytest.mark.parametrize(
    ("name", "call", "stream"),
    [
        ("responses", replace(rec.asking("Hello"), knobs=Knobs(max_tokens=64)), False),
        ("responses_stream_tool", TOOLS, True),
    ],
)
def test_a_request_is_the_sdks(name: str, call: ChatCall, stream: bool) -> None:
    theirs = rec.recorded(rec.calls("openai")[name], without={"instructions"}, headers=HEADERS)
    request = render(call, theirs.body["model"], stream=stream)
    ours = rec.sent(ADAPTER, rec.target("openai", "x", FORM).form, request, HEADERS)
    said = [{"role": "user", "content": theirs.body["input"]}]
    assert ours.body.pop("store") is False
    assert rec.like(ours, theirs) == replace(theirs, body={**theirs.body, "input": said})


@pytest.mark.parametrize(
    ("model", "tools", "path"),
    [
        ("gpt-6.1-sol", True, "responses"),
        ("gpt-5.6-luna", True, "responses"),
        ("ft:gpt-6-luna:acme", True, "responses"),
        ("gpt-6.1-sol", False, "chat/completions"),
        ("gpt-5.4", True, "chat/completions"),
        ("gpt-4o", True, "chat/completions"),
    ],
)
def test_only_who_would_have_to_choose_between_thought_and_tools_is_asked_here(
    model: str, tools: bool, path: str
) -> None:
    assert ADAPTER.chat
    call = TOOLS if tools else rec.asking("Hello")
    assert ADAPTER.chat.render(rec.target("openai", model, FORM), call, stream=True).path == path


def test_turns_become_items() -> None:
    call = rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1")
    seen = Message(Role.USER, (TextPart("And this?"), rec.pixel()))
    said = [Message(Role.SYSTEM, rec.asking("Be brief.").messages[0].parts), *call.messages, seen]
    items = body(replace(call, messages=tuple(said)))["input"]
    assert items == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Paris?"},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Paris"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "18C"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "And this?"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{rec.PIXEL}", "detail": "auto"},
            ],
        },
    ]


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.ASSISTANT, Role.TOOL])
def test_an_image_outside_a_users_turn_is_refused(role: Role) -> None:
    with pytest.raises(UnsupportedFeature):
        render(ChatCall((Message(role, (rec.pixel(),), tool_call_id="call_1"),)))


def test_knobs_have_their_names_here_and_those_that_are_unknown_are_left_out() -> None:
    own = {"reasoning_effort": "high", "verbosity": "low", "service_tier": "flex"}
    request = render(replace(TOOLS, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1, own)))
    written = dict(request.json or {})
    assert (written["reasoning"], written["text"]) == ({"effort": "high"}, {"verbosity": "low"})
    assert (written["max_output_tokens"], written["service_tier"]) == (64, "flex")
    left = {"temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty"}
    assert written.keys().isdisjoint({*left, "reasoning_effort", "verbosity"})
    assert {warning.split()[0] for warning in request.warnings} == left


def test_sampling_is_taken_where_reasoning_is_off() -> None:
    request = render(replace(TOOLS, knobs=Knobs(temperature=0.5, top_p=0.9, extra={"reasoning_effort": "none"})))
    written = dict(request.json or {})
    assert (written["temperature"], written["top_p"], request.warnings) == (0.5, 0.9, ())


def test_a_schema_and_a_choice_of_tools_travel() -> None:
    call = replace(TOOLS, tool_choice=ToolChoice.REQUIRED, response_schema=ResponseSchema("r", CLOSED))
    written = body(call)
    assert written["tool_choice"] == "required"
    assert written["text"] == {"format": {"type": "json_schema", "name": "r", "strict": True, "schema": CLOSED}}


def test_the_replies_that_the_sdk_took_are_read() -> None:
    answer = parse(rec.calls("openai")["responses"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "completed"))
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (12, 3, 0)
    stream = rec.calls("openai")["responses_stream_tool"]["reply_replayed"]["text"]
    called = rec.split_in_all_ways("openai", stream)
    assert called.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert called.finish == FinishReason(Finish.TOOL_CALLS, "completed")


def test_a_folded_stream_equals_the_whole_answer() -> None:
    whole = response(THOUGHT, SAID, CALL, {**CALL, "call_id": "call_2"})
    stream = opening() + event("response.output_item.added", output_index=0, item={**THOUGHT, "summary": []})
    for part in ("Hm.", "So."):
        stream += event("response.reasoning_summary_part.added", output_index=0)
        stream += event("response.reasoning_summary_text.delta", output_index=0, delta=part)
    stream += event("response.output_item.added", output_index=1, item={**SAID, "content": []})
    stream += event("response.output_text.delta", output_index=1, delta="H")
    stream += event("response.output_text.delta", output_index=1, delta="i.")
    for at, name in ((2, "call_1"), (3, "call_2")):
        opened = {**CALL, "call_id": name, "arguments": ""}
        stream += event("response.output_item.added", output_index=at, item=opened)
    for piece in ('{"a"', ":1}"):
        stream += event("response.function_call_arguments.delta", output_index=2, delta=piece)
        stream += event("response.function_call_arguments.delta", output_index=3, delta=piece)
    answer = parse(whole)
    assert rec.split_in_all_ways("openai", stream + end(whole)) == answer
    assert (answer.text, answer.reasoning) == ("Hi.", "Hm.\n\nSo.")
    assert [call.id for call in answer.tool_calls] == ["call_1", "call_2"]
    assert answer.usage == Usage(30, 9, 10, 5, COUNTS)


def test_a_refusal_reads_as_text_that_was_filtered() -> None:
    whole = response({"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]})
    stream = opening() + event("response.refusal.delta", output_index=0, delta="I cannot.") + end(whole)
    assert parse(whole).finish == FinishReason(Finish.CONTENT_FILTER, "completed")
    assert rec.streamed("openai", stream) == parse(whole)


@pytest.mark.parametrize(
    ("reason", "unified"), [("max_output_tokens", Finish.LENGTH), ("content_filter", Finish.CONTENT_FILTER)]
)
def test_an_incomplete_answer_says_why(reason: str, unified: Finish) -> None:
    whole = response(SAID, status="incomplete", incomplete_details={"reason": reason})
    assert parse(whole).finish == FinishReason(unified, reason)
    stream = opening() + event("response.output_text.delta", delta="Hi.") + end(whole, "response.incomplete")
    assert rec.streamed("openai", stream) == parse(whole)


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        ("rate_limit_exceeded", "Rate limit reached", UpstreamRateLimited),
        ("server_error", "The model failed", UpstreamUnavailable),
        ("context_length_exceeded", "Too long", ContextTooLong),
        ("content_policy_violation", "No", ContentRefused),
        ("invalid_prompt", "Cannot be done", BadRequestUpstream),
    ],
)
def test_a_failure_has_its_meaning_wherever_it_is_told(code: str, message: str, meaning: type[UpstreamError]) -> None:
    failed = response(status="failed", error={"code": code, "message": message})
    assert ADAPTER.failed(failed)
    bare = event("error", code=code, message=message, param=None)
    with pytest.raises(meaning, match=message):
        parse(failed)
    for stream in (opening() + end(failed, "response.failed"), opening() + bare, bare):
        with pytest.raises(meaning, match=message):
            rec.streamed("openai", stream)


def test_a_stream_without_its_last_event_is_broken() -> None:
    with pytest.raises(StreamBroken):
        rec.streamed("openai", opening() + event("response.output_text.delta", delta="Hi."))


def test_an_answer_without_output_is_no_answer() -> None:
    with pytest.raises(BadRequestUpstream, match="no output"):
        parse({"object": "response", "status": "completed"})
