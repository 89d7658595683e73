"""Chat at Tongyi, in OpenAI's shape, for which the vendor documents OpenAI's client: requests as that
client sends them there (sdk_requests_openai.json); turns, tools and knobs as the vendor's own SDK writes them into the
body of its other API (sdk_requests.json: dashscope 2.0.2). Answers are recorded ones (recorded_answers.json);
refusals have the shape that help.aliyun.com/zh/model-studio documents.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; `index` beside a tool call.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, Knobs, ToolCall, ToolChoice
from domain.model.catalogue import Feature
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "tongyi"
CLIENT = "sdk_requests_openai.json"
FORM = {"dashscope_api_key": "<key>"}
HEADERS = ("authorization", "accept", "content-type")
PING = rec.asking("ping", system="You are terse.")
TOOL = rec.weather("Current weather of a city")
SAID = rec.load(ID, "recorded_answers.json")
# What docs.qwencloud.com/api-reference/chat/openai-chat names, of OpenAI's fields.
NAMED = {
    *("model", "messages", "stream", "stream_options", "temperature", "top_p", "presence_penalty", "response_format"),
    *("max_tokens", "max_completion_tokens", "n", "seed", "logprobs", "top_logprobs", "stop", "tools", "tool_choice"),
    "parallel_tool_calls",
}


@pytest.mark.parametrize("name", client.CHATS)
def test_a_request_is_what_openais_client_sends(name: str) -> None:
    theirs = client.theirs(ID, name, file=CLIENT)
    model = theirs.body["model"]
    ours = rec.asked(ID, FORM, model, client.CHATS[name], stream="stream" in name, headers=client.HEADERS)
    assert ours == theirs
    assert ours.body.keys() <= NAMED
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


OWN: list[tuple[str, ChatCall]] = [
    ("chat", replace(PING, knobs=Knobs(temperature=0.5, max_tokens=16))),
    ("chat_stream_incremental", replace(PING, tools=(TOOL,))),
    ("chat_tool_result", rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1")),
    ("chat_thinking", replace(PING, knobs=Knobs(extra={"enable_thinking": False}))),
]


@pytest.mark.parametrize(("name", "call"), OWN, ids=[name for name, _ in OWN])
def test_turns_tools_and_knobs_are_those_of_the_vendors_sdk(name: str, call: ChatCall) -> None:
    theirs = rec.recorded(rec.calls(ID)[name]).body
    for called in (called for turn in theirs["input"]["messages"] for called in turn.get("tool_calls", ())):
        called.pop("index", None)
    ours = rec.asked(ID, FORM, theirs["model"], call)
    own = {k: v for k, v in theirs["parameters"].items() if k not in {"result_format", "incremental_output"}}
    own.pop("tool_choice", None)
    flat = replace(ours, body={"model": theirs["model"], "messages": theirs["input"]["messages"], **own})
    assert rec.silent(ours) == rec.silent(flat)


def test_what_the_vendor_does_not_name_is_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    request = dialect.render(rec.target(ID, "qwen-plus", FORM), client.CHATS["chat.completions.create"], stream=False)
    assert [warning.split()[0] for warning in request.warnings] == ["frequency_penalty"]


def test_no_tool_call_can_be_required() -> None:
    call = replace(PING, tools=(TOOL,), tool_choice=ToolChoice.NONE)
    assert not rec.asked(ID, FORM, "qwen-plus", call).body.keys() & {"tools", "tool_choice"}
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, "qwen-plus", replace(call, tool_choice=ToolChoice.REQUIRED))


@pytest.mark.parametrize("model", ["qwen3-8b", "qwen3-235b-a22b", "qwen3-0.6b"])
def test_an_open_model_thinks_only_in_a_stream(model: str) -> None:
    assert rec.asked(ID, FORM, model, PING).body["enable_thinking"] is False
    assert "enable_thinking" not in rec.asked(ID, FORM, model, PING, stream=True).body
    wanted = replace(PING, knobs=Knobs(extra={"enable_thinking": True}))
    dialect = ADAPTERS[ID].chat
    assert dialect
    assert dialect.render(rec.target(ID, model, FORM), wanted, stream=False).warnings
    assert rec.asked(ID, FORM, model, wanted, stream=True).body["enable_thinking"] is True


@pytest.mark.parametrize("model", ["qwen3-max", "qwen3-30b-a3b-instruct-2507", "qwen-plus"])
def test_other_models_are_left_to_think_as_they_do(model: str) -> None:
    assert "enable_thinking" not in rec.asked(ID, FORM, model, PING).body


@pytest.mark.parametrize("model", ["qwq-plus", "qvq-max", "qwen3-omni-flash", "qwen3-vl-30b-a3b-thinking"])
def test_a_model_that_only_streams_is_not_asked_for_a_whole_answer(model: str) -> None:
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, model, PING)
    assert rec.asked(ID, FORM, model, PING, stream=True).body["stream"] is True


def test_a_recorded_answer_is_read() -> None:
    answer = rec.answered(ID, SAID["text"])
    assert answer.text.startswith("## The Festival of Forgotten Things")
    assert (answer.reasoning, answer.finish) == ("", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output, answer.usage.cached_input) == (18, 1064, 0)


def test_a_recorded_tool_call_is_read_whole_and_streamed() -> None:
    whole = rec.answered(ID, SAID["tool_call"])
    called = ToolCall("call_962bfd2ab8f54b89a1161356", "weather", '{"location": "San Francisco"}')
    assert whole.tool_calls == (called,)
    streamed = rec.split_in_all_ways(ID, rec.events(*SAID["tool_call_stream"]))
    assert streamed.tool_calls == (replace(called, id="call_eee11723464a4b9eb8cee71d"),)
    for answer in (whole, streamed):
        assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
        assert (answer.text, answer.usage.input, answer.usage.output) == ("", 295, 22)


def test_a_recorded_stream_is_read_with_its_thoughts_apart() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["reasoning_stream"]))
    assert answer.reasoning.startswith("We are asked:")
    assert answer.text.endswith("**Answer: 3**")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (24, 1355, 1084)


def test_a_thought_in_a_whole_answer_stands_apart() -> None:
    answer = client.told(ID, {"content": "3", "reasoning_content": "We are asked"})
    assert (answer.text, answer.reasoning) == ("3", "We are asked")


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ({}, "https://dashscope.aliyuncs.com"),
        ({"use_international_endpoint": "true"}, "https://dashscope-intl.aliyuncs.com"),
        (
            {"base_url": "https://ws.cn-beijing.maas.aliyuncs.com/compatible-mode/v1/"},
            "https://ws.cn-beijing.maas.aliyuncs.com",
        ),
        ({"base_url": "https://dashscope-us.aliyuncs.com/api/v1"}, "https://dashscope-us.aliyuncs.com"),
    ],
)
def test_the_form_says_which_region_or_workspace(form: dict[str, str], base: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, **form}).form) == base


def test_the_probe_is_the_list_of_models_with_the_key() -> None:
    theirs = rec.recorded(rec.calls(ID, CLIENT)["models.list"], headers=HEADERS)
    assert rec.probed(ID, FORM, HEADERS) == theirs
    assert theirs.path == "/compatible-mode/v1/models"


REFUSALS: list[tuple[int, str, str, type[UpstreamError]]] = [
    (401, "invalid_api_key", "Incorrect API key provided.", errors.CredentialRejected),
    (401, "InvalidApiKey", "Invalid API-key provided.", errors.CredentialRejected),
    (403, "Model.AccessDenied", "Model access denied.", errors.CredentialRejected),
    (
        400,
        "Arrearage",
        "Access denied, please make sure your account is in good standing.",
        errors.UpstreamPaymentRequired,
    ),
    (403, "AllocationQuota.FreeTierOnly", "The free tier is exhausted.", errors.UpstreamPaymentRequired),
    (429, "PrepaidBillOverdue", "The prepaid bill is overdue.", errors.UpstreamPaymentRequired),
    (429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later.", errors.UpstreamRateLimited),
    (429, "Throttling", "Requests throttling triggered.", errors.UpstreamRateLimited),
    (429, "insufficient_quota", "You exceeded your current quota.", errors.UpstreamRateLimited),
    (400, "InvalidParameter", "Range of input length should be [1, 30720]", errors.ContextTooLong),
    (400, "invalid_parameter_error", "Range of input length should be [1, 30720]", errors.ContextTooLong),
    (400, "InvalidParameter", "Temperature should be in [0.0, 2.0)", errors.BadRequestUpstream),
    (400, "data_inspection_failed", "Input data may contain inappropriate content.", errors.ContentRefused),
    (404, "model_not_found", "The model does not exist.", errors.ModelNotFoundUpstream),
    (500, "InternalError.Algo", "An internal error has occured.", errors.UpstreamUnavailable),
    (503, "ServiceUnavailable", "Too many requests.", errors.UpstreamUnavailable),
]


@pytest.mark.parametrize(
    ("status", "code", "said", "meaning"), REFUSALS, ids=[f"{row[1]}-{row[0]}" for row in REFUSALS]
)
def test_a_refusal_is_read_in_both_of_the_vendors_shapes(
    status: int, code: str, said: str, meaning: type[UpstreamError]
) -> None:
    wrapped = {"error": {"message": said, "type": code, "param": None, "code": code}, "request_id": "r1"}
    flat = {"code": code, "message": said, "request_id": "r1"}
    for body in (wrapped, flat):
        failure = rec.refused(ID, status, body)
        assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_a_rate_limit_tells_its_wait_where_the_answer_does() -> None:
    body = {"error": {"message": "Slow down.", "code": "Throttling.BurstRate"}}
    assert rec.refused(ID, 429, body, {"retry-after": "3"}).retry_after == 3


def test_a_refusal_inside_a_stream_is_raised() -> None:
    body: Any = {"error": {"message": "It said no.", "code": "data_inspection_failed"}}
    with pytest.raises(errors.ContentRefused) as refused:
        rec.streamed(ID, rec.events(body))
    assert refused.value.status == 400


def test_rows_have_mainland_prices_and_know_what_sees_and_thinks() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    assert {row.price.currency for row in rows.values() if row.price} == {"CNY"}
    assert {Feature.VISION, Feature.TOOLS, Feature.REASONING} <= rows["qwen3.7-plus"].features
    assert Feature.STRUCTURED_OUTPUT in rows["qwen3.8-max"].features
    assert rows["qwen-turbo"].deprecated
    assert rows["qwen-turbo"].successor == "qwen-flash"
