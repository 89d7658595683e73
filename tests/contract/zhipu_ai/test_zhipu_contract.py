"""Our requests to Zhipu AI equal those of its SDK (sdk_requests.json: zai-sdk 0.2.3) and satisfy the vendor's OpenAPI
(request_schemas.json), of which they hold no other fields; answers are recorded ones (recorded_answers.json), those
with tools, vectors and errors have the shapes of the OpenAPI.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; nulls; `thinking` and
`tool_stream`, which that caller chose; the charset of the content type.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain import errors
from domain.errors import UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, EmbedCall, ImagePart, Knobs, ToolCall, ToolChoice
from domain.model.catalogue import Feature, ModelType, Price
from domain.model.events import Finish, FinishReason, Usage
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec

ID = "zhipu_ai"
FORM = {"api_key": "fakeid.fakesecret"}
HEADERS = ("authorization", "accept")
TOOL = rec.weather("Current weather of a city")
PING = rec.asking("ping", system="You are terse.")
IMAGE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")
SAID = rec.load(ID, "recorded_answers.json")
LEFT_OUT = {"tool_choice", "thinking", "tool_stream", "response_format"}
NAMED = {"model", "messages", "stream", "do_sample", "temperature", "top_p", "max_tokens", "tools", "stop"}
COLD = "chat_temperature_0 (SDK rewrites to do_sample=false, temperature=0.01)"
SEEING = "chat_vision (SDK strips the data-URL prefix from base64 images)"
CASES: list[tuple[str, str, ChatCall]] = [
    ("chat", "glm-5-turbo", replace(PING, knobs=Knobs(max_tokens=16, temperature=0.5))),
    ("chat_stream_tool", "glm-5-turbo", replace(PING, tools=(TOOL,))),
    ("chat_tool_result", "glm-5-turbo", rec.after_tool("weather in Oslo?", "Oslo", "5C", TOOL, "call_1")),
    (SEEING, "glm-4.6v", rec.asking(IMAGE, "what is it?")),
    (COLD, "glm-5-turbo", replace(rec.asking("ping"), knobs=Knobs(temperature=0))),
]


@pytest.mark.parametrize(("name", "model", "call"), CASES, ids=[case[0].split()[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, model: str, call: ChatCall) -> None:
    ours = rec.asked(ID, FORM, model, call, stream="stream" in name, headers=HEADERS)
    assert ours == rec.silent(rec.recorded(rec.calls(ID)[name], without=LEFT_OUT, headers=HEADERS))
    assert ours.body.keys() <= NAMED
    turns = [{key: value for key, value in turn.items() if value is not None} for turn in ours.body["messages"]]
    schema = "ChatCompletionVisionRequest" if model.endswith("v") else "ChatCompletionTextRequest"
    rec.valid(ID, schema, {**ours.body, "messages": turns})


@pytest.mark.parametrize(("model", "stop"), [("glm-4.7", True), ("glm-4v-plus", False)])
def test_knobs_that_the_vendor_does_not_name_are_left_out_with_a_warning(model: str, stop: bool) -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = replace(PING, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, 0.2))
    request = dialect.render(rec.target(ID, model, FORM), call, stream=True)
    dropped = {"seed", "presence_penalty", "frequency_penalty"} | (set() if stop else {"stop"})
    assert {warning.split()[0] for warning in request.warnings} == dropped
    assert (request.json or {}).keys() == NAMED - {"do_sample", "tools"} - dropped


def test_of_the_choices_among_tools_only_auto_is_sent() -> None:
    call = replace(PING, tools=(TOOL,), tool_choice=ToolChoice.NONE)
    assert not rec.asked(ID, FORM, "glm-4.7", call).body.keys() & {"tools", "tool_choice"}
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, "glm-4.7", replace(call, tool_choice=ToolChoice.REQUIRED))


def test_an_image_with_an_address_keeps_it() -> None:
    call = rec.asking(ImagePart(url="https://example.com/a,b.png"))
    (part,) = rec.asked(ID, FORM, "glm-4.6v", call).body["messages"][0]["content"]
    assert part["image_url"]["url"] == "https://example.com/a,b.png"


def test_an_embedding_request_is_the_sdks() -> None:
    ours = rec.embedded(ID, FORM, "embedding-3", EmbedCall(("hello", "world"), dimensions=256), HEADERS)
    assert ours == rec.recorded(rec.calls(ID)["embedding"], headers=HEADERS)
    rec.valid(ID, "EmbeddingCreateRequest", ours.body)
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, "embedding-3", FORM, ModelType.EMBEDDING)) == 64


def test_vectors_are_read_by_their_index() -> None:
    rows = [{"object": "embedding", "index": at, "embedding": [float(at), 0.5]} for at in (1, 0)]
    body = {"object": "list", "data": rows, "usage": {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}}
    rec.valid(ID, "EmbeddingResponse", body)
    answer = rec.vectors(ID, body, 2)
    assert answer.vectors == ((0.0, 0.5), (1.0, 0.5))
    assert (answer.usage.input, answer.usage.output) == (4, 0)


@pytest.mark.parametrize(("entered", "model"), [("", "glm-4.7-flash"), ("glm-5-turbo", "glm-5-turbo")])
def test_the_probe_is_a_word_to_a_model_that_costs_nothing_or_to_the_forms(entered: str, model: str) -> None:
    ours = rec.probed(ID, {**FORM, "validate_model": entered} if entered else FORM, HEADERS)
    theirs = rec.recorded(rec.calls(ID)["chat"], headers=HEADERS)
    assert (ours.method, ours.path, ours.headers) == (theirs.method, theirs.path, theirs.headers)
    assert (ours.body["model"], ours.body["max_tokens"]) == (model, 5)
    rows = {row.ref.name: row.price for row in catalogue().provider(ID).models}
    assert rows["glm-4.7-flash"] == Price(Decimal(0), Decimal(0), 1_000_000, "CNY")


@pytest.mark.parametrize("base", ["https://api.z.ai/api/paas/v4", "https://api.z.ai/api/coding/paas/v4/"])
def test_the_form_says_which_site_or_plan(base: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, "base_url": base}).form) == base.rstrip("/")


def test_a_recorded_answer_is_read_with_its_thoughts_apart() -> None:
    answer = rec.answered(ID, SAID["whole"])
    assert answer.text == "2 + 2 is 4."
    assert answer.reasoning.strip().startswith("1.  **Analyze")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert answer.usage == Usage(13, 437, 0, 427, SAID["whole"]["usage"])


def test_a_recorded_stream_is_read_with_its_thoughts_apart() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert answer.text == "4"
    assert answer.reasoning.startswith("\n1.  **Analyze")
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (13, 564, 561)


CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
COUNTS = {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8}


def chunk(delta: dict[str, Any], **more: Any) -> Any:
    return {"choices": [{"index": 0, "delta": {"role": "assistant", **delta}, **more}]}


def test_a_stream_folds_to_the_whole_answer_less_the_marks_of_a_box() -> None:
    message = {"role": "assistant", "content": "<|begin_of_box|>pong<|end_of_box|>", "tool_calls": [CALL]}
    choice = {"index": 0, "message": {**message, "reasoning_content": "Hm."}, "finish_reason": "tool_calls"}
    whole = rec.answered(ID, {"choices": [choice], "usage": COUNTS})
    assert (whole.text, whole.reasoning) == ("pong", "Hm.")
    assert whole.tool_calls == (ToolCall("call_1", "f", '{"a":1}'),)
    pieces = [chunk({"reasoning_content": "Hm."})]
    pieces += [chunk({"content": said}) for said in ("<|begin_of_box|>", "po", "ng", "<|end_of_box|>")]
    last = {**chunk({"tool_calls": [{"index": 0, **CALL}]}, finish_reason="tool_calls"), "usage": COUNTS}
    assert rec.split_in_all_ways(ID, rec.events(*pieces, last)) == whole


def test_arguments_may_come_in_pieces() -> None:
    rest = {"index": 0, "function": {"arguments": '{"a":1}'}}
    opening = {"index": 0, **CALL, "function": {"name": "f", "arguments": ""}}
    pieces = [chunk({"tool_calls": [opening]}), chunk({"tool_calls": [rest]}, finish_reason="tool_calls")]
    assert rec.split_in_all_ways(ID, rec.events(*pieces)).tool_calls == (ToolCall("call_1", "f", '{"a":1}'),)


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        ("length", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("sensitive", Finish.CONTENT_FILTER),
    ],
)
def test_a_reason_to_end_is_named(raw: str, meaning: Finish) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": raw}
    assert rec.answered(ID, {"choices": [choice]}).finish == FinishReason(meaning, raw)
    assert rec.streamed(ID, rec.events(chunk({"content": "x"}, finish_reason=raw))).finish == FinishReason(meaning, raw)


def test_an_answer_that_broke_off_at_the_vendor_is_a_failure() -> None:
    with pytest.raises(errors.UpstreamUnavailable):
        rec.streamed(ID, rec.events(chunk({"content": "x"}), chunk({}, finish_reason="network_error")))


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (401, "1002", errors.CredentialRejected),
        (401, "1112", errors.CredentialRejected),
        (429, "1113", errors.UpstreamPaymentRequired),
        (400, "1211", errors.ModelNotFoundUpstream),
        (400, "1214", errors.BadRequestUpstream),
        (400, "1261", errors.ContextTooLong),
        (400, "1301", errors.ContentRefused),
        (429, "1302", errors.UpstreamRateLimited),
        (429, "1305", errors.UpstreamUnavailable),
        (429, "1308", errors.UpstreamPaymentRequired),
        (500, "1230", errors.UpstreamUnavailable),
        (500, "500", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_code_before_its_status(status: int, code: str, meaning: type[UpstreamError]) -> None:
    body = {"error": {"code": code, "message": "It said no."}}
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, "It said no.")
    with pytest.raises(meaning) as inside:
        rec.streamed(ID, rec.events(body))
    assert inside.value.status == status


def test_rows_have_mainland_prices_and_know_what_sees_and_thinks() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    assert {row.price.currency for row in rows.values() if row.price} == {"CNY"}
    assert {Feature.VISION, Feature.TOOLS, Feature.REASONING} <= rows["glm-4.6v"].features
    assert not any(Feature.STRUCTURED_OUTPUT in row.features for row in rows.values())
    assert rows["embedding-3"].ref.type is ModelType.EMBEDDING
    assert rows["embedding-3"].dimensions == 2048
