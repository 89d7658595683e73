"""Our reading of Cohere's answers: those that its SDK accepted (sdk_requests.json), and made-up ones that satisfy its
OpenAPI (request_schemas.json: cohere-ai/cohere-developer-experience at e814c8a1). Refusals have the texts of the
vendor's guide to errors (fern/pages/cohere-api/errors.mdx of that repository); those of 402 and 498 are inferred.
"""

import json
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ToolCall
from domain.model.events import Finish, FinishReason, Usage
from domain.model.rerank import Ranked
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Page
from tests.contract import recordings as rec

ID = "cohere"
USAGE = {"billed_units": {"input_tokens": 5.0, "output_tokens": 9}, "tokens": {"input_tokens": 71}, "cached_tokens": 3}


def replayed(name: str) -> Any:
    return rec.calls(ID)[name]["reply_replayed"]


def whole(message: Any, reason: str = "COMPLETE", **more: Any) -> Any:
    body = {"id": "c", "finish_reason": reason, "message": {"role": "assistant", **message}, **more}
    rec.valid(ID, "ChatResponseV2", body)
    return body


def event(kind: str, message: Any = None, **more: Any) -> str:
    body = {"type": kind, **({"delta": {"message": message}} if message is not None else {}), **more}
    rec.valid(ID, f"Chat{kind.title().replace('-', '')}Event", body)
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n"


def closing(reason: str, **more: Any) -> str:
    return event("message-end", delta={"finish_reason": reason, **more})


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, replayed("chat")["body"])
    assert (answer.text, answer.finish) == ("Hi.", FinishReason(Finish.STOP, "COMPLETE"))
    assert (answer.usage.input, answer.usage.output) == (5, 3)


def test_a_recorded_stream_is_the_whole_answer() -> None:
    answer = rec.split_in_all_ways(ID, replayed("chat_stream_text")["text"])
    assert answer == rec.answered(ID, replayed("chat")["body"])


