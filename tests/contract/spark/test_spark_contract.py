"""Spark over HTTP (www.xfyun.cn/doc/spark/), for which the page uses OpenAI's client, since its own SDK speaks over a
socket: requests are those of that client (sdk_requests.json) and satisfy OpenAI's OpenAPI; answers are the page's
examples and recorded ones (replies.json).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import ChatCall, Knobs, ToolCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "spark"
FORM = {"api_password": "<key>"}
TOOL = rec.weather("Weather by city")
SAID = rec.load(ID, "replies.json")
CALLS: list[ChatCall] = [
    replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9, 64, presence_penalty=1.2)),
    replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)),
    rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1"),
]


@pytest.mark.parametrize("name", [name for name in client.CHATS if name in rec.calls(ID)])
def test_a_request_is_the_clients(name: str) -> None:
    assert client.chat(ID, name, FORM) == client.theirs(ID, name)


@pytest.mark.parametrize("call", CALLS, ids=["knobs", "tools", "tool result"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_holds_what_the_page_names(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, "4.0Ultra", call, stream=stream, headers=("authorization",))
    assert (ours.method, ours.path, ours.headers) == ("POST", "/v1/chat/completions", {"authorization": "Bearer <key>"})
    assert (ours.body["model"], ours.body.get("stream")) == ("4.0Ultra", True if stream else None)
    assert ours.body.pop("tool_calls_switch", None) is (True if call.tools else None)
    assert "stream_options" not in ours.body
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


def test_a_model_that_thinks_has_a_path_of_its_own() -> None:
    ours = rec.asked(ID, FORM, "spark-x", rec.asking("Hello"), headers=client.HEADERS)
    assert ours == client.theirs(ID, "chat.completions.create spark-x")
    assert ours.path == "/v2/chat/completions"
    assert rec.asked(ID, FORM, "x1", rec.asking("Hello")).path == "/v2/chat/completions"


def test_the_newest_that_think_sample_as_they_do() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = replace(CALLS[0], knobs=Knobs(0.2, 0.9, 64))
    request = dialect.render(rec.target(ID, "spark-x2.5-4b", FORM), call, stream=False)
    assert {warning.split()[0] for warning in request.warnings} == {"temperature", "top_p"}
    assert request.json
    assert (request.path, request.json["max_completion_tokens"]) == ("v2/chat/completions", 64)
    assert not request.json.keys() & {"temperature", "top_p", "max_tokens"}


def test_knobs_that_the_page_does_not_name_are_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = replace(CALLS[0], knobs=Knobs(stop=("END",), seed=7))
    request = dialect.render(rec.target(ID, "lite", FORM), call, stream=False)
    assert {warning.split()[0] for warning in request.warnings} == {"stop", "seed"}


@pytest.mark.parametrize(("entered", "model"), [("", "lite"), ("4.0Ultra", "4.0Ultra")])
def test_the_probe_is_a_word_to_the_version_that_the_password_is_for(entered: str, model: str) -> None:
    ours = rec.probed(ID, {**FORM, "validate_model": entered} if entered else FORM)
    assert (ours.method, ours.path) == ("POST", "/v1/chat/completions")
    assert (ours.body["model"], ours.body["max_tokens"]) == (model, 5)


def test_a_whole_answer_names_no_reason_to_end() -> None:
    answer = rec.answered(ID, SAID["whole"])
    assert answer.text.startswith("你好，我是由科大讯飞构建的")
    assert answer.finish == FinishReason(Finish.STOP, "")
    assert (answer.usage.input, answer.usage.output) == (6, 42)
    assert not ADAPTERS[ID].failed(SAID["whole"])


def test_a_stream_folds_to_its_text_and_the_mark_ends_it() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert (answer.text, answer.finish) == ("你好，很高兴为你解答问题。\n", FinishReason(Finish.STOP, ""))
    assert (answer.usage.input, answer.usage.output) == (6, 42)
    with pytest.raises(errors.StreamBroken):
        rec.streamed(ID, rec.events(*SAID["stream"]).replace("data: [DONE]\n\n", ""))


def test_a_real_last_piece_has_text_and_counts() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(SAID["stream"][0], SAID["recorded_last"]))
    assert (answer.text, answer.usage.output) == ("你好😊", 418)


def test_thoughts_and_calls_are_the_same_whole_and_streamed() -> None:
    call = {"id": "cht_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls": [call]}
    counts = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    fine = {"code": 0, "message": "Success", "sid": "cht1"}
    whole = rec.answered(ID, {**fine, "choices": [{"index": 0, "message": message}], "usage": counts})
    assert (whole.reasoning, whole.finish.unified) == ("Hm.", Finish.TOOL_CALLS)
    assert whole.tool_calls == (ToolCall("cht_1", "f", '{"a":1}'),)
    deltas: list[Any] = [{"reasoning_content": "Hm."}, {"content": "", "tool_calls": [{"index": 0, **call}]}]
    chunks = [{**fine, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    assert rec.split_in_all_ways(ID, rec.events(*chunks, {**fine, "usage": counts})) == whole


CODES = [
    (10005, errors.BadRequestUpstream, 400),
    (10007, errors.UpstreamRateLimited, 429),
    (10013, errors.ContentRefused, 400),
    (10014, errors.ContentRefused, 400),
    (10110, errors.UpstreamUnavailable, 503),
    (10404, errors.ModelNotFoundUpstream, 404),
    (10907, errors.ContextTooLong, 400),
    (11200, errors.ModelNotFoundUpstream, 403),
    (11202, errors.UpstreamRateLimited, 429),
]


@pytest.mark.parametrize(("code", "meaning", "status"), CODES)
def test_a_failure_is_read_by_its_number_in_either_shape(code: int, meaning: type[UpstreamError], status: int) -> None:
    for body in (
        {"code": code, "message": "It said no.", "sid": "x"},
        {"error": {"code": str(code), "message": "It said no."}},
    ):
        assert ADAPTERS[ID].failed(body)
        failure = rec.refused(ID, 200, body)
        assert (type(failure), failure.status, failure.detail) == (meaning, status, "It said no.")
        with pytest.raises(meaning):
            rec.streamed(ID, rec.events(SAID["stream"][0], body))


def test_a_recorded_refusal_of_an_unknown_model_is_read() -> None:
    failure = rec.refused(ID, 400, SAID["refusal"])
    assert (type(failure), failure.detail) == (errors.BadRequestUpstream, SAID["refusal"]["error"]["message"])


def test_a_wrong_password_is_told_by_the_status() -> None:
    assert type(rec.refused(ID, 401, {"message": "Unauthorized"})) is errors.CredentialRejected


@pytest.mark.parametrize(("said", "proof"), [("AppIdNoAuthError", True), ("wrong domain", False)])
def test_a_password_of_another_version_is_a_good_one(said: str, proof: bool) -> None:
    failure = rec.refused(ID, 200, {"error": {"message": said, "code": "11200" if proof else "10404"}})
    assert ADAPTERS[ID].proves(failure) is proof


def test_rows_have_the_names_of_the_http_api() -> None:
    offered = catalogue()
    rows = {row.ref.name: row for row in offered.provider(ID).models}
    assert {name for name, row in rows.items() if Feature.TOOLS in row.features} == {
        "generalv3.5",
        "max-32k",
        "4.0Ultra",
    }
    assert [ref.name for ref in offered.successors(ModelRef(ID, "spark-2", ModelType.LLM))] == ["spark-2", "generalv3"]
