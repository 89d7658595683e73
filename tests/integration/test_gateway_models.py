"""A vendor's list of models through the gateway, probes of every kind, and calls whose refusals stand."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    NotFound,
    UnsupportedFeature,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall
from domain.ports import ListedModel, Target
from infrastructure.providers.exchange import Limits
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import BYTES, Request
from tests.gateways import IMPATIENT, bench, gateway
from tests.stubs import asgi, plain
from tests.stubs.asgi import AUDIO, Receive, Scope, Send
from tests.stubs.misbehaviour import FAILURES, Failure, body, refusal
from tests.stubs.serve import serving


def pages(*bodies: bytes) -> Failure:
    """One answer after the other."""
    left = iter(bodies)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await body(next(left))(scope, receive, send)

    return app


async def test_the_vendors_models_are_listed() -> None:
    async with bench() as at:
        got = await at.gateway.listed("plain", plain.target(at.url).form)
    assert got == (ListedModel("stub-chat"), ListedModel("stub-embed"))


async def test_pages_are_followed_and_each_name_comes_once() -> None:
    first = b'{"data":[{"id":"a","context_length":8},{"id":"b"}],"has_more":true,"last_id":"b"}'
    last = b'{"data":[{"id":"b","context_length":9},{"id":"c"}],"has_more":false,"last_id":"c"}'
    async with serving(pages(first, last)) as url, gateway() as subject:
        got = await subject.listed("plain", plain.target(url).form)
    assert got == (ListedModel("a", None, 8), ListedModel("b"), ListedModel("c"))


async def test_a_list_of_more_models_than_any_vendor_has_is_refused() -> None:
    many = body(b'{"data":[' + b'{"id":"a"},' * 10_000 + b'{"id":"b"}]}')
    async with serving(many) as url, gateway() as subject:
        with pytest.raises(BadRequestUpstream, match="more than 10000 models"):
            await subject.listed("plain", plain.target(url).form)


async def test_a_list_without_end_is_refused() -> None:
    endless = body(b'{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}')
    async with serving(endless) as url, gateway(Limits(pages=3, patience=IMPATIENT)) as subject:
        with pytest.raises(BadRequestUpstream, match="3 pages"):
            await subject.listed("plain", plain.target(url).form)


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (FAILURES["fail-401"], CredentialRejected, "Incorrect"),
        (FAILURES["html"], BadRequestUpstream, "web page"),
        (body(b"{}"), BadRequestUpstream, "no list of models"),
        (body(b'"text"'), BadRequestUpstream, "no list of models"),
        (FAILURES["garbage"], BadRequestUpstream, "not JSON"),
    ],
)
async def test_what_is_no_list_is_refused(answer: Failure, kind: type[UpstreamError], detail: str) -> None:
    async with serving(answer) as url, gateway() as subject:
        with pytest.raises(kind, match=detail) as caught:
            await subject.listed("plain", plain.target(url).form)
    assert caught.value.provider == "plain"


async def test_a_list_that_does_not_come_ends_at_its_time() -> None:
    async with serving(FAILURES["slow"]) as url, gateway(Limits(probe=0.1, patience=IMPATIENT)) as subject:
        with pytest.raises(UpstreamTimeout):
            await subject.listed("plain", plain.target(url).form)


async def test_a_vendor_without_a_list_says_so() -> None:
    async with gateway(adapters=ADAPTERS) as subject:
        with pytest.raises(UnsupportedFeature, match="list of its models"):
            await subject.listed("yi_01ai", {})
        with pytest.raises(NotFound):
            await subject.listed("nobody", {})


async def test_no_failure_shows_the_key() -> None:
    async with serving(FAILURES["echo-key"]) as url, gateway() as subject:
        with pytest.raises(UpstreamError) as caught:
            await subject.listed("plain", plain.target(url, key="sk-canary-0123456789").form)
    assert "canary" not in repr(vars(caught.value))


async def probed(answer: Failure, request: Request) -> None:
    async with serving(answer) as url, gateway(adapters={"plain": plain.adapter(probe=request)}) as subject:
        await subject.probe("plain", plain.target(url).form, None)


LIST = Request("models", method="GET")
SPEECH = Request("audio/speech", {"model": "m", "input": "ping"}, accept=BYTES)


async def test_a_refusal_that_only_a_good_key_gets_proves_it() -> None:
    await probed(refusal(403, "forbidden", "this key may use some models only"), LIST)
    with pytest.raises(BadRequestUpstream):
        await probed(refusal(403, "forbidden", "you may not"), LIST)


async def test_a_probe_that_speaks_is_proved_by_audio_alone() -> None:
    await probed(body(b"ID3", AUDIO), SPEECH)
    for answer in (body(b"{}"), body(b"", AUDIO), FAILURES["html"], FAILURES["fail-401"]):
        with pytest.raises(UpstreamError):
            await probed(answer, SPEECH)


async def test_a_probe_that_does_not_speak_is_not_proved_by_audio() -> None:
    with pytest.raises(BadRequestUpstream):
        await probed(body(b"ID3", AUDIO), LIST)


async def speak(subject: HttpGateway, target: Target) -> None:
    async with subject.speak(target, SpeakCall("Hi")):
        pass


async def stream(subject: HttpGateway, target: Target) -> None:
    async with subject.chat_stream(target, plain.asking()):
        pass


RECORDING = Recording("a.wav", "audio/wav", b"RIFF")
CALLS: dict[str, Callable[[HttpGateway, Target], Awaitable[object]]] = {
    "chat": lambda subject, target: subject.chat(target, plain.asking()),
    "chat_stream": stream,
    "embed": lambda subject, target: subject.embed(target, EmbedCall(("a",))),
    "rerank": lambda subject, target: subject.rerank(target, RerankCall("q", ("a",))),
    "transcribe": lambda subject, target: subject.transcribe(target, TranscribeCall(RECORDING)),
    "speak": speak,
}
LIMITED = refusal(429, "rate_limit_exceeded", "slow down", retry_after="0.01")


@pytest.mark.parametrize("patient", [True, False])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("answer", "kind"), [(LIMITED, UpstreamRateLimited), (FAILURES["fail-503"], UpstreamUnavailable)]
)
async def test_refusals_stand_at_once_where_another_credential_waits(
    answer: Failure, kind: type[UpstreamError], call: str, patient: bool
) -> None:
    attempts: list[None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        attempts.append(None)
        await asgi.read(receive)
        scope["streamed"] = False
        await answer(scope, receive, send)

    async with serving(app) as url, gateway() as subject:
        with pytest.raises(kind) as caught:
            await CALLS[call](subject, replace(plain.target(url), patient=patient))
    assert len(attempts) == (3 if patient else 1)
    assert caught.value.status in (429, 503)


async def test_a_connection_that_fails_is_tried_again_all_the_same() -> None:
    async with gateway() as subject:
        with pytest.raises(UpstreamUnavailable) as caught:
            await subject.chat(replace(plain.target("http://127.0.0.1:1"), patient=False), plain.asking())
    assert caught.value.sent is False
