"""Our reading of Triton's answers, recorded from a real server (recorded_real_triton.json: Triton 2.51.0), over real
sockets too. Inferred: vLLM's finish_reason and num_*_tokens, after docs/additional_outputs.md and src/utils/request.py
of triton-inference-server/vllm_backend at 8de0c14; the refusals marked as documented.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamUnavailable,
)
from domain.model.events import ChatEvent, Finish, FinishReason, TextDelta, Usage, fold
from domain.ports import ListedModel, Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "nvidia_triton"
RECORDED = rec.exchanges(ID, "recorded_real_triton.json")
REQUESTS = {e["name"]: e["request"] for e in rec.load(ID, "recorded_real_triton.json")["exchanges"]}
STOPPED = FinishReason(Finish.STOP, "")


def event(**piece: Any) -> str:
    return f"data: {json.dumps({'model_name': 'm', 'model_version': '1', **piece})}\n\n"


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, RECORDED["generate"]["json"])
    assert answer.text == 'echo: hello big params={"stream": false, "temperature": 0.5}'
    assert (answer.finish, answer.usage) == (STOPPED, Usage())


@pytest.mark.parametrize(
    ("name", "text"),
    [("generate_stream_single", "echo: hello big"), ("generate_stream_decoupled", "echo: hello big wide world ")],
)
def test_a_stream_ends_with_its_connection(name: str, text: str) -> None:
    answer = rec.split_in_all_ways(ID, RECORDED[name]["text"])
    assert (answer.text, answer.finish, answer.usage) == (text, STOPPED, Usage())


def test_vllm_counts_and_says_why_it_ended() -> None:
    whole = rec.answered(
        ID, {"text_output": "Größe 😀", "finish_reason": "length", "num_input_tokens": 5, "num_output_tokens": 3}
    )
    stream = event(text_output="Größe", finish_reason="None", num_input_tokens=5, num_output_tokens=1)
    stream += event(text_output=" 😀", finish_reason="length", num_input_tokens=5, num_output_tokens=2)
    assert rec.split_in_all_ways(ID, stream) == whole
    assert whole.finish == FinishReason(Finish.LENGTH, "length")
    assert (whole.usage.input, whole.usage.output) == (5, 3)


def test_a_tensor_of_several_texts_is_read_as_one() -> None:
    assert rec.answered(ID, {"text_output": ["a", "b", None]}).text == "ab"
    assert rec.streamed(ID, event(text_output=["a", "b"]) + event(text_output=3)).text == "ab"


@pytest.mark.parametrize("body", [None, [], "hi", {}, {"outputs": []}], ids=str)
def test_an_answer_that_is_none_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.answered(ID, body)


@pytest.mark.parametrize("stream", ["", event(), event(other="x"), "data: 3\n\n", "data: {]\n\n"], ids=str)
def test_a_stream_without_an_answer_is_the_vendors_fault(stream: str) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.streamed(ID, stream)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("generate_missing_input", BadRequestUpstream),
        ("generate_model_error", BadRequestUpstream),
        ("generate_unknown_model", ModelNotFoundUpstream),
        ("generate_bad_json", UpstreamUnavailable),
        ("generate_nested_object_rejected", BadRequestUpstream),
        ("generate_on_decoupled_model", BadRequestUpstream),
        ("generate_stream_error_first", BadRequestUpstream),
        ("generate_stream_unknown_model", ModelNotFoundUpstream),
        ("unknown_ready", ModelNotFoundUpstream),
        ("unknown_metadata", ModelNotFoundUpstream),
    ],
)
def test_a_recorded_refusal_has_its_meaning(name: str, meaning: type[UpstreamError]) -> None:
    reply = RECORDED[name]
    said = reply.get("json") or reply["text"]
    if isinstance(said, str) and said.startswith("{"):
        said = json.loads(said)
    failure = rec.refused(ID, reply["status"], said)
    assert type(failure) is meaning
    assert failure.detail
    assert not failure.detail.startswith(("data:", "{"))


@pytest.mark.parametrize(
    ("status", "said", "meaning"),
    [
        (403, "This API is restricted, expecting header 'x-key'", CredentialRejected),  # documented
        (503, "Exceeds maximum queue size", UpstreamUnavailable),  # inferred
        (400, "This model's maximum context length is 2048 tokens", ContextTooLong),  # inferred: vLLM's words
        (404, "not here", BadRequestUpstream),  # inferred
    ],
)
def test_a_refusal_has_its_meaning(status: int, said: str, meaning: type[UpstreamError]) -> None:
    assert type(rec.refused(ID, status, {"error": said})) is meaning


def test_a_proxy_may_refuse_the_key_in_words_of_its_own() -> None:
    assert type(rec.refused(ID, 401, "<html>Unauthorized</html>")) is CredentialRejected


def test_models_that_are_loaded_are_listed() -> None:
    dialect = ADAPTERS[ID].models
    assert dialect
    body = [*RECORDED["repository_index"]["json"], {"name": "broken", "version": "1", "state": "UNAVAILABLE"}]
    assert [model.name for model in dialect.parse(body).models] == ["embedder", "ensemble", "stream_llm"]
    assert dialect.parse([{"name": "m"}]).models == (ListedModel("m"),)
    with pytest.raises(BadRequestUpstream):
        dialect.parse({"error": "x"})


class Recorded:
    """Answers as the real server did to a request of the same way and text; or with a stream that is cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        said = json.loads(await request.body() or b"{}").get("text_input")
        if said == "CUT":
            await self._cut(send)
            return
        name = next(name for name, r in REQUESTS.items() if _asks(r, request, said))
        reply = RECORDED[name]
        content = json.dumps(reply["json"]) if "json" in reply else reply["text"]
        response = Response(content, reply["status"], {"content-type": reply["headers"]["content-type"]})
        await response(scope, receive, send)

    async def _cut(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": event(text_output="half").encode(), "more_body": True})
        await asyncio.sleep(0)
        raise ConnectionResetError


def _asks(recorded: Any, request: Request, said: str | None) -> bool:
    way = (recorded["method"], recorded["path"]) == (request.method, request.url.path)
    return way and said in (recorded.get("json", {}).get("text_input"), "ping")


@asynccontextmanager
async def asked(model: str, **form: str) -> AsyncIterator[tuple[HttpGateway, Target]]:
    async with serving(Recorded()) as url, gateway(adapters=ADAPTERS) as subject:
        yield subject, rec.target(ID, model, {"server_url": url, "completion_type": "completion", **form})


async def streamed(subject: HttpGateway, target: Target, said: str) -> list[ChatEvent]:
    async with subject.chat_stream(target, rec.asking(said)) as events:
        return [event async for event in events]


async def test_a_model_that_only_streams_answers_whole_too() -> None:
    async with asked("stream_llm") as (subject, target):
        whole = await subject.chat(target, rec.asking("hello big wide world"))
        events = await streamed(subject, target, "hello big wide world")
    assert whole == fold(events)
    assert events[:2] == [TextDelta("echo: "), TextDelta("hello ")]


async def test_a_model_that_does_not_stream_answers_streams_in_one_piece() -> None:
    async with asked("ensemble", stream="false") as (subject, target):
        whole = await subject.chat(target, rec.asking("hello big wide world"))
        assert fold(await streamed(subject, target, "hello big wide world")) == whole
    assert whole.text.startswith("echo: hello big")


@pytest.mark.parametrize(
    ("model", "said", "stream", "meaning"),
    [
        ("ensemble", "BOOM", "true", BadRequestUpstream),
        ("ensemble", "BOOM", "false", BadRequestUpstream),
        ("stream_llm", "hello BOOM", "true", BadRequestUpstream),
        ("stream_llm", "hello big", "false", BadRequestUpstream),
        ("nope", "x", "true", ModelNotFoundUpstream),
        ("nope", "x", "false", ModelNotFoundUpstream),
        ("stream_llm", "CUT", "true", StreamBroken),
    ],
)
async def test_a_failure_has_the_same_meaning_whole_and_streamed(
    model: str, said: str, stream: str, meaning: type[UpstreamError]
) -> None:
    async with asked(model, stream=stream) as (subject, target):
        for call in (subject.chat(target, rec.asking(said)), streamed(subject, target, said)):
            with pytest.raises(meaning):
                await call


def test_vectors_are_read_row_by_row() -> None:
    answer = rec.vectors(ID, RECORDED["infer_embeddings"]["json"], 2)
    assert (answer.vectors, answer.usage) == (((2.0, 1.0, 2.0, 3.0), (4.0, 1.0, 2.0, 3.0)), Usage())


def tensor(**changed: Any) -> Any:
    return {"outputs": [{"name": "embedding", "datatype": "FP32", "shape": [2, 1], "data": [1.0, 2.0], **changed}]}


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"outputs": []},
        tensor(data=[]),
        tensor(data=[1.0, 2.0, 3.0]),
        tensor(shape=[1, 2]),
        tensor(shape=[]),
        tensor(shape="2"),
        tensor(data=["a", "b"]),
        tensor(data=[1.0, None]),
        tensor(data=[1.0, float("nan")]),
    ],
    ids=str,
)
def test_what_is_no_vector_for_each_text_is_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, body, 2)


def test_a_tensor_of_the_wrong_form_is_a_bad_request() -> None:
    reply = RECORDED["infer_bad_shape"]
    failure = rec.refused(ID, reply["status"], reply["json"])
    assert (type(failure), "unexpected shape" in failure.detail) == (BadRequestUpstream, True)


@pytest.mark.parametrize("model", ["ensemble", "stream_llm"])
async def test_the_probe_proves_a_model_that_answers_in_one_piece_or_in_many(model: str) -> None:
    async with asked(model) as (subject, target):
        await subject.probe(ID, target.form, target.model)


async def test_the_probe_finds_out_a_model_that_is_not_there() -> None:
    async with asked("nope") as (subject, target):
        with pytest.raises(ModelNotFoundUpstream):
            await subject.probe(ID, target.form, target.model)


async def test_the_list_is_read_from_the_server() -> None:
    async with asked("ensemble") as (subject, target):
        assert [m.name for m in await subject.listed(ID, target.form)] == ["embedder", "ensemble", "stream_llm"]
