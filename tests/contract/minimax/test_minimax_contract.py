"""Our chats with MiniMax equal those of the client that it documents (sdk_requests.json: openai for Python 3.54.0,
recorded on loopback) and satisfy the vendor's OpenAPI (request_schemas.json), whose examples are read
(spec_answers.json). Embeddings are as its pages have them (platform.minimaxi.com/docs: embeddings); thoughts, refusals
and whole answers in the shapes that these name, filled by the tests.

Left out of the comparison: an image's `detail`, which our vocabulary has not.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs, ToolCall, ToolChoice
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs import asgi
from tests.stubs.serve import serving

ID = "minimax"
FORM = {"minimax_api_key": "<key>"}
MODEL = "MiniMax-M2.5"
TOOL = rec.weather("Weather by city")
FINE = {"status_code": 0, "status_msg": ""}
CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
COUNTS = {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60}
HEADERS = ("authorization", "content-type", "accept")
AFTER = rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1")
CALLS: dict[str, ChatCall] = {
    "chat.completions.create": replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(0.2, 0.9)),
    "chat.completions.create stream + tool": replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)),
    "chat.completions.create tool result turn": AFTER,
    "chat.completions.create vision": rec.asking("What is this?", rec.pixel()),
}
SAID = rec.load(ID, "spec_answers.json")


@pytest.mark.parametrize(("name", "call"), CALLS.items(), ids=CALLS)
def test_a_request_is_the_clients(name: str, call: ChatCall) -> None:
    theirs = client.theirs(ID, name)
    call = replace(call, knobs=replace(call.knobs, max_tokens=64))
    ours = rec.asked(ID, FORM, theirs.body["model"], call, stream="stream" in name, headers=HEADERS)
    assert ours == theirs
    rec.valid(ID, "ChatCompletionReq", {**ours.body, "messages": [said(turn) for turn in ours.body["messages"]]})


def said(turn: dict[str, Any]) -> dict[str, Any]:
    """A turn without the null that stands for no content, which the specification leaves out."""
    return {key: value for key, value in turn.items() if value is not None}


def test_what_the_vendor_ignores_is_left_out_with_a_warning() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    request = dialect.render(rec.target(ID, MODEL, FORM), client.CHATS["chat.completions.create"], stream=False)
    assert {w.split()[0] for w in request.warnings} == {"seed", "stop", "presence_penalty", "frequency_penalty"}
    assert (request.json or {})["max_completion_tokens"] == 64


def test_models_always_choose_among_tools() -> None:
    call = replace(AFTER, tool_choice=ToolChoice.NONE)
    assert not rec.asked(ID, FORM, MODEL, call).body.keys() & {"tools", "tool_choice"}
    with pytest.raises(UnsupportedFeature):
        rec.asked(ID, FORM, MODEL, replace(call, tool_choice=ToolChoice.REQUIRED))


@pytest.mark.parametrize(("purpose", "kind"), [(EmbedPurpose.DOCUMENT, "db"), (EmbedPurpose.QUERY, "query")])
@pytest.mark.parametrize(("group", "query"), [("", ""), ("1234", "GroupId=1234")])
def test_an_embedding_request_says_what_the_texts_are_for(
    purpose: EmbedPurpose, kind: str, group: str, query: str
) -> None:
    ours = rec.embedded(ID, {**FORM, "minimax_group_id": group}, "embo-01", EmbedCall(("a",), purpose=purpose))
    assert (ours.method, ours.path, ours.query) == ("POST", "/v1/embeddings", query)
    assert ours.body == {"model": "embo-01", "texts": ["a"], "type": kind}


def test_vectors_have_one_length() -> None:
    with pytest.raises(UnsupportedFeature):
        rec.embedded(ID, FORM, "embo-01", EmbedCall(("a",), dimensions=256))


@pytest.mark.parametrize(("entered", "size"), [("", 1), ("16", 16)])
def test_the_form_says_how_many_texts_one_request_carries(entered: str, size: int) -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, "embo-01", {**FORM, "batch_size": entered}, ModelType.EMBEDDING)) == size


def test_vectors_are_read_in_the_order_of_the_texts() -> None:
    body = {"vectors": [[0.5, 1.0], [0.25, 0.0]], "total_tokens": 3, "base_resp": FINE}
    answer = rec.vectors(ID, body, 2)
    assert (answer.vectors, answer.usage.input) == (((0.5, 1.0), (0.25, 0.0)), 3)
    with pytest.raises(errors.BadRequestUpstream):
        rec.vectors(ID, body, 3)
    with pytest.raises(errors.BadRequestUpstream):
        rec.vectors(ID, {"vectors": None, "base_resp": FINE}, 1)


def test_the_probe_is_a_word_to_a_model_that_every_key_reaches() -> None:
    ours = rec.probed(ID, FORM)
    assert (ours.method, ours.path) == ("POST", "/v1/chat/completions")
    assert (ours.body["model"], ours.body["max_completion_tokens"]) == (MODEL, 5)


def test_the_specifications_answer_with_a_call_is_read() -> None:
    answer = rec.answered(ID, SAID["tool_use"])
    arguments = '{"location": "San Francisco, US"}'
    assert answer.tool_calls == (ToolCall("call_function_a1nrtksph4pi_1", "get_weather", arguments),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output, answer.usage.cached_input) == (418, 55, 114)


def test_the_specifications_stream_is_read() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*SAID["stream"]))
    assert answer.text == "".join(event["choices"][0]["delta"]["content"] for event in SAID["stream"])
    assert answer.finish == FinishReason(Finish.STOP, "stop")


def chunk(delta: dict[str, Any], **more: Any) -> Any:
    return {"choices": [{"index": 0, "delta": {"role": "assistant", **delta}, **more}], "base_resp": FINE}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning_details"])
def test_a_stream_folds_to_the_whole_answer_with_its_thoughts_apart(field: str) -> None:
    def thought(said: str) -> Any:
        detail = {"type": "reasoning.text", "id": "reasoning-text-1", "index": 0, "text": said}
        return said if field == "reasoning_content" else [detail]

    message = {"role": "assistant", "content": "pong", field: thought("Hm, yes."), "tool_calls": [CALL]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    whole = rec.answered(ID, {"choices": [choice], "usage": COUNTS, "base_resp": FINE})
    assert (whole.text, whole.reasoning) == ("pong", "Hm, yes.")
    assert whole.tool_calls == (ToolCall("call_1", "f", '{"a":1}'),)
    assert whole.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (whole.usage.input, whole.usage.output) == (40, 20)
    pieces = [chunk({field: thought("Hm, ")}), chunk({field: thought("yes.")}), chunk({"content": "pong"})]
    pieces.append(chunk({"tool_calls": [{"index": 0, **CALL}]}))
    last = {"choices": [{**choice, "delta": {"content": ""}}], "usage": COUNTS, "base_resp": FINE}
    assert rec.split_in_all_ways(ID, rec.events(*pieces, last)) == whole


@pytest.mark.parametrize(
    ("code", "message", "meaning", "status"),
    [
        (1004, "login fail", errors.CredentialRejected, 401),
        (1002, "rate limit", errors.UpstreamRateLimited, 429),
        (1008, "insufficient balance", errors.UpstreamPaymentRequired, 402),
        (1026, "input new_sensitive", errors.ContentRefused, 400),
        (1027, "output new_sensitive", errors.ContentRefused, 400),
        (2013, "invalid params: messages", errors.BadRequestUpstream, 400),
        (2013, "invalid params, context window exceeds limit", errors.ContextTooLong, 400),
        (2061, "your plan does not support this model", errors.ModelNotFoundUpstream, 403),
        (1033, "system error", errors.UpstreamUnavailable, 500),
        (4711, "who knows", errors.UpstreamUnavailable, 200),
    ],
)
def test_a_failure_inside_a_200_is_read_by_its_code(
    code: int, message: str, meaning: type[UpstreamError], status: int
) -> None:
    body = {"base_resp": {"status_code": code, "status_msg": message}}
    assert ADAPTERS[ID].failed(body)
    failure = rec.refused(ID, 200, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, message)
    with pytest.raises(meaning):
        rec.streamed(ID, rec.events(chunk({"content": "po"}), body))
    with pytest.raises(meaning):
        rec.streamed(ID, rec.events({**chunk({"content": "po"}), **body}))


def test_a_refusal_may_also_have_openais_shape() -> None:
    failure = rec.refused(
        ID, 429, {"error": {"type": "rate_limit_error", "message": "Slow down."}}, {"retry-after": "2"}
    )
    assert (type(failure), failure.detail, failure.retry_after) == (errors.UpstreamRateLimited, "Slow down.", 2.0)


async def test_a_probe_that_fails_inside_a_200_proves_nothing() -> None:
    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await asgi.json(send, 200, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}})

    async with serving(refusing) as url, gateway(adapters=ADAPTERS) as subject:
        form = ADAPTERS[ID].provider().checked({**FORM, "endpoint_url": url}, None)
        with pytest.raises(errors.CredentialRejected):
            await subject.probe(ID, form, None)


def test_rows_have_the_names_of_the_api_and_know_who_sees() -> None:
    offered = catalogue()
    seeing = {row.ref.name for row in offered.provider(ID).models if Feature.VISION in row.features}
    assert seeing == {"MiniMax-M3"}
    ref = ModelRef(ID, "abab6.5s-chat", ModelType.LLM)
    assert [each.name for each in offered.successors(ref)] == ["abab6.5s-chat", MODEL]
