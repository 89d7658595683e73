"""What the audit promises, on every store."""

import asyncio
from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from domain.errors import DuplicateName, InvalidRange, NotFound
from domain.model.access import Role
from domain.model.audit import Deed, Head
from domain.model.audit_check import FaultKind
from domain.model.ids import ClientId, PersonId, TenantId
from infrastructure.request_id import request_id
from tests.belongings import GRANTED, a_grant, a_pot, given, settled_in
from tests.household import a_person
from tests.stores import Store

ADDED, REMOVED = Deed("cap.set", "one", ClientId(uuid7())), Deed("cap.removed", "one", None, PersonId(uuid7()), "X")


async def tenant_in(store: Store, *deeds: Deed) -> TenantId:
    tenant = await settled_in(store.begin)
    if deeds:
        await done(store, tenant.id, *deeds)
    return tenant.id


async def done(store: Store, tenant_id: TenantId, *deeds: Deed) -> None:
    async with store.begin(tenant_id) as work:
        await work.audit.add(*deeds)


async def deeds_of(store: Store, tenant_id: TenantId) -> list[Deed]:
    """Oldest first."""
    async with store.begin(tenant_id) as work:
        return [entry.deed for entry in reversed(await work.audit.page(first=1_000))]


async def head_of(store: Store, tenant_id: TenantId) -> Head:
    async with store.begin(tenant_id) as work:
        head = await work.audit.head()
    assert head is not None
    return head


async def test_deeds_are_counted_from_one_and_shown_newest_first(store: Store) -> None:
    tenant_id = await tenant_in(store, ADDED, REMOVED)
    here = request_id.set("request-0123")
    await done(store, tenant_id, ADDED)
    request_id.reset(here)
    async with store.begin(tenant_id) as work:
        entries = await work.audit.page(first=9)
        assert [(entry.seq, entry.deed, entry.request_id) for entry in entries] == [
            (3, ADDED, "request-0123"),
            (2, REMOVED, None),
            (1, ADDED, None),
        ]
        assert {entry.tenant_id for entry in entries} == {tenant_id}
        assert list(await work.audit.page(first=1, before=3)) == [entries[1]]


async def test_entries_are_found_by_action_person_application_and_time(store: Store) -> None:
    tenant_id = await tenant_in(store, ADDED, REMOVED)
    async with store.begin(tenant_id) as work:
        second, first = await work.audit.page(first=9)
        assert list(await work.audit.page(first=9, actions=["cap.set"])) == [first]
        assert list(await work.audit.page(first=9, actions=[])) == []
        assert list(await work.audit.page(first=9, person_id=REMOVED.person_id)) == [second]
        assert list(await work.audit.page(first=9, client_id=ADDED.client_id)) == [first]
        assert list(await work.audit.page(first=9, since=first.at, until=first.at)) == []
        assert len(await work.audit.page(first=9, since=first.at)) == 2


async def test_a_chain_that_nobody_touched_is_sound(store: Store) -> None:
    empty = await tenant_in(store)
    tenant_id = await tenant_in(store, *[ADDED] * 3)
    head = await head_of(store, tenant_id)
    await done(store, tenant_id, *[REMOVED] * 3)
    async with store.begin(tenant_id) as work:
        assert (await work.audit.check({0: bytes(32), 3: head.mac})) == (await work.audit.check({}))
        verdict = await work.audit.check({})
        assert (verdict.tenant_id, verdict.entries, verdict.faults) == (tenant_id, 6, ())
        shorter = await work.audit.check({9: head.mac, 2: head.mac})
        assert [(fault.seq, fault.kind) for fault in shorter.faults] == [
            (2, FaultKind.NOT_ANCHORED),
            (9, FaultKind.BEFORE_ANCHOR),
        ]
    async with store.begin(empty) as work:
        assert await work.audit.head() is None
        assert (await work.audit.check({})).faults == ()
        assert [fault.kind for fault in (await work.audit.check({1: b"x"})).faults] == [FaultKind.BEFORE_ANCHOR]


async def test_what_is_rolled_back_was_not_done(store: Store) -> None:
    tenant_id = await tenant_in(store, ADDED)
    with pytest.raises(DuplicateName):
        async with store.begin(tenant_id) as work:
            await work.audit.add(REMOVED)
            raise DuplicateName("x")
    await done(store, tenant_id, ADDED)
    assert await deeds_of(store, tenant_id) == [ADDED, ADDED]


async def test_who_append_at_once_leave_no_gap(store: Store) -> None:
    tenant_id = await tenant_in(store)
    await asyncio.gather(*(done(store, tenant_id, replace(ADDED, target=str(n))) for n in range(8)))
    assert sorted(each.target for each in await deeds_of(store, tenant_id)) == [str(n) for n in range(8)]
    async with store.begin(tenant_id) as work:
        verdict = await work.audit.check({})
    assert (verdict.entries, verdict.faults) == (8, ())


async def test_what_is_done_to_a_tenant_that_goes_stands_in_anothers_chain(store: Store) -> None:
    gone, stays = await tenant_in(store, ADDED), await tenant_in(store, ADDED)
    async with store.begin(gone) as work:
        await work.tenants.close()
        await work.audit.add_to(stays, REMOVED)
    assert await deeds_of(store, gone) == []
    assert await deeds_of(store, stays) == [ADDED, REMOVED]
    again = await tenant_in(store, ADDED)
    async with store.begin(again) as work:
        await work.audit.add_to(stays, REMOVED)
        await work.audit.add(REMOVED)
    assert await deeds_of(store, again) == [ADDED, REMOVED]
    assert len(await deeds_of(store, stays)) == 3


async def test_nothing_is_done_in_a_tenant_that_is_not_open(store: Store) -> None:
    nobodys, own = TenantId(uuid7()), await tenant_in(store)
    with pytest.raises(NotFound):
        await done(store, nobodys, ADDED)
    with pytest.raises(NotFound):
        async with store.begin(own) as work:
            await work.audit.add_to(nobodys, ADDED)


async def test_a_grant_and_its_deed_are_one(store: Store) -> None:
    pot = a_pot(TenantId(uuid7()), granted=5)
    await given(store.begin, pot)
    grant = a_grant(pot, 1)
    for _ in range(2):
        await store.ledger.grant(grant, pot, GRANTED)
    with pytest.raises(InvalidRange):
        await store.ledger.grant(a_grant(pot, -99), pot, replace(GRANTED, action="quota.revoked"))
    assert await deeds_of(store, pot.tenant_id) == [GRANTED]


async def test_people_are_looked_up_together_and_who_has_left_is_left_out(store: Store) -> None:
    tenant_id, people = await tenant_in(store), [a_person("Zoë"), a_person("Bo"), a_person("Cy")]
    for person in people:
        async with store.directory() as above:
            await above.people.add(person)
    async with store.begin(tenant_id) as work:
        for person in people[:2]:
            await work.members.add(person.id, Role.MEMBER, person.created_at)
        assert [each.person for each in await work.members.some([people[0].id, people[2].id])] == [people[0]]
        assert await work.members.some([]) == []
