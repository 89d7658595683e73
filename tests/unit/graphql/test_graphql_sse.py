"""A stream of server-sent events as ASGI messages: what is ready goes together, and a leaving client ends it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from starlette.types import Message

from api.graphql.sse import EventStream

Over = Callable[[], Awaitable[None]]

SCOPE = {"type": "http"}


def frame(payload: bytes) -> bytes:
    return b"event: next\r\ndata: " + payload + b"\r\n\r\n"


COMPLETE = b"event: complete\r\ndata: \r\n\r\n"


async def staying() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def never() -> None:
    await asyncio.Event().wait()


async def written(payloads: AsyncGenerator[bytes, None], receive: Any = staying, over: Over = never) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(EventStream(payloads, over, b"farewell")(SCOPE, receive, send), 5)
    return sent


async def some(number: int) -> AsyncGenerator[bytes, None]:
    for each in range(number):
        yield b"%d" % each


async def test_payloads_that_are_ready_together_are_written_together() -> None:
    start, *bodies = await written(some(3))
    assert dict(start["headers"])[b"content-type"] == b"text/event-stream"
    assert bodies == [
        {"type": "http.response.body", "body": b"".join(map(frame, (b"0", b"1", b"2"))) + COMPLETE, "more_body": False}
    ]


async def test_many_payloads_arrive_whole_and_in_order() -> None:
    _, *bodies = await written(some(1_000))
    assert b"".join(body["body"] for body in bodies) == b"".join(frame(b"%d" % n) for n in range(1_000)) + COMPLETE
    assert [body["more_body"] for body in bodies] == [True] * (len(bodies) - 1) + [False]


async def test_a_payload_does_not_wait_for_the_next() -> None:
    go = asyncio.Event()
    sent: list[Message] = []

    async def slow() -> AsyncGenerator[bytes, None]:
        yield b"first"
        await go.wait()
        yield b"second"

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body") == frame(b"first"):
            go.set()

    await asyncio.wait_for(EventStream(slow(), never, b"farewell")(SCOPE, staying, send), 5)
    assert sent[1]["body"] == frame(b"first")


async def test_the_payloads_are_closed_when_the_client_leaves() -> None:
    closed = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def leaving() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    sent = await written(endless(), leaving)
    assert closed == [True]
    assert sent[-1]["more_body"] is True


async def test_when_it_is_over_the_payloads_are_closed_and_a_farewell_is_the_last() -> None:
    closed, revoked = [], asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            revoked.set()
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def over() -> None:
        await revoked.wait()

    _, *bodies = await written(endless(), over=over)
    assert b"".join(body["body"] for body in bodies) == frame(b"first") + frame(b"farewell") + COMPLETE
    assert not bodies[-1]["more_body"]
    assert closed == [True]


async def test_a_stream_that_ended_by_itself_has_no_farewell() -> None:
    _, *bodies = await written(some(0), over=never)
    assert [body["body"] for body in bodies] == [COMPLETE]
