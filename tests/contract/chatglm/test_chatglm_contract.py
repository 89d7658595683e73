"""ChatGLM by the demo that serves it (THUDM/ChatGLM3 at 2afdbb93, openai_api_demo/): requests of OpenAI's client
(sdk_requests.json) with the fields that api_server.py reads; turns that call functions are those of its sample
(openai_api_request.py); answers and refusals have the fields that the same file writes.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, Message, Role, TextPart, ToolCall, ToolChoice
from domain.model.catalogue import Feature
from domain.model.events import Finish, FinishReason, fold
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS
from tests.gateways import gateway
from tests.stubs import asgi
from tests.stubs.serve import serving

ID = "chatglm"
FORM = FORMS[ID]
MODEL = "chatglm3-6b"
READ = {"model", "messages", "temperature", "top_p", "max_tokens", "stream", "tools", "repetition_penalty"}
UNREAD = frozenset({"stop", "seed", "presence_penalty", "frequency_penalty", "tool_choice", "stream_options"})
TOOLS = "chat.completions.create stream + tool"


def test_a_chat_request_is_the_clients_less_what_the_demo_does_not_read() -> None:
    ours = client.chat(ID, "chat.completions.create", FORM)
    assert ours == client.theirs(ID, "chat.completions.create", UNREAD)
    assert ours.body.keys() <= READ


def test_a_request_with_tools_is_the_clients_but_whole() -> None:
    ours = client.chat(ID, TOOLS, FORM)
    assert ours == client.theirs(ID, TOOLS, UNREAD | {"stream"})
    assert ours.body.keys() <= READ


def test_a_stream_without_tools_is_asked_for() -> None:
    body = rec.asked(ID, FORM, MODEL, rec.asking("Hello"), stream=True).body
    assert body == {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def test_knobs_that_the_demo_does_not_read_are_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = client.CHATS["chat.completions.create"]
    request = dialect.render(rec.target(ID, MODEL, FORM), call, stream=False)
    dropped = {"stop", "seed", "presence_penalty", "frequency_penalty"}
    assert {warning.split()[0] for warning in request.warnings} == dropped


def test_turns_that_call_functions_are_those_of_the_sample() -> None:
    arguments = '{"location": "Beijing", "unit": "celsius"}'
    call = ToolCall("x", "get_current_weather", arguments)
    told = '{"temperature": "12", "unit": "celsius", "description": "Sunny"}'
    answered = Message(Role.TOOL, (TextPart(told),), tool_call_id="x", tool_name="get_current_weather")
    turns = (rec.saying(Role.USER, "波士顿天气如何？"), Message(Role.ASSISTANT, tool_calls=(call,)), answered)
    _, ours, theirs = rec.asked(ID, FORM, MODEL, ChatCall(turns)).body["messages"]
    assert ours == {
        "role": "assistant",
        "content": "get_current_weather\n ```python\ntool_call(location='Beijing', unit='celsius')\n```",
        "function_call": {"name": "get_current_weather", "arguments": arguments},
    }
    assert theirs == {"role": "function", "name": "get_current_weather", "content": told}


def test_images_and_required_calls_are_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, MODEL, client.CHATS["chat.completions.create vision"])
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, MODEL, replace(client.CHATS[TOOLS], tool_choice=ToolChoice.REQUIRED))


def whole(content: str, reason: str, call: Any = None) -> Any:
    message = {"role": "assistant", "content": content, "name": None, "function_call": call}
    choices = [{"index": 0, "message": message, "finish_reason": reason}]
    counts = {"prompt_tokens": 9, "total_tokens": 29, "completion_tokens": 20}
    return {"model": MODEL, "id": "", "object": "chat.completion", "choices": choices, "created": 1, "usage": counts}


CALLING = {"name": "get_weather", "arguments": '{"city": "Tokyo"}'}
WRITTEN = "get_weather\n ```python\ntool_call(city='Tokyo')\n```"


@pytest.mark.parametrize(("written", "said"), [(WRITTEN, ""), ("Let me look.", "Let me look.")])
def test_a_call_is_read_and_what_the_model_wrote_to_make_it_is_not(written: str, said: str) -> None:
    answer = rec.answered(ID, whole(written, "function_call", CALLING))
    assert (answer.text, answer.finish) == (said, FinishReason(Finish.TOOL_CALLS, "function_call"))
    ((name, arguments),) = [(call.name, call.arguments) for call in answer.tool_calls]
    assert (name, arguments) == ("get_weather", '{"city": "Tokyo"}')
    assert answer.tool_calls[0].id


def chunk(delta: Any, reason: str | None = None) -> Any:
    choice = {"delta": delta, "finish_reason": reason, "index": 0}
    return {"model": MODEL, "id": "", "choices": [choice], "object": "chat.completion.chunk"}


def test_a_stream_folds_to_the_whole_answer_but_for_its_counts() -> None:
    answer = rec.answered(ID, whole("Hello.", "stop"))
    assert (answer.text, answer.usage.input, answer.usage.output) == ("Hello.", 9, 20)
    deltas: list[Any] = [{"content": "", "role": "assistant", "function_call": None}]
    deltas += [{"content": said, "role": "assistant", "function_call": None} for said in ("Hel", "lo.")]
    chunks = [*map(chunk, deltas), chunk({"content": "", "role": "assistant", "function_call": None}, "stop")]
    folded = rec.split_in_all_ways(ID, rec.events(*chunks))
    assert (folded.text, folded.finish, folded.usage.output) == ("Hello.", answer.finish, None)
    with pytest.raises(errors.StreamBroken):
        rec.streamed(ID, rec.events(*chunks[:-1]))


async def test_a_stream_that_was_answered_whole_is_one_of_its_call() -> None:
    async def demo(scope: Any, receive: Any, send: Any) -> None:
        await asgi.json(send, 200, whole(WRITTEN, "function_call", CALLING))

    async with serving(demo) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, MODEL, {"api_base": url})
        async with subject.chat_stream(goal, client.CHATS[TOOLS]) as events:
            answer = fold([event async for event in events])
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert (answer.text, answer.usage.output) == ("", 20)


def test_the_probe_is_the_clients_list_of_models() -> None:
    ours = rec.probed(ID, FORM, client.HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["models.list"], headers=client.HEADERS)
    assert "authorization" not in rec.probed(ID, {"api_base": "http://127.0.0.1:8000/v1/"}, client.HEADERS).headers


@pytest.mark.parametrize(
    ("status", "body", "said", "meaning"),
    [
        (400, {"detail": "Invalid request"}, "Invalid request", errors.BadRequestUpstream),
        (
            422,
            {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user'", "type": "literal"}]},
            "body.messages.0.role: Input should be 'user'",
            errors.BadRequestUpstream,
        ),
        (401, {"detail": "Unauthorized"}, "Unauthorized", errors.CredentialRejected),
        (500, "Internal Server Error", "Internal Server Error", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_status(status: int, body: Any, said: str, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_only_the_third_generation_calls_functions() -> None:
    calling = {row.ref.name for row in catalogue().provider(ID).models if Feature.TOOLS in row.features}
    assert calling == {"chatglm3-6b", "chatglm3-6b-32k"}
