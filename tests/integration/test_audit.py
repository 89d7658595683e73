"""Chains on real databases: what the owner of the tables changes is found, and who appends at once leaves no gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils.compat import uuid7

from domain.model.access import TENANT_SCOPES, Actor
from domain.model.audit import Deed, Head
from domain.model.audit_check import FaultKind, Verdict
from domain.model.cap import CapSubject, Period
from domain.model.ids import ClientId, PersonId, TenantId
from domain.model.quota import Unit
from domain.ports import Begin
from domain.usecases.audit import Audit
from domain.usecases.caps import Caps, NewCap
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.access_tables import audit_chains, audit_entries
from infrastructure.db.engine import open_engine
from infrastructure.db.fence import bind
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.roll_call import SqlRollCall
from infrastructure.db.work import begin
from infrastructure.standing import LeasedStanding
from tests.belongings import GRANTED, MASTER_KEYS, NOW, a_client, a_grant, a_pot, given, later, settled_in
from tests.databases import Urls

DONE = Deed("cap.set", "one", ClientId(uuid7()), PersonId(uuid7()))
numbers = audit_entries.c.seq


@dataclass(frozen=True, slots=True)
class Scene:
    """A tenant with five entries, `other` with as many, and ways to look and to meddle."""

    engine: AsyncEngine
    owner: AsyncEngine
    tenant_id: TenantId
    other: TenantId

    @property
    def begin(self) -> Begin:
        return begin(self.engine, master_keys=MASTER_KEYS)

    async def do(self, tenant_id: TenantId, times: int = 1) -> None:
        for number in range(times):
            async with self.begin(tenant_id) as work:
                await work.audit.add(replace(DONE, target=str(number)))

    async def head(self) -> Head:
        async with self.begin(self.tenant_id) as work:
            head = await work.audit.head()
        assert head is not None
        return head

    async def checked(self, anchors: dict[int, bytes] | None = None) -> list[tuple[int, FaultKind]]:
        async with self.begin(self.tenant_id) as work:
            verdict = await work.audit.check(anchors or {})
        async with self.begin(self.other) as work:
            assert (await work.audit.check({})).faults == ()
        return faults(verdict)

    @asynccontextmanager
    async def meddling(self) -> AsyncIterator[AsyncConnection]:
        """As the owner of the tables, whom no policy and no missing privilege holds."""
        async with self.owner.begin() as connection:
            yield connection

    async def change(self, at: int, /, **values: Any) -> None:
        async with self.meddling() as connection:
            await connection.execute(update(audit_entries).where(self.mine(), numbers == at).values(**values))

    async def cut(self, behind: int) -> None:
        async with self.meddling() as connection:
            await connection.execute(delete(audit_entries).where(self.mine(), numbers > behind))

    async def put_head(self, **values: Any) -> None:
        async with self.meddling() as connection:
            mine = audit_chains.c.tenant_id == self.tenant_id
            await connection.execute(update(audit_chains).where(mine).values(**values))

    async def row(self, tenant_id: TenantId, seq: int) -> dict[str, Any]:
        async with self.meddling() as connection:
            query = select(audit_entries).where(audit_entries.c.tenant_id == tenant_id, numbers == seq)
            return dict((await connection.execute(query)).one()._mapping)

    def mine(self) -> Any:
        return audit_entries.c.tenant_id == self.tenant_id


def faults(verdict: Verdict) -> list[tuple[int, FaultKind]]:
    return [(fault.seq, fault.kind) for fault in verdict.faults]


@pytest.fixture
async def scene(engine: AsyncEngine, urls: Urls) -> AsyncIterator[Scene]:
    owner = open_engine(urls.owner)
    work = begin(engine, master_keys=MASTER_KEYS)
    found = Scene(engine, owner, (await settled_in(work)).id, (await settled_in(work)).id)
    await found.do(found.tenant_id, 5)
    await found.do(found.other, 5)
    yield found
    await owner.dispose()


async def test_what_nobody_touched_is_sound(scene: Scene) -> None:
    assert await scene.checked({5: (await scene.head()).mac}) == []


EDITS: dict[str, dict[str, Any]] = {
    "at": {"at": NOW},
    "client_id": {"client_id": uuid7()},
    "person_id": {"person_id": None},
    "action": {"action": "cap.removed"},
    "target": {"target": "another"},
    "outcome": {"outcome": "NOT_FOUND"},
    "request_id": {"request_id": "another1"},
}


def test_each_column_of_what_is_told_is_edited_once() -> None:
    assert EDITS.keys() == {column.name for column in audit_entries.c} - {"tenant_id", "seq", "mac"}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
async def test_an_edit_is_found(scene: Scene, change: dict[str, Any]) -> None:
    await scene.change(3, **change)
    assert await scene.checked() == [(3, FaultKind.ALTERED)]
    await scene.do(scene.tenant_id)
    assert await scene.checked() == [(3, FaultKind.ALTERED)]


async def test_another_mac_and_another_number_are_found(scene: Scene) -> None:
    await scene.change(3, mac=bytes(32))
    assert await scene.checked() == [(3, FaultKind.ALTERED), (4, FaultKind.ALTERED)]
    await scene.change(5, seq=9)
    assert (5, FaultKind.MISSING) in await scene.checked()


async def test_what_is_deleted_is_missed(scene: Scene) -> None:
    async with scene.meddling() as connection:
        await connection.execute(delete(audit_entries).where(scene.mine(), numbers.in_([1, 3])))
    assert await scene.checked() == [(1, FaultKind.MISSING), (3, FaultKind.MISSING)]


async def test_entries_that_changed_places_are_found(scene: Scene) -> None:
    for before, after in ((2, 99), (3, 2), (99, 3)):
        await scene.change(before, seq=after)
    assert (2, FaultKind.ALTERED) in await scene.checked()
    assert (3, FaultKind.ALTERED) in await scene.checked()


async def test_what_is_cut_off_is_missed_also_when_others_follow(scene: Scene) -> None:
    await scene.cut(3)
    assert await scene.checked() == [(4, FaultKind.CUT)]
    await scene.do(scene.tenant_id)
    assert await scene.checked() == [(4, FaultKind.MISSING)]


async def test_a_head_that_is_cut_as_well_bears_no_seal_also_when_others_follow(scene: Scene) -> None:
    mac = (await scene.row(scene.tenant_id, 3))["mac"]
    await scene.cut(3)
    await scene.put_head(length=3, mac=mac)
    assert await scene.checked() == [(3, FaultKind.HEAD_FORGED)]
    await scene.do(scene.tenant_id, 2)
    assert await scene.checked() == [(5, FaultKind.HEAD_FORGED)]


async def test_an_old_head_that_comes_back_is_found_by_an_anchor_alone(scene: Scene) -> None:
    old = await scene.head()
    await scene.do(scene.tenant_id, 2)
    anchor = await scene.head()
    await scene.cut(5)
    await scene.put_head(length=old.length, mac=old.mac, seal=old.seal)
    assert await scene.checked() == []
    assert await scene.checked({anchor.length: anchor.mac}) == [(7, FaultKind.BEFORE_ANCHOR)]
    await scene.do(scene.tenant_id, 2)
    assert await scene.checked() == []
    assert await scene.checked({anchor.length: anchor.mac}) == [(7, FaultKind.NOT_ANCHORED)]


async def test_an_entry_of_another_tenant_proves_nothing_here(scene: Scene) -> None:
    stolen = await scene.row(scene.other, 3)
    await scene.change(3, **{name: value for name, value in stolen.items() if name not in ("tenant_id", "seq")})
    assert (3, FaultKind.ALTERED) in await scene.checked()


async def test_entries_that_nobody_counted_are_found(scene: Scene) -> None:
    forged = await scene.row(scene.tenant_id, 5)
    async with scene.meddling() as connection:
        await connection.execute(insert(audit_entries), [{**forged, "seq": 6}, {**forged, "seq": -1}])
    assert {(1, FaultKind.MISSING), (6, FaultKind.UNCOUNTED)} <= set(await scene.checked())


async def test_a_key_that_was_replaced_or_lost_is_said(scene: Scene) -> None:
    async with scene.meddling() as connection:
        query = select(audit_chains).where(audit_chains.c.tenant_id == scene.other)
        theirs = (await connection.execute(query)).one()
    await scene.put_head(wrapped_key=theirs.wrapped_key)
    assert await scene.checked() == [(0, FaultKind.KEY_UNUSABLE)]
    await scene.put_head(master_key_id="lost")
    assert await scene.checked() == [(0, FaultKind.KEY_UNUSABLE)]


async def test_a_chain_that_is_gone_as_a_whole_is_found_by_an_anchor_alone(scene: Scene) -> None:
    anchor = await scene.head()
    async with scene.meddling() as connection:
        await connection.execute(delete(audit_chains).where(audit_chains.c.tenant_id == scene.tenant_id))
    assert await scene.checked() == []
    assert await scene.checked({anchor.length: anchor.mac}) == [(5, FaultKind.BEFORE_ANCHOR)]


async def test_entries_without_a_head_are_found(sqlite_urls: Urls) -> None:
    """Which the foreign key keeps from happening, unless the owner takes it away."""
    engine, loose = open_engine(sqlite_urls.app), open_engine(sqlite_urls.owner, migrating=True)
    tenant_id = (await settled_in(begin(engine, master_keys=MASTER_KEYS))).id
    scene = Scene(engine, loose, tenant_id, tenant_id)
    await scene.do(tenant_id, 2)
    async with scene.meddling() as connection:
        await connection.execute(delete(audit_chains))
    async with scene.begin(tenant_id) as work:
        assert faults(await work.audit.check({})) == [(0, FaultKind.HEAD_MISSING)]
    await engine.dispose()
    await loose.dispose()


async def test_a_long_chain_is_read_to_its_end(scene: Scene) -> None:
    async with scene.begin(scene.tenant_id) as work:
        await work.audit.add(*[DONE] * 2_500)
    await scene.change(2_501, target="another")
    assert await scene.checked() == [(2_501, FaultKind.ALTERED)]


async def test_every_tenants_chain_is_checked_or_one_alone(scene: Scene) -> None:
    audit = Audit(scene.begin, SqlRollCall(scene.engine))
    await scene.change(2, target="another")
    found = {each.tenant_id: faults(each) async for each in audit.verify(None, {})}
    assert found[scene.tenant_id] == [(2, FaultKind.ALTERED)]
    assert found[scene.other] == []
    assert [each.tenant_id async for each in audit.verify(scene.other, {})] == [scene.other]
    heads = {head.tenant_id: head.length async for head in audit.heads()}
    assert heads[scene.tenant_id] == heads[scene.other] == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET mac = mac",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_chains",
        "TRUNCATE audit_chains CASCADE",
    ],
)
async def test_the_app_may_neither_change_nor_delete_what_was_done(
    postgres_engine: AsyncEngine, statement: str
) -> None:
    async with postgres_engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text(statement))


async def test_32_changes_at_once_leave_no_gap_and_block_nobody(postgres_engine: AsyncEngine) -> None:
    """Caps and grants by turns: their rows and pots are locked first, and the chain last."""
    work, ledger = begin(postgres_engine, master_keys=MASTER_KEYS), ledger_on(postgres_engine, MASTER_KEYS)
    pot = a_pot(TenantId(uuid7()), granted=9)
    client = a_client(pot.tenant_id)
    await given(work, pot)
    async with work(pot.tenant_id) as at_work:
        await at_work.clients.add(client)
    caps = Caps(work, ledger, LeasedStanding(work, later), later, uuid7)
    actor = Actor(pot.tenant_id, client.id, TENANT_SCOPES, later())

    async def cap(number: int) -> None:
        await caps.put(actor, NewCap(CapSubject.APPLICATION, client.id, Unit.CALLS, number, Period.DAY))

    async def grant() -> None:
        await ledger.grant(a_grant(pot, 1), pot, GRANTED)

    await cap(0)
    await asyncio.gather(*(cap(number) if number % 2 else grant() for number in range(32)))
    async with work(pot.tenant_id) as at_work:
        verdict = await at_work.audit.check({})
        entries = await at_work.audit.page(first=100)
    assert (verdict.entries, verdict.faults) == (33, ())
    assert [entry.seq for entry in entries] == list(range(33, 0, -1))
    assert sum(entry.deed.action == "quota.granted" for entry in entries) == 16


async def test_another_tenant_does_not_wait(postgres_engine: AsyncEngine) -> None:
    work = begin(postgres_engine, master_keys=MASTER_KEYS)
    mine, others = await settled_in(work), await settled_in(work)
    async with work(mine.id) as busy:
        await busy.audit.add(DONE)
        async with asyncio.timeout(10), work(others.id) as free:
            await free.audit.add(DONE)
        waiting = asyncio.create_task(_add(work, mine.id))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
    await waiting


async def _add(work: Begin, tenant_id: TenantId) -> None:
    async with work(tenant_id) as own:
        await own.audit.add(DONE)


async def test_who_closes_a_tenant_and_who_changes_it_do_not_block_each_other(postgres_engine: AsyncEngine) -> None:
    work = begin(postgres_engine, master_keys=MASTER_KEYS)
    operator = await settled_in(work)
    for _ in range(8):
        tenant = await settled_in(work)
        await _add(work, tenant.id)
        adding = [asyncio.create_task(_add(work, tenant.id)) for _ in range(8)]
        await asyncio.sleep(0)
        async with work(tenant.id) as closing:
            await closing.tenants.close()
            await closing.audit.add_to(operator.id, Deed("tenant.closed", str(tenant.id)))
        outcomes = await asyncio.gather(*adding, return_exceptions=True)
        assert {type(outcome).__name__ for outcome in outcomes} <= {"NoneType", "NotFound"}
    async with work(operator.id) as own:
        assert (await own.audit.check({})).entries == 8


async def test_a_chain_outlives_its_master_key(engine: AsyncEngine) -> None:
    old, new = b"o" * 32, b"n" * 32
    before, both, after = (begin(engine, master_keys=MasterKeys.of(*keys)) for keys in ((old,), (new, old), (new,)))
    tenant = await settled_in(before)
    await _add(before, tenant.id)
    async with after(tenant.id) as work:
        assert faults(await work.audit.check({})) == [(0, FaultKind.KEY_UNUSABLE)]
        assert not await work.audit.rewrap()
    async with both(tenant.id) as work:
        assert await work.audit.rewrap()
        assert not await work.audit.rewrap()
        assert await work.audit.master_key_id() == MasterKeys.of(new).first
    await _add(after, tenant.id)
    async with after(tenant.id) as work:
        verdict = await work.audit.check({})
    assert (verdict.entries, verdict.faults) == (2, ())


async def test_without_master_keys_nothing_is_done(engine: AsyncEngine) -> None:
    tenant = await settled_in(begin(engine))
    with pytest.raises(RuntimeError, match="without the keys"):
        await _add(begin(engine), tenant.id)
    async with engine.connect() as connection:
        await bind(connection, tenant.id)
        assert (await connection.execute(select(audit_chains).where(audit_chains.c.tenant_id == tenant.id))).all() == []
