"""A stream's writer and reader, either of which may go first."""

import asyncio

import pytest

from domain.errors import StreamBroken
from domain.usecases.outlet import Outlet


async def test_the_reader_gets_the_items_then_the_end() -> None:
    outlet: Outlet[int] = Outlet()

    async def write() -> None:
        for n in range(200):
            assert await outlet.put(n)

    writing = asyncio.create_task(outlet.fed_by(write()))
    assert [n async for n in outlet.items()] == list(range(200))
    await writing


async def test_the_reader_gets_the_writers_failure_after_its_items() -> None:
    outlet: Outlet[int] = Outlet()

    async def write() -> None:
        await outlet.put(1)
        raise StreamBroken("acme")

    writing = asyncio.create_task(outlet.fed_by(write()))
    seen: list[int] = []
    with pytest.raises(StreamBroken):
        async for n in outlet.items():
            seen.append(n)
    assert seen == [1]
    await writing


async def test_a_writer_waiting_for_room_learns_that_the_reader_left() -> None:
    outlet: Outlet[int] = Outlet()
    told: list[bool] = []

    async def write() -> None:
        for n in range(1_000):
            told.append(await outlet.put(n))
            if not told[-1]:
                return

    writing = asyncio.create_task(outlet.fed_by(write()))
    while len(told) < 64:
        await asyncio.sleep(0)
    outlet.leave()
    await writing
    assert told[-1] is False


async def test_a_cancelled_writer_is_a_broken_stream_not_a_clean_end() -> None:
    outlet: Outlet[int] = Outlet()
    writing = asyncio.create_task(outlet.fed_by(asyncio.sleep(3600)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(StreamBroken, match="stopping"):
        async for _ in outlet.items():
            pytest.fail("nothing was written")
    with pytest.raises(asyncio.CancelledError):
        await writing
