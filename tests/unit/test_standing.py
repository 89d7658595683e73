"""A standing is read once per lease, by whoever asks, and never remembered past a change or for too many tenants."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.model.catalogue import ModelType
from domain.model.ids import TenantId
from domain.model.selection import KeySource, Standing
from domain.model.tenant import Tenant
from domain.ports import Work
from infrastructure.standing import LEASE, USES_LEASE, LeasedStanding
from tests.belongings import MODEL, NOW, a_credential, a_key, a_pot, a_record, sealed
from tests.fakes import FakeClock, FakeLedger, FakeStore

MOMENT = timedelta(milliseconds=1)


@dataclass
class Counted:
    """A store whose units of work are counted, and fail while `broken`."""

    store: FakeStore = field(default_factory=FakeStore)
    begun: list[TenantId] = field(default_factory=list)
    broken: bool = False

    def begin(self, tenant_id: TenantId) -> Work:
        self.begun.append(tenant_id)
        if self.broken:
            raise ConnectionError("the database is away")
        return self.store.begin(tenant_id)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def standing(counted: Counted, clock: FakeClock) -> LeasedStanding:
    return LeasedStanding(counted.begin, clock, room=2)


TENANT = TenantId(uuid7())


async def test_it_holds_all_that_decisions_need(counted: Counted, standing: LeasedStanding) -> None:
    key, credential, pot = a_key(TENANT), a_credential(TENANT), a_pot(TENANT)
    async with counted.store.begin(TENANT) as work:
        await work.tenants.add(Tenant(TENANT, "Acme", NOW))
        await work.credentials.add(credential, sealed(key))
        await work.pots.add(pot)
        await work.choices.put_default(MODEL)
        await work.choices.put_preferred("acme", KeySource.OWN)
    ledger = FakeLedger(counted.store)
    for age in (0, 29, 31):
        await ledger.settle(a_record(TENANT, at=NOW - timedelta(days=age)))
    assert await standing(TENANT) == Standing(
        (credential,), (pot,), {"acme": KeySource.OWN}, {ModelType.LLM: MODEL}, {MODEL: 2}
    )


async def test_it_is_read_once_per_lease(counted: Counted, standing: LeasedStanding, clock: FakeClock) -> None:
    await standing(TENANT)
    clock.advance(LEASE - MOMENT)
    await standing(TENANT)
    assert len(counted.begun) == 1
    clock.advance(MOMENT)
    await standing(TENANT)
    assert len(counted.begun) == 2


async def test_readers_at_one_moment_share_a_reading(counted: Counted, standing: LeasedStanding) -> None:
    found = await asyncio.gather(*(standing(TENANT) for _ in range(20)))
    assert len(counted.begun) == 1
    assert all(each is found[0] for each in found)


async def test_a_reader_that_gives_up_leaves_the_others_their_reading(
    counted: Counted, standing: LeasedStanding
) -> None:
    readers = [asyncio.create_task(standing(TENANT)) for _ in range(2)]
    await asyncio.sleep(0)
    readers[0].cancel()
    assert await readers[1] == Standing()
    assert len(counted.begun) == 1


async def test_what_was_forgotten_is_read_again(counted: Counted, standing: LeasedStanding) -> None:
    await standing(TENANT)
    async with counted.store.begin(TENANT) as work:
        await work.choices.put_default(MODEL)
    standing.forget(TENANT)
    assert (await standing(TENANT)).chosen == {ModelType.LLM: MODEL}
    standing.forget(TenantId(uuid7()))


async def test_a_failed_reading_is_not_remembered(counted: Counted, standing: LeasedStanding) -> None:
    counted.broken = True
    with pytest.raises(ConnectionError):
        await standing(TENANT)
    counted.broken = False
    assert await standing(TENANT) == Standing()


async def test_uses_are_counted_less_often(counted: Counted, standing: LeasedStanding, clock: FakeClock) -> None:
    async with counted.store.begin(TENANT) as work:
        await work.tenants.add(Tenant(TENANT, "Acme", NOW))
    assert (await standing(TENANT)).uses == {}
    await FakeLedger(counted.store).settle(a_record(TENANT))
    for _ in range(USES_LEASE // LEASE - 1):
        clock.advance(LEASE)
        assert (await standing(TENANT)).uses == {}
    clock.advance(LEASE)
    assert (await standing(TENANT)).uses == {MODEL: 1}


async def test_the_tenant_unseen_for_longest_gives_way(counted: Counted, standing: LeasedStanding) -> None:
    one, two, three = (TenantId(uuid7()) for _ in range(3))
    for tenant_id in (one, two, one, three, one, two):
        await standing(tenant_id)
    assert counted.begun == [one, two, three, two]
