"""However much a vendor sends at once, all other calls have their turns while it is read, and it comes to an end."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import httpx2
import pytest

from domain.model.events import ChatEvent
from infrastructure.providers import incoming, streaming
from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed

LARGE = bytes(range(256)) * 2**12


class AtOnce(httpx2.AsyncByteStream):
    """A body of one piece."""

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        yield LARGE


async def test_a_large_piece_is_read_in_turns_with_all_else() -> None:
    turns = 0

    async def all_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(all_else())
    async with aclosing(incoming.pieces("a", httpx2.Response(200, stream=AtOnce()), 2**20)) as pieces:
        got = [piece async for piece in pieces]
    other.cancel()
    assert b"".join(got) == LARGE
    assert max(map(len, got)) <= 2**15
    assert turns >= len(got) - 1


class Swarm:
    """Makes as many frames of one piece as it is told."""

    def __init__(self, size: int) -> None:
        self._size = size

    def feed(self, chunk: bytes) -> list[Frame]:
        return [Frame(chunk.decode())] * self._size

    def end(self) -> list[Frame]:
        return []


class Deaf:
    """Hears nothing in any frame."""

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        assert frame.data == "{}"
        yield from ()

    def end(self) -> Iterator[ChatEvent]:
        yield from ()


async def one_piece() -> AsyncGenerator[bytes, None]:
    yield b"{}"


async def test_a_stream_of_more_events_than_any_answer_has_is_refused() -> None:
    async with aclosing(streaming.decoded(one_piece(), Swarm(500_001), Deaf(), 200, None)) as events:
        with pytest.raises(Malformed, match="more than 500000 events"):
            await anext(events)
