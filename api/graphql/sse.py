"""Server-sent events in the protocol of graphql-sse, distinct connections mode."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

EVENTS = "text/event-stream"

_BEAT = 15.0
_ROOM = 64
_PING = b": ping\r\n\r\n"
_COMPLETE = b"event: complete\r\ndata: \r\n\r\n"
_HEADERS = [
    (b"content-type", EVENTS.encode()),
    (b"cache-control", b"no-cache, no-transform"),  # also keeps intermediaries from compressing, which would delay
    (b"x-accel-buffering", b"no"),
]


class _Departed(Exception):
    """The client is gone."""


class EventStream:
    """An ASGI response: an event of `next` for each payload, JSON on one line, and `complete` at the end.

    Payloads that are ready together are written together. A comment every `_BEAT` seconds keeps the connection open.
    When the client leaves, `payloads` is closed; so it is when `over` returns, and `farewell` is then the last payload.
    """

    def __init__(
        self, payloads: AsyncGenerator[bytes, None], over: Callable[[], Awaitable[None]], farewell: bytes
    ) -> None:
        self._payloads, self._over, self._farewell = payloads, over, farewell
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(_ROOM)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                others = (self._end(reading), self._beat(), _departure(receive))
                beside = [reading, *(group.create_task(work) for work in others)]
                await self._write(send)
                for task in beside:
                    task.cancel()
        except* _Departed:
            pass

    async def _read(self) -> None:
        async with aclosing(self._payloads) as payloads:
            async for payload in payloads:
                await self._frames.put(_frame(payload))
        await self._frames.put(_COMPLETE)

    async def _end(self, reading: asyncio.Task[None]) -> None:
        await self._over()
        if reading.cancel():
            await self._frames.put(_frame(self._farewell))
            await self._frames.put(_COMPLETE)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            await self._frames.put(_PING)

    async def _write(self, send: Send) -> None:
        over = False
        while not over:
            together = [await self._frames.get()]
            while not self._frames.empty():
                together.append(self._frames.get_nowait())
            over = _COMPLETE in together
            await send({"type": "http.response.body", "body": b"".join(together), "more_body": not over})


def _frame(payload: bytes) -> bytes:
    return b"event: next\r\ndata: " + payload + b"\r\n\r\n"


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Departed
