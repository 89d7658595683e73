"""Our requests to DeepSeek equal those of the client it documents (sdk_requests.json: openai for Python 3.54.0) and
satisfy OpenAI's OpenAPI, for it publishes none; answers are those that this client accepted, errors those of its page.

Left out of the comparison: `thinking`, which our vocabulary has not, and a temperature, which has no effect while the
model thinks.
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
from domain.model.calls import ChatCall, Knobs, ToolCall
from domain.model.catalogue import Feature
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "deepseek"
FORM = {"api_key": "sk-dummy"}
HEADERS = ("authorization", "content-type", "accept")
TOOL = rec.weather("Current weather of a city")
HELLO = rec.asking("Hello", system="Be brief.")
CASES: list[tuple[str, ChatCall, bool, set[str]]] = [
    ("chat", replace(HELLO, knobs=Knobs(max_tokens=64)), False, set()),
    ("chat_non_thinking", replace(HELLO, knobs=Knobs(temperature=0.2)), False, {"temperature", "thinking"}),
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True, set()),
]


def chat(call: ChatCall, *, stream: bool = False) -> rec.Sent:
    ours = rec.asked(ID, FORM, "deepseek-flash", call, stream=stream, headers=HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)
    return ours


@pytest.mark.parametrize(("name", "call", "stream", "without"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool, without: set[str]) -> None:
    assert chat(call, stream=stream) == rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS)


def test_the_models_turns_have_an_empty_thought() -> None:
    asked, called, answered = chat(rec.after_tool("Weather?", "Paris", "18C", TOOL, "call_1")).body["messages"]
    assert called["reasoning_content"] == ""
    assert "reasoning_content" not in asked.keys() | answered.keys()


def test_an_image_travels_as_openais() -> None:
    """Inferred: the vendor says that images are parts of a turn as OpenAI has them."""
    _, image = chat(rec.asking("What is this?", rec.pixel())).body["messages"][0]["content"]
    assert image == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{rec.PIXEL}"}}


def test_sampling_is_left_out_and_said_so() -> None:
    adapter = ADAPTERS[ID]
    assert adapter.chat
    call = replace(HELLO, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1))
    request = adapter.chat.render(rec.target(ID, "deepseek-flash", FORM), call, stream=False)
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
