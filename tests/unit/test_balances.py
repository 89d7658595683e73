"""Balances are polled once per tenant for all who watch, only while somebody does, and a failed reading ends none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from uuid_utils.compat import uuid7

from domain.model.ids import TenantId
from domain.model.quota import Pot
from domain.ports import Work
from infrastructure.balances import PolledBalances
from tests.belongings import NOW, a_pot
from tests.fakes import FakeClock, FakeStore
from tests.unit.usecases.house import Pulse

TENANT = TenantId(uuid7())


@dataclass
class Counted:
    store: FakeStore = field(default_factory=FakeStore)
    begun: list[TenantId] = field(default_factory=list)
    broken: bool = False

    def begin(self, tenant_id: TenantId) -> Work:
        self.begun.append(tenant_id)
        if self.broken:
            raise ConnectionError("the database is away")
        return self.store.begin(tenant_id)


class Office:
    def __init__(self) -> None:
        self.counted, self.clock, self.pulse = Counted(), FakeClock(NOW), Pulse()
        self.balances = PolledBalances(self.counted.begin, self.clock, self.pulse)
        self.pot = a_pot(TENANT)
        self.set(0)

    def set(self, used: int) -> None:
        self.counted.store.rows[TENANT].pots[self.pot.id] = replace(self.pot, used=used)

    @asynccontextmanager
    async def watcher(self, tenant_id: TenantId = TENANT) -> AsyncIterator[list[tuple[Pot, ...]]]:
        """What it is told, until it is left."""
        told: list[tuple[Pot, ...]] = []

        async def watch() -> None:
            async with self.balances(tenant_id) as readings:
                async for pots in readings:
                    told.append(tuple(pots))

        task = asyncio.create_task(watch())
        try:
            yield told
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_all_watchers_of_a_tenant_share_one_poll() -> None:
    office = Office()
    async with office.watcher() as first, office.watcher() as second, office.watcher() as third:
        await office.pulse.beat()
        readings = len(office.counted.begun)
        office.set(1)
        await office.pulse.beat()
        assert len(office.counted.begun) == readings + 1
        assert [[p.used for (p,) in told] for told in (first, second, third)] == [[0, 1]] * 3


async def test_who_comes_later_is_told_what_is_known_at_once() -> None:
    office = Office()
    async with office.watcher():
        await office.pulse.beat()
        readings = len(office.counted.begun)
        async with office.watcher() as late:
            for _ in range(10):
                await asyncio.sleep(0)
            assert [p.used for (p,) in late] == [0]
            assert len(office.counted.begun) == readings


async def test_nothing_is_read_when_nobody_watches_any_more() -> None:
    office = Office()
    async with office.watcher(), office.watcher():
        await office.pulse.beat()
        assert office.pulse.resting == 1
    await office.pulse.beat()
    assert office.pulse.resting == 0
    readings = len(office.counted.begun)
    await office.pulse.beat()
    assert len(office.counted.begun) == readings
    async with office.watcher() as again:
        await office.pulse.beat()
        assert len(again) == 1


async def test_each_tenant_has_a_poll_of_its_own() -> None:
    office = Office()
    other = TenantId(uuid7())
    async with office.watcher() as mine, office.watcher(other) as theirs:
        await office.pulse.beat()
        assert set(office.counted.begun) == {TENANT, other}
        assert [len(pots) for pots in mine] == [1]
        assert theirs == [()]


async def test_a_reading_that_fails_is_left_out_and_the_next_one_tells() -> None:
    office = Office()
    office.counted.broken = True
    async with office.watcher() as told:
        await office.pulse.beat()
        assert told == []
        office.counted.broken = False
        await office.pulse.beat()
        assert [p.used for (p,) in told] == [0]


async def test_a_slow_watcher_gets_the_newest_only() -> None:
    office = Office()
    async with office.balances(TENANT) as readings:
        assert [p.used for p in await anext(readings)] == [0]
        for used in (1, 2, 3):
            office.set(used)
            await office.pulse.beat()
        assert [p.used for p in await anext(readings)] == [3]
