"""What is kept of answers shares memory among tenants: many large ones of one leave room for those of another."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace

import pytest

from domain.errors import BadRequestUpstream
from domain.model.events import ChatAnswer, ChatEvent
from domain.model.ids import TenantId
from domain.model.speech import SpeakCall
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway, Limits
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.room import FREE
from tests.belongings import a_tenant
from tests.contract import recordings as rec
from tests.gateways import IMPATIENT, gateway
from tests.stubs import asgi, plain
from tests.stubs.asgi import AUDIO, Receive, Scope, Send
from tests.stubs.misbehaviour import body
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

SHARED = Limits(together=2**20, patience=IMPATIENT)
LARGE = FREE + 300_000
TOO_LARGE = FREE + 600_000
REFUSED = "too large beside the others"


def of(tenant: TenantId, target: Target) -> Target:
    return replace(target, tenant=tenant)


async def test_large_answers_of_one_tenant_leave_room_for_another() -> None:
    vendor, go_on = Vendor(), asyncio.Event()
    acme, zen = a_tenant().id, a_tenant().id

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.start(send, 200, asgi.JSON)
        await asgi.body(send, b" " * LARGE, more=True)
        await go_on.wait()
        await vendor({**scope, "path": "/v1/chat/completions"}, receive, _headless(send))

    async with serving(large) as url, gateway(SHARED) as subject:
        asked = [asyncio.create_task(subject.chat(of(acme, plain.target(url)), plain.asking())) for _ in range(3)]
        refused = [await first(asked), await first(asked)]  # one of three fits into half of the room
        for task in refused:
            with pytest.raises(BadRequestUpstream, match=REFUSED):
                task.result()
        other = asyncio.create_task(subject.chat(of(zen, plain.target(url)), plain.asking()))
        go_on.set()
        assert all(answer.text for answer in await asyncio.gather(other, *asked))
        assert (await subject.chat(of(acme, plain.target(url)), plain.asking())).text


async def test_speech_takes_room_only_where_it_is_kept() -> None:
    async def heard(subject: HttpGateway, *, kept: bool) -> int:
        async with subject.speak(plain.target(url), SpeakCall("Hi"), kept=kept) as speech:
            return sum([len(piece) async for piece in speech.pieces])

    async with serving(body(bytes(TOO_LARGE), AUDIO)) as url, gateway(SHARED) as subject:
        with pytest.raises(BadRequestUpstream, match=REFUSED):
            await heard(subject, kept=True)
        assert await heard(subject, kept=False) == TOO_LARGE


async def test_a_stream_takes_room_where_it_is_folded_and_for_an_event_that_does_not_end() -> None:
    letters = b'data: {"text_output":"a"}\n\n' * (TOO_LARGE // 25)
    for said, fits in ((letters, True), (b'data: {"text_output":"' + b"a" * TOO_LARGE + b'"}\n\n', False)):
        async with serving(body(said, asgi.SSE)) as url:
            triton = {"nvidia_triton": ADAPTERS["nvidia_triton"]}
            target = rec.target("nvidia_triton", "any", {"server_url": url})
            async with gateway(SHARED, triton) as subject:
                with pytest.raises(BadRequestUpstream, match=REFUSED):
                    await subject.chat(target, plain.asking())
                with nullcontext() if fits else pytest.raises(BadRequestUpstream, match=REFUSED):
                    assert await streamed(subject, target)
            async with gateway(Limits(patience=IMPATIENT), triton) as subject:
                assert "a" * 600 in (await subject.chat(target, plain.asking())).text


async def streamed(subject: HttpGateway, target: Target) -> list[ChatEvent]:
    async with subject.chat_stream(target, plain.asking()) as events:
        return [event async for event in events]


async def first(tasks: list[asyncio.Task[ChatAnswer]]) -> asyncio.Task[ChatAnswer]:
    """That one of them which is over; it is taken out."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    over = done.pop()
    tasks.remove(over)
    return over


def _headless(send: Send) -> Send:
    """Only what is sent of a body: its head went out before."""

    async def pass_on(message: asgi.Scope) -> None:
        if message["type"] == "http.response.body":
            await send(message)

    return pass_on
