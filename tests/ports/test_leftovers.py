"""What has been over for long enough is removed, and nothing else: in memory, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from domain.errors import NotFound
from domain.model.ids import CallId, TenantId, earliest
from domain.model.leftovers import OF_TENANT, Leftover
from domain.model.quota import Hold, HoldState, Outcome, Pot
from domain.model.tenant import Tenant
from tests.belongings import NOW, a_cap, a_hold, a_pot, a_record, a_token, balance, given, settled_in
from tests.household import SOON, Household, a_personal_token, a_refresh_token, a_session, household
from tests.stores import Store

EXPIRED = SOON + timedelta(microseconds=1)
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


@pytest.fixture
async def home(store: Store, tenant: Tenant) -> Household:
    return await household(store.begin, store.directory, tenant.id)


@pytest.fixture
async def pot(store: Store) -> Pot:
    pot = a_pot(TenantId(uuid7()))
    await given(store.begin, pot)
    return pot


async def removed(store: Store, tenant_id: TenantId, before: datetime, most: int = 99) -> Mapping[Leftover, int]:
    """How many of what; what there was none of is left out."""
    async with store.begin(tenant_id) as work:
        gone = {what: await work.leftovers.remove(what, before, most=most) for what in OF_TENANT}
    return {what: count for what, count in gone.items() if count}


def made_long_ago(pot: Pot, *windows: Pot) -> Hold:
    """Of a call whose worker has had a quarter of an hour."""
    call_id = CallId(UUID(int=earliest(LONG_AGO).int + uuid7().int % 2**80))
    return a_hold(
        (pot, 1), *((window, 1) for window in windows), call_id=call_id, expires_at=EXPIRED - timedelta(days=1)
    )


async def test_what_has_expired_goes_and_only_from_its_own_tenant(
    store: Store, tenant: Tenant, home: Household
) -> None:
    another = await settled_in(store.begin)
    neighbour = await household(store.begin, store.directory, another.id)
    assert await removed(store, tenant.id, SOON) == {}
    assert await removed(store, tenant.id, EXPIRED) == {
        Leftover.ACCESS_TOKENS: 1,
        Leftover.REFRESH_TOKENS: 1,
        Leftover.CODES: 1,
        Leftover.DEVICES: 1,
        Leftover.ASSERTIONS: 1,
        Leftover.INVITATIONS: 1,
    }
    async with store.begin(another.id) as work:
        assert await work.tokens.one(neighbour.token.digest) == neighbour.token
        assert await work.codes.lock(neighbour.code.digest) == neighbour.code
        assert not await work.assertions.add(neighbour.partner.id, "seen", SOON)
    async with store.begin(tenant.id) as work:
        assert await work.consents.one(home.partner.id, home.person.id) == home.consent
        assert (await work.members.one(home.person.id)).person == home.person
        assert await work.clients.one(home.partner.id) == home.partner
        assert await work.assertions.add(home.partner.id, "seen", SOON)


async def test_what_is_good_stays_beside_what_has_expired(store: Store, tenant: Tenant, home: Household) -> None:
    service, later = a_token(home.partner), replace(a_personal_token(home.consent), expires_at=EXPIRED)
    used, fresh = a_refresh_token(home.consent), replace(a_refresh_token(home.consent), expires_at=EXPIRED)
    async with store.begin(tenant.id) as work:
        for token in (service, later):
            await work.tokens.add(token)
        for refresh in (used, fresh):
            await work.refresh_tokens.add(refresh)
        await work.refresh_tokens.use(used.digest, NOW)
    gone = await removed(store, tenant.id, EXPIRED)
    assert (gone[Leftover.ACCESS_TOKENS], gone[Leftover.REFRESH_TOKENS]) == (1, 2)
    async with store.begin(tenant.id) as work:
        assert await work.tokens.one(service.digest) == service
        assert await work.tokens.one(later.digest) == later
        assert await work.refresh_tokens.lock(fresh.digest) == fresh


async def test_no_more_is_removed_at_once_than_was_asked_for(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        for _ in range(4):
            await work.tokens.add(a_personal_token(home.consent))
    assert [(await removed(store, tenant.id, EXPIRED, most=2)).get(Leftover.ACCESS_TOKENS) for _ in range(4)] == [
        2,
        2,
        1,
        None,
    ]


async def test_those_who_prune_at_once_remove_each_row_once(store: Store, tenant: Tenant, home: Household) -> None:
    async with store.begin(tenant.id) as work:
        for _ in range(40):
            await work.tokens.add(a_personal_token(home.consent))
    gone = await asyncio.gather(*(removed(store, tenant.id, EXPIRED, most=9) for _ in range(8)))
    rest = await removed(store, tenant.id, EXPIRED)
    assert sum(each.get(Leftover.ACCESS_TOKENS, 0) for each in (*gone, rest)) == 41


async def test_a_closed_hold_goes_and_one_that_is_held_stays_however_old(store: Store, pot: Pot) -> None:
    closed, released, held = made_long_ago(pot), made_long_ago(pot), made_long_ago(pot)
    for hold in (closed, released, held):
        await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, closed.id))
    await store.ledger.release(pot.tenant_id, released.id)
    assert await removed(store, pot.tenant_id, closed.expires_at) == {}
    assert await removed(store, pot.tenant_id, EXPIRED) == {Leftover.HOLDS: 2}
    assert [await store.state(pot.tenant_id, hold.id) for hold in (closed, released, held)] == [
        None,
        None,
        HoldState.HELD,
    ]
    assert await balance(store.begin, pot) == (1, 1)
    assert await store.outcome(pot.tenant_id, closed.id) is Outcome.SUCCEEDED


async def test_a_call_that_is_made_now_keeps_its_hold(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 1))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id))
    assert await removed(store, pot.tenant_id, EXPIRED) == {}
    assert await store.state(pot.tenant_id, hold.id) is HoldState.SETTLED


async def test_a_closed_window_goes_behind_the_last_of_its_holds(store: Store, pot: Pot) -> None:
    cap = a_cap(pot.tenant_id)
    await store.cap(cap)
    past, today = cap.window(LONG_AGO), cap.window(EXPIRED)
    held, settled = made_long_ago(pot, past), made_long_ago(pot, past, today)
    for hold in (held, settled):
        await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, settled.id))
    async with store.begin(pot.tenant_id) as work:
        assert await work.leftovers.remove(Leftover.WINDOWS, EXPIRED, most=9) == 0
    assert Leftover.WINDOWS not in await removed(store, pot.tenant_id, EXPIRED)
    await store.ledger.settle(a_record(pot.tenant_id, held.id))
    gone = await removed(store, pot.tenant_id, EXPIRED)
    assert gone[Leftover.WINDOWS] == 1
    async with store.begin(pot.tenant_id) as work:
        assert {each.id for each in await work.pots.all()} == {pot.id, today.id}
        assert await work.caps.all() == [cap]


async def test_a_quota_is_no_window_and_stays(store: Store, pot: Pot) -> None:
    assert await removed(store, pot.tenant_id, EXPIRED) == {}
    async with store.begin(pot.tenant_id) as work:
        assert await work.pots.all() == [pot]


async def test_of_the_directory_too_no_more_is_removed_at_once_than_was_asked_for(
    store: Store, home: Household
) -> None:
    session = a_session(home.person)
    async with store.directory() as book:
        for digest in (b"1", b"2", b"3"):
            await book.sessions.add(replace(session, digest=digest + session.digest, expires_at=LONG_AGO))
        await book.sessions.add(session)
        at = LONG_AGO + timedelta(seconds=1)
        assert [await book.sessions.sweep(at, most=2) for _ in range(3)] == [2, 1, 0]
        assert await book.sessions.one(session.digest) == session
        with pytest.raises(NotFound):
            await book.sessions.one(b"1" + session.digest)
