"""Our requests to GroqCloud equal those of its SDK (sdk_requests.json: groq for Python 1.7.0) and satisfy its OpenAPI
(request_schemas.json); answers are those that the SDK accepted, and of a model that thinks those that were recorded in
vercel/ai at ed857f50 (recorded_answers.json, the stream less its middle); errors are two that were recorded in
pydantic/pydantic-ai at 4fda3898 (there, too), those of its error page, and such as users report (continuedev/continue
#10218, crewAIInc/crewAI#783, rashadphz/farfalle#107, orbi-build/orbi#561).

Left out of the comparison: `reasoning_format`, with which we keep Qwen's thoughts apart from its answer.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, Knobs, ResponseSchema, ToolCall
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

ID = "groqcloud"
FORM = {"api_key": "gsk_dummy"}
HEADERS = ("authorization", "content-type", "accept")
OSS, QWEN = "openai/gpt-oss-20b", "qwen/qwen3.8-27b"
TOOL = rec.weather("Current weather of a city")
HELLO = rec.asking("Hello", system="Be brief.")
SCHEMA = ResponseSchema("r", {"type": "object", "properties": {"a": {"type": "string"}}})
CASES: list[tuple[str, str, ChatCall, bool]] = [
    ("chat", OSS, replace(HELLO, knobs=Knobs(temperature=0.2, max_tokens=64)), False),
    ("chat_stream_tool", OSS, replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True),
    ("chat_vision", QWEN, rec.asking("What is this?", rec.pixel()), False),
]


def chat(call: ChatCall, model: str = OSS, *, stream: bool = False) -> rec.Sent:
    ours = rec.asked(ID, FORM, model, call, stream=stream, headers=HEADERS)
    rec.valid(ID, "CreateChatCompletionRequest", ours.body)
    return ours


@pytest.mark.parametrize(("name", "model", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, model: str, call: ChatCall, stream: bool) -> None:
    ours = chat(call, model, stream=stream)
    assert ours.body.pop("reasoning_format", None) == ("parsed" if model == QWEN else None)
    assert ours == rec.recorded(rec.calls(ID)[name], headers=HEADERS)


@pytest.mark.parametrize(("model", "strict"), [(OSS, {"strict": True}), (QWEN, {})])
def test_a_schema_is_strict_where_the_model_can_be(model: str, strict: dict[str, bool]) -> None:
    schema = chat(replace(HELLO, response_schema=SCHEMA), model).body["response_format"]["json_schema"]
    assert schema == {"name": "r", "schema": SCHEMA.schema, **strict}


def test_a_second_turn_satisfies_the_specification() -> None:
    _, called, answered = chat(rec.after_tool("Weather?", "Paris", "18C", TOOL, "call_1")).body["messages"]
    assert (called["content"], answered["tool_call_id"]) == (None, "call_1")


def test_penalties_are_left_out_and_said_so() -> None:
    adapter = ADAPTERS[ID]
    assert adapter.chat
    call = replace(HELLO, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, -0.1))
    request = adapter.chat.render(rec.target(ID, OSS, FORM), call, stream=False)
    assert request.json
    rec.valid(ID, "CreateChatCompletionRequest", request.json)
    assert request.json.keys() >= {"temperature", "top_p", "stop", "seed", "max_completion_tokens"}
    assert {w.partition(" ")[0] for w in request.warnings} == {"presence_penalty", "frequency_penalty"}


def test_the_probe_is_the_sdks_list_of_models() -> None:
    assert rec.probed(ID, FORM, HEADERS) == rec.recorded(rec.calls(ID)["models"], headers=HEADERS)


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, rec.calls(ID)["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (12, 3)


def test_a_stream_has_its_usage_in_an_object_of_the_vendors() -> None:
    answer = rec.split_in_all_ways(ID, rec.calls(ID)["chat_stream_tool"]["reply_replayed"]["text"])
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_recorded_thoughts_are_kept_apart() -> None:
    recorded = rec.load(ID, "recorded_answers.json")
    whole = rec.answered(ID, recorded["reasoning"])
    assert whole.text.startswith('The word "strawberry" contains **3**')
    assert whole.reasoning == recorded["reasoning"]["choices"][0]["message"]["reasoning"]
    assert (whole.usage.input, whole.usage.output, whole.usage.reasoning) == (17, 649, 570)
    streamed = rec.split_in_all_ways(ID, rec.events(*recorded["reasoning_stream"]))
    assert (streamed.text, streamed.reasoning) == ('The word **"{3}$', "Okay, let")
    assert (streamed.usage.output, streamed.usage.reasoning) == (1107, 963)


def test_a_folded_stream_equals_the_whole_answer() -> None:
    counts = {"prompt_tokens": 30, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}
    message = {"role": "assistant", "content": "Hi.", "reasoning": "Hm."}
    whole = rec.answered(ID, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": counts})
    deltas: list[Any] = [{"reasoning": "H"}, {"reasoning": "m."}, {"content": "Hi."}]
    pieces: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"id": "r", "usage": counts}}
    assert rec.split_in_all_ways(ID, rec.events(*pieces, last)) == whole
    assert (whole.reasoning, whole.usage.reasoning) == ("Hm.", 4)


def test_an_error_in_the_vendors_object_is_a_refusal() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, rec.events({"choices": [], "x_groq": {"id": "r", "error": "over capacity"}}))
    assert caught.value.detail == "over capacity"


@pytest.mark.parametrize(
    ("name", "meaning"), [("unknown_model", ModelNotFoundUpstream), ("tool_use_failed", BadRequestUpstream)]
)
def test_a_recorded_refusal_is_read(name: str, meaning: type[UpstreamError]) -> None:
    said = rec.load(ID, "recorded_answers.json")[name]
    failure = rec.refused(ID, said["status"], said["body"])
    assert (type(failure), failure.status) == (meaning, said["status"])
    assert failure.detail == said["body"]["error"]["message"]


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, "invalid_api_key", CredentialRejected),
        (400, "organization_restricted", CredentialRejected),
        (404, "model_not_found", ModelNotFoundUpstream),
        (400, "model_decommissioned", ModelNotFoundUpstream),
        (403, "model_permission_blocked_org", ModelNotFoundUpstream),
        (400, "context_length_exceeded", ContextTooLong),
        (413, "rate_limit_exceeded", ContextTooLong),
        (400, "tool_use_failed", BadRequestUpstream),
        (429, "rate_limit_exceeded", UpstreamRateLimited),
        (503, None, UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_code(status: int, code: str | None, meaning: type[UpstreamError]) -> None:
    body = {"error": {"message": "It said no.", "type": "invalid_request_error", "code": code}}
    failure = rec.refused(ID, status, body, {"retry-after": "3"})
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, "It said no.")
    assert failure.retry_after == (3.0 if meaning.retryable else None)
