"""Calls of hostile vendors, and what became of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx2

from domain.errors import UpstreamError
from domain.model.events import Usage
from infrastructure.http import egress
from infrastructure.providers.gateway import HttpGateway, Limits
from tests.gateways import IMPATIENT, LOOPBACK
from tests.stubs.hostile import Habit, hostile
from tests.ways import Way, at

LIMITS = Limits(total=60, probe=60, told=0.3, whole=2**18, stream=2**18, frame=2**16, patience=IMPATIENT)
HURRIED = replace(LIMITS, total=0.5, probe=0.5)
DRIP = 0.05
ROOM = 2**24
"""Bytes; more than a call may read, and the buffers of its connections hold."""

_ASKED = 2 * (1 + IMPATIENT.retries)
"""Times; what is only read, the client itself asks for once more when a connection ends too soon."""

Ending = type[UpstreamError] | None
"""How a call ended; None with an answer."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Vendors of any habit, and a client that calls them."""

    client: httpx2.AsyncClient

    async def endings(
        self, way: Way, habits: Mapping[str, Habit], limits: Limits = LIMITS, pause: float = 0.0
    ) -> dict[str, Ending]:
        """Of calls at once; all that wait, and a few of those that work."""
        turns = asyncio.Semaphore(len(habits) if pause else 8)

        async def one(habit: Habit) -> Ending:
            async with turns:
                return await self.ending(way, habit, limits, pause)

        async with asyncio.TaskGroup() as group:
            ended = {name: group.create_task(one(habit)) for name, habit in habits.items()}
        return {name: task.result() for name, task in ended.items()}

    async def ending(self, way: Way, habit: Habit, limits: Limits = LIMITS, pause: float = 0.0) -> Ending:
        failure = await self.explained(way, habit, limits, pause)
        return None if failure is None else type(failure)

    async def explained(
        self, way: Way, habit: Habit, limits: Limits = LIMITS, pause: float = 0.0
    ) -> UpstreamError | None:
        """Its failure is fit to show: named, short, on one line. The vendor was not read beyond the limits."""
        async with hostile(habit, pause) as (vendor, url), asyncio.timeout(120):
            failure = await self.failure(way, url, limits)
            await vendor.rested()
        assert vendor.sent < ROOM
        assert len(vendor.heads) <= _ASKED
        if failure is None:
            return None
        assert (failure.provider, failure.sent) == (way.provider, True)
        assert len(failure.detail) <= 500
        assert len(failure.detail.splitlines()) <= 1
        failure.message.encode()
        return failure

    async def used(self, way: Way, habit: Habit) -> Usage | None:
        async with hostile(habit) as (_, url):
            return await way.asked(HttpGateway(at(url), self.client, LIMITS))

    async def failure(self, way: Way, url: str, limits: Limits = LIMITS) -> UpstreamError | None:
        try:
            await way.asked(HttpGateway(at(url), self.client, limits))
        except UpstreamError as failure:
            return failure
        return None


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """No task is left behind it."""
    async with egress(LOOPBACK, connect=60, read=60) as client:
        yield Scene(client)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def all_end(habits: Mapping[str, object], ending: Ending) -> dict[str, Ending]:
    return dict.fromkeys(habits, ending)
