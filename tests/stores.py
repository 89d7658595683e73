"""The stores that the port suites run on, each with what calls left behind in it laid open."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy import Column, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.model.cap import Cap
from domain.model.ids import CallId, TenantId
from domain.model.quota import HoldState, Outcome
from domain.model.usage import CallRecord
from domain.ports import Begin, BeginDirectory, Ledger, RollCall
from infrastructure.db.directory import directory
from infrastructure.db.fence import bind, insert_or
from infrastructure.db.ledger import columns
from infrastructure.db.roll_call import SqlRollCall
from infrastructure.db.tables import call_records, caps, holds, incidents
from infrastructure.db.work import begin
from tests.belongings import MASTER_KEYS
from tests.fakes import FakeLedger, FakeStore


class Store(Protocol):
    @property
    def begin(self) -> Begin: ...
    @property
    def directory(self) -> BeginDirectory: ...
    @property
    def ledger(self) -> Ledger: ...
    async def leave(self, *records: CallRecord) -> None:
        """Store records of one tenant that calls have left, in one go."""
        ...

    @property
    def roll_call(self) -> RollCall: ...
    async def outcome(self, tenant_id: TenantId, call_id: CallId) -> Outcome | None:
        """Of the call's record, if there is one."""
        ...

    async def incident(self, tenant_id: TenantId, call_id: CallId) -> str | None: ...
    async def state(self, tenant_id: TenantId, call_id: CallId) -> HoldState | None:
        """Of the call's hold, if there is one."""
        ...

    async def cap(self, cap: Cap) -> None:
        """Keep `cap` as it is now."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._store = FakeStore()
        self.begin: Begin = self._store.begin
        self.directory: BeginDirectory = self._store.directory
        self.ledger: Ledger = FakeLedger(self._store)
        self.roll_call: RollCall = self._store.roll_call

    async def leave(self, *records: CallRecord) -> None:
        self._store.rows[records[0].tenant_id].records.update({record.id: record for record in records})

    async def outcome(self, tenant_id: TenantId, call_id: CallId) -> Outcome | None:
        record = self._store.rows[tenant_id].records.get(call_id)
        return record.outcome if record else None

    async def incident(self, tenant_id: TenantId, call_id: CallId) -> str | None:
        return self._store.rows[tenant_id].incidents.get(call_id)

    async def state(self, tenant_id: TenantId, call_id: CallId) -> HoldState | None:
        hold = self._store.rows[tenant_id].holds.get(call_id)
        return hold[1] if hold else None

    async def cap(self, cap: Cap) -> None:
        self._store.rows[cap.tenant_id].caps[cap.id] = cap


@dataclass(frozen=True, slots=True)
class InDatabase:
    engine: AsyncEngine
    ledger: Ledger

    @property
    def begin(self) -> Begin:
        return begin(self.engine, master_keys=MASTER_KEYS)

    @property
    def directory(self) -> BeginDirectory:
        return directory(self.engine)

    async def leave(self, *records: CallRecord) -> None:
        async with self.engine.begin() as connection:
            await bind(connection, records[0].tenant_id)
            await connection.execute(insert(call_records), [columns(record) for record in records])

    @property
    def roll_call(self) -> RollCall:
        return SqlRollCall(self.engine)

    async def outcome(self, tenant_id: TenantId, call_id: CallId) -> Outcome | None:
        found = await self._value(tenant_id, call_records.c.outcome, call_records.c.id, call_id)
        return Outcome(found) if found else None

    async def incident(self, tenant_id: TenantId, call_id: CallId) -> str | None:
        return await self._value(tenant_id, incidents.c.reason, incidents.c.call_id, call_id)

    async def state(self, tenant_id: TenantId, call_id: CallId) -> HoldState | None:
        found = await self._value(tenant_id, holds.c.state, holds.c.call_id, call_id)
        return HoldState(found) if found else None

    async def cap(self, cap: Cap) -> None:
        row = asdict(cap)
        async with self.engine.begin() as connection:
            await bind(connection, cap.tenant_id)
            key = [caps.c.tenant_id, caps.c.id]
            kept = insert_or(connection, caps).values(row).on_conflict_do_update(index_elements=key, set_=row)
            await connection.execute(kept)

    async def _value(self, tenant_id: TenantId, wanted: Column[Any], key: Column[Any], call_id: CallId) -> str | None:
        query = select(wanted).where(wanted.table.c.tenant_id == tenant_id, key == call_id).distinct()
        async with self.engine.begin() as connection:
            await bind(connection, tenant_id)
            return (await connection.execute(query)).scalar_one_or_none()
