"""Answers that are kept whole share memory: many large ones at once leave room for a small one."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import BadRequestUpstream
from domain.model.speech import SpeakCall
from infrastructure.providers.gateway import HttpGateway, Limits
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.gateways import IMPATIENT, gateway
from tests.stubs import asgi, plain
from tests.stubs.asgi import AUDIO, Receive, Scope, Send
from tests.stubs.misbehaviour import body
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

SHARED = Limits(together=2**16, patience=IMPATIENT)
LARGE = 20_000


async def test_large_answers_at_once_leave_room_for_a_small_one() -> None:
    vendor, go_on = Vendor(), asyncio.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.start(send, 200, asgi.JSON)
        await asgi.body(send, b" " * LARGE, more=True)
        await go_on.wait()
        await vendor({**scope, "path": "/v1/chat/completions"}, receive, _headless(send))

    async with serving(large) as slow, serving(vendor) as url, gateway(SHARED) as subject:
        asked = [asyncio.create_task(subject.chat(plain.target(slow), plain.asking())) for _ in range(3)]
        (refused,), waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(BadRequestUpstream, match="too large beside the others"):
            refused.result()
        assert (await subject.chat(plain.target(url), plain.asking())).text
        go_on.set()
        assert all(answer.text for answer in await asyncio.gather(*waiting))
        assert (await subject.chat(plain.target(slow), plain.asking())).text


async def test_speech_takes_room_only_where_it_is_kept() -> None:
    async def heard(subject: HttpGateway, *, kept: bool) -> int:
        async with subject.speak(plain.target(url), SpeakCall("Hi"), kept=kept) as speech:
            return sum([len(piece) async for piece in speech.pieces])

    async with serving(body(bytes(40_000), AUDIO)) as url, gateway(SHARED) as subject:
        with pytest.raises(BadRequestUpstream, match="too large beside the others"):
            await heard(subject, kept=True)
        assert await heard(subject, kept=False) == 40_000


async def test_a_stream_that_is_folded_takes_room() -> None:
    letters = body(b'data: {"text_output":"a"}\n\n' * 2_000, asgi.SSE)
    async with serving(letters) as url:
        triton = {"nvidia_triton": replace(ADAPTERS["nvidia_triton"], base_url=lambda _: url)}
        asked = rec.target("nvidia_triton", "any", {"server_url": url}), plain.asking()
        async with gateway(SHARED, triton) as subject:
            with pytest.raises(BadRequestUpstream, match="too large beside the others"):
                await subject.chat(*asked)
        async with gateway(adapters=triton) as subject:
            assert (await subject.chat(*asked)).text == "a" * 2_000


def _headless(send: Send) -> Send:
    """Only what is sent of a body: its head went out before."""

    async def pass_on(message: asgi.Scope) -> None:
        if message["type"] == "http.response.body":
            await send(message)

    return pass_on
