"""Answers that are read whole share memory: many large ones at once leave room for a small one."""

import asyncio

import pytest

from domain.errors import BadRequestUpstream
from infrastructure.providers.gateway import Limits
from tests.gateways import IMPATIENT, gateway
from tests.stubs import asgi, plain
from tests.stubs.asgi import Receive, Scope, Send
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


def _headless(send: Send) -> Send:
    """Only what is sent of a body: its head went out before."""

    async def pass_on(message: asgi.Scope) -> None:
        if message["type"] == "http.response.body":
            await send(message)

    return pass_on
