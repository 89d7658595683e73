"""Our requests to StepFun equal those of the client that it documents (sdk_requests.json: openai for Python 3.54.0,
recorded on loopback) and satisfy OpenAI's own OpenAPI (../openai/request_schemas.json). Answers are the examples of the
vendor's documentation (documented_replies.json); of refusals it documents the statuses.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; `stream_options`, which the vendor
does not name, for it counts in every piece; and `reasoning_format`, whose default we read as well.
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
from domain.model.calls import ChatCall, ImagePart, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "stepfun"
FORM = {"api_key": "sk-fake"}
HEADERS = ("authorization", "content-type", "accept")
MODEL = "step-3.7-flash"
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("ping", system="You are terse.")
SAID = rec.load(ID, "documented_replies.json")
PICTURE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
LEFT_OUT = {"tool_choice", "stream_options", "reasoning_format"}
CASES: list[tuple[str, ChatCall, bool]] = [
    ("chat", replace(CHAT, knobs=Knobs(temperature=0.6, max_tokens=16)), False),
    ("chat_stream_tool", replace(CHAT, tools=(TOOL,)), True),
    ("chat_tool_result", rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1"), False),
    ("chat_vision", rec.asking(PICTURE, "what is it?"), False),
]


@pytest.mark.parametrize(("name", "call", "stream"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_clients(name: str, call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=stream, headers=HEADERS)
    assert ours == rec.silent(rec.recorded(rec.calls(ID)[name], without=LEFT_OUT, headers=HEADERS))
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_knobs_that_the_vendor_does_not_name_are_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = replace(CHAT, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, 0.2))
    request = dialect.render(rec.target(ID, MODEL, FORM), call, stream=False)
    sent = {"max_tokens": 64, "temperature": 0.5, "top_p": 0.9, "stop": ["END"], "frequency_penalty": 0.2}
    assert {k: v for k, v in (request.json or {}).items() if k not in ("model", "messages")} == sent
    assert [warning.split()[0] for warning in request.warnings] == ["seed", "presence_penalty"]


def test_a_schema_travels_as_the_reference_has_it() -> None:
    schema = {"type": "object", "properties": {}}
    body = rec.asked(ID, FORM, "step-3.5-flash", replace(CHAT, response_schema=ResponseSchema("r", schema))).body
    shape = {"name": "r", "strict": True, "schema": schema}
    assert body["response_format"] == {"type": "json_schema", "json_schema": shape}


def test_the_probe_reads_the_balance() -> None:
    ours = rec.probed(ID, FORM, HEADERS)
    listed = rec.recorded(rec.calls(ID)["models"], headers=HEADERS)
    assert ours == replace(listed, path="/v1/accounts")
    assert "error" not in SAID["account"]


@pytest.mark.parametrize(("abroad", "host"), [("", "com"), ("false", "com"), ("true", "ai")])
def test_keys_belong_to_one_of_two_sites(abroad: str, host: str) -> None:
    form = rec.target(ID, MODEL, {**FORM, "use_international_endpoint": abroad}).form
    assert ADAPTERS[ID].base_url(form) == f"https://api.stepfun.{host}/v1"


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, SAID["whole"])
    assert answer.text.startswith("你好！阶跃星辰是一家")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output) == (83, 176)


def test_a_call_is_one_though_it_ends_with_stop() -> None:
    answer = rec.answered(ID, SAID["tool_call"])
    assert answer.tool_calls == (ToolCall("call_brg23SRcTgmpm_V0jfP-iA", "get_weather", '{"city": " 上海 "}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "stop")
    assert (answer.usage.input, answer.usage.cached_input) == (94, 48)


def test_of_the_counts_in_every_piece_the_last_one_holds() -> None:
    answer = rec.split_in_all_ways(ID, SAID["stream"])
    assert (answer.text, answer.finish) == ("您好！", FinishReason(Finish.STOP, "stop"))
    assert (answer.usage.input, answer.usage.output) == (83, 150)


def test_thoughts_come_apart_from_the_answer() -> None:
    answer = rec.split_in_all_ways(ID, SAID["thinking_stream"])
    assert answer.reasoning == "用户想"
    assert answer.text == "阶跃星辰是一家专注于人工智能技术研发与应用的公司。 😊"
    assert (answer.finish.unified, answer.usage.output) == (Finish.STOP, 616)


@pytest.mark.parametrize("name", ["whole", "tool_call"])
def test_a_stream_folds_to_the_whole_answer(name: str) -> None:
    """The whole examples, cut up as the streamed ones are."""
    choice, usage = SAID[name]["choices"][0], SAID[name]["usage"]
    calls = [{"index": i, **call} for i, call in enumerate(choice["message"].get("tool_calls", []))]
    deltas = [{"content": letter} for letter in choice["message"]["content"]] + [{"tool_calls": [c]} for c in calls]
    chunks = [{"choices": [{"delta": {"role": "", **d}, "finish_reason": ""}], "usage": usage} for d in deltas]
    end = {"choices": [{"delta": {"content": ""}, "finish_reason": choice["finish_reason"]}], "usage": usage}
    assert rec.split_in_all_ways(ID, rec.events(*chunks, end)) == rec.answered(ID, SAID[name])


def error(kind: str, message: str) -> Any:
    return {"error": {"message": message, "type": kind}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, error("request_params_invalid", "图片无法下载"), BadRequestUpstream),
        (400, error("request_params_invalid", "exceeds the maximum context length"), ContextTooLong),
        (401, error("invalid_api_key", "Incorrect API key provided"), CredentialRejected),
        (402, error("quota", "余额不足"), UpstreamPaymentRequired),
        (404, error("not_found", "请求路径不正确"), BadRequestUpstream),
        (429, error("rate_limit", "请求的资源超限"), UpstreamRateLimited),
        (451, error("censorship_blocked", "请求内容或者响应内容未审核通过"), ContentRefused),
        (500, error("internal", "x"), UpstreamUnavailable),
        (503, error("engine_overloaded", "服务器负载过高"), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert type(failure) is meaning
    assert (failure.status, failure.detail) == (status, body["error"]["message"])


def test_models_that_ended_name_those_that_took_their_place() -> None:
    offered = catalogue()
    assert [ref.name for ref in offered.successors(ModelRef(ID, "step-1v-8k", ModelType.LLM))] == [
        "step-1v-8k",
        "step-1o-turbo-vision",
    ]
    flash = offered.model(ModelRef(ID, MODEL, ModelType.LLM))
    assert flash
    assert flash.features == {Feature.TOOLS, Feature.VISION, Feature.REASONING, Feature.STREAMING}
    assert flash.price
    assert (str(flash.price.input), flash.price.currency) == ("1.35", "CNY")