def test_a_recorded_tool_call_is_put_together_after_its_plan() -> None:
    answer = rec.split_in_all_ways(ID, replayed("chat_stream_tool")["text"])
    assert answer.text == "I will look it up."
    assert answer.tool_calls == (ToolCall("get_weather_x1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "TOOL_CALL")
    assert (answer.usage.input, answer.usage.output) == (5, 3)


def test_thoughts_and_several_calls_are_the_same_whole_and_streamed() -> None:
    calls: list[Any] = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    content = [{"type": "thinking", "thinking": "Größe?"}, {"type": "text", "text": "Zwei 😀"}]
    answer = rec.answered(ID, whole({"content": content, "tool_calls": calls}, "TOOL_CALL", usage=USAGE))
    stream = event("message-start", {"role": "assistant"}, id="c")
    stream += event("content-start", {"content": {"type": "thinking", "thinking": "Grö"}}, index=0)
    stream += event("content-delta", {"content": {"thinking": "ße?"}}, index=0)
    stream += event("content-end", index=0)
    stream += event("content-start", {"content": {"type": "text", "text": ""}}, index=1)
    stream += event("content-delta", {"content": {"text": "Zwei "}}, index=1)
    stream += event("content-delta", {"content": {"text": "😀"}}, index=1)
    for index, call in enumerate(calls):
        opened = {**call, "function": {**call["function"], "arguments": ""}}
        stream += event("tool-call-start", {"tool_calls": opened}, index=index)
        for piece in call["function"]["arguments"]:
            stream += event("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=index)
        stream += event("tool-call-end", index=index)
    stream += closing("TOOL_CALL", usage=USAGE)
    assert rec.split_in_all_ways(ID, stream) == answer
    assert (answer.reasoning, answer.text) == ("Größe?", "Zwei 😀")
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("a", "f", '{"x":1}'), ("b", "g", "{}")]
    assert answer.usage == Usage(5, 9, 3, raw=USAGE)


def test_what_is_billed_counts_and_else_what_was_read() -> None:
    tokens = {"tokens": {"input_tokens": 71.0, "output_tokens": 12.0}}
    usage = rec.answered(ID, whole({"content": []}, usage=tokens)).usage
    assert (usage.input, usage.output) == (71, 12)
    assert rec.answered(ID, whole({"content": []})).usage == Usage()


@pytest.mark.parametrize(
    ("raw", "unified"),
    [
        ("STOP_SEQUENCE", Finish.STOP),
        ("MAX_TOKENS", Finish.LENGTH),
        ("TOOL_CALL", Finish.TOOL_CALLS),
    ],
)
def test_reasons_to_end_have_our_name_beside_the_vendors(raw: str, unified: Finish) -> None:
    assert rec.answered(ID, whole({"content": []}, raw)).finish == FinishReason(unified, raw)
    assert rec.streamed(ID, closing(raw)).finish == FinishReason(unified, raw)


@pytest.mark.parametrize("raw", ["ERROR", "TIMEOUT"])
def test_an_answer_that_the_vendor_broke_off_is_a_failure(raw: str) -> None:
    with pytest.raises(UpstreamUnavailable, match=raw):
        rec.answered(ID, whole({"content": []}, raw))
    with pytest.raises(UpstreamUnavailable, match="No room"):
        rec.streamed(ID, closing(raw, error="No room."))


def test_a_stream_cut_before_its_last_event_is_broken() -> None:
    text = replayed("chat_stream_text")["text"]
    with pytest.raises(StreamBroken):
        rec.streamed(ID, text[: text.index("event: message-end")])


@pytest.mark.parametrize(
    "odd", ["event: citation-start\ndata: 3\n\n", "event: debug\ndata: {}\n\n", event("content-end")]
)
def test_events_that_tell_nothing_do_not_hurt(odd: str) -> None:
    assert rec.streamed(ID, odd + replayed("chat_stream_text")["text"]).text == "Hi."


def test_a_refusal_inside_a_stream_is_read() -> None:
    with pytest.raises(UpstreamError, match="internal server error"):
        rec.streamed(ID, 'data: {"message": "internal server error"}\n\n')


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"message": "hi"}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.answered(ID, body)


def test_vectors_are_read_in_order() -> None:
    answer = rec.vectors(ID, replayed("embedding")["body"], 1)
    assert (answer.vectors, answer.usage.input, answer.usage.output) == (((0.1, 0.2),), 1, 0)
    assert rec.vectors(ID, {"embeddings": {"float": [[1], [2]]}}, 2).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize("vectors", [None, [], [[1.0], [2.0]], [[float("nan")]], [[]], [["x"]]], ids=str)
def test_vectors_that_do_not_fit_the_texts_are_refused(vectors: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, {"embeddings": {"float": vectors}}, 1)


def test_a_ranking_is_counted_in_searches() -> None:
    rerank = ADAPTERS[ID].rerank
    assert rerank
    answer = rerank.parse(replayed("rerank")["body"], 2)
    assert answer.results == (Ranked(1, 0.9), Ranked(0, 0.1))
    assert answer.usage == Usage(raw={"search_units": 1}, searches=1)


def test_a_list_of_models_goes_on_by_its_token() -> None:
    models = ADAPTERS[ID].models
    assert models
    rows = [{"name": "e", "endpoints": ["embed"], "context_length": 512}, {"name": "r", "endpoints": ["rerank"]}]
    body = {"models": rows, "next_page_token": "p2"}
    rec.valid(ID, "ListModelsResponse", body)
    page = models.parse(body)
    assert [(m.name, m.type and m.type.value, m.context) for m in page.models] == [
        ("e", "embedding", 512),
        ("r", "rerank", None),
    ]
    assert page.following == "p2"
    assert models.render("p2").query == {"page_size": "1000", "page_token": "p2"}
    assert models.parse({"models": [{"name": "m"}], "next_page_token": None}) == Page((ListedModel("m"),))


TRIAL = "You are using a Trial key, which is limited to"


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, replayed("error_401")["body"], CredentialRejected),
        (429, replayed("error_429")["body"], UpstreamRateLimited),
        (400, replayed("error_400")["body"], BadRequestUpstream),
        (401, {"message": "no api key supplied"}, CredentialRejected),
        (402, {"message": "Please add or update your payment method"}, UpstreamPaymentRequired),
        (429, {"message": f"{TRIAL} 1000 API calls / month."}, UpstreamPaymentRequired),
        (403, {"message": "forbidden"}, CredentialRejected),
        (404, {"message": "model 'x' not found, make sure the correct model ID was used"}, ModelNotFoundUpstream),
        (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}, ContextTooLong),
        (422, {"message": "unprocessable entity"}, BadRequestUpstream),
        (498, {"message": "invalid token"}, ContentRefused),
        (500, {"message": "internal server error"}, UpstreamUnavailable),
        (501, {"message": "not implemented"}, BadRequestUpstream),
        (503, {"message": "service unavailable"}, UpstreamUnavailable),
        (504, {"message": "gateway timeout"}, UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, body["message"])


def test_a_wait_is_kept() -> None:
    assert rec.refused(ID, 429, {"message": "slow down"}, {"retry-after": "7"}).retry_after == 7
