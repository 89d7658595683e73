"""The ledger: the one writer of balances, by guarded updates in short transactions."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import QuotaExhausted
from domain.model.ids import CallId, TenantId
from domain.model.quota import Hold, HoldState, Line, Outcome
from domain.model.usage import CallRecord
from infrastructure.db.fence import bind, insert_or
from infrastructure.db.tables import call_records, holds, incidents, pots

_SWEEP = text("SELECT set_config('app.sweep', 'on', true)")
_LOST_WORKER = "the worker was lost: charged in full"


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """Works on both stores. A call's rows are locked in one order, holds and then pots by id: nothing deadlocks."""

    engine: AsyncEngine

    async def hold(self, hold: Hold) -> None:
        async with self._tenant(hold.tenant_id) as connection:
            for line in sorted(hold.lines, key=lambda line: line.pot_id):
                if await _reserve(connection, hold, line):
                    await _take(connection, hold.tenant_id, line)

    async def settle(self, record: CallRecord, charged: int = 0, incident: str | None = None) -> None:
        with _unless_closed():
            await self._settle(record, charged, incident)

    async def _settle(self, record: CallRecord, charged: int, incident: str | None) -> None:
        async with self._tenant(record.tenant_id) as connection:
            await connection.execute(_once(connection, call_records).values(**columns(record)))
            await _close(connection, _held(record.tenant_id, record.id), closing(record), charged)
            if incident is not None:
                await _note(connection, record.tenant_id, record.id, record.at, incident)

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        async with self._tenant(tenant_id) as connection:
            await _close(connection, _held(tenant_id, call_id), HoldState.RELEASED, 0)

    async def sweep(self, now: datetime) -> int:
        lost = and_(holds.c.state == HoldState.HELD, holds.c.expires_at < now)
        async with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(_SWEEP)
            due = (await connection.execute(select(holds.c.tenant_id, holds.c.call_id).where(lost).distinct())).all()
        return sum([await self._expire(TenantId(row.tenant_id), CallId(row.call_id), now) for row in due])

    async def _expire(self, tenant_id: TenantId, call_id: CallId, now: datetime) -> bool:
        async with self._tenant(tenant_id) as connection:
            closed = await _close(connection, _held(tenant_id, call_id), HoldState.EXPIRED, None)
            if closed:
                await _note(connection, tenant_id, call_id, now, _LOST_WORKER)
        return closed

    @asynccontextmanager
    async def _tenant(self, tenant_id: TenantId) -> AsyncIterator[AsyncConnection]:
        async with self.engine.begin() as connection:
            await bind(connection, tenant_id)
            yield connection


@contextmanager
def _unless_closed() -> Iterator[None]:
    """What rows refuse because their tenant is gone is no failure: its calls went with it."""
    try:
        yield
    except IntegrityError as refusal:
        if "foreign key" not in str(refusal.orig).lower():
            raise


def closing(record: CallRecord) -> HoldState:
    """The state in which a hold ends that is settled by `record`."""
    return HoldState.RELEASED if record.outcome is Outcome.UNSENT else HoldState.SETTLED


def columns(record: CallRecord) -> dict[str, Any]:
    """The row of `record`."""
    return {
        "tenant_id": record.tenant_id,
        "id": record.id,
        "at": record.at,
        "client_id": record.client_id,
        "credential_id": record.credential_id,
        "provider": record.model.provider,
        "model": record.model.name,
        "type": record.model.type,
        "outcome": record.outcome,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "latency_ms": record.latency_ms,
        "job": record.job,
        "audio_ms": record.audio_ms,
        "characters": record.characters,
        "cost_nanos": record.cost.nanos if record.cost else None,
        "currency": record.cost.currency if record.cost else None,
    }


async def _reserve(connection: AsyncConnection, hold: Hold, line: Line) -> bool:
    """False when this line is there already: the caller repeats itself."""
    row = _once(connection, holds).values(
        tenant_id=hold.tenant_id,
        call_id=hold.id,
        pot_id=line.pot_id,
        amount=line.amount,
        state=HoldState.HELD,
        expires_at=hold.expires_at,
    )
    return bool((await connection.execute(row)).rowcount)


async def _take(connection: AsyncConnection, tenant_id: TenantId, line: Line) -> None:
    pot = and_(pots.c.tenant_id == tenant_id, pots.c.id == line.pot_id)
    room = or_(pots.c.granted.is_(None), pots.c.granted - pots.c.used - pots.c.held >= line.amount)
    taken = await connection.execute(update(pots).where(pot, room).values(held=pots.c.held + line.amount))
    if not taken.rowcount:
        found = (await connection.execute(select(pots).where(pot))).one()
        raise QuotaExhausted(found.kind, found.unit, found.granted - found.used - found.held, line.amount)


async def _close(
    connection: AsyncConnection, which: ColumnElement[bool], state: HoldState, charged: int | None
) -> bool:
    """Close a call's lines, each charged `charged` clamped to what it held, or in full when None; False if none."""
    due: Any = holds.c.amount
    if charged is not None:
        wanted = literal(max(charged, 0))
        due = case((holds.c.amount < wanted, holds.c.amount), else_=wanted)
    closed = await connection.execute(update(holds).where(which).values(state=state, charged=due).returning(holds))
    lines = sorted(closed.all(), key=lambda line: line.pot_id)
    for line in lines:
        await connection.execute(
            update(pots)
            .where(pots.c.tenant_id == line.tenant_id, pots.c.id == line.pot_id)
            .values(held=pots.c.held - line.amount, used=pots.c.used + line.charged)
        )
    return bool(lines)


async def _note(connection: AsyncConnection, tenant_id: TenantId, call_id: CallId, at: datetime, reason: str) -> None:
    row = _once(connection, incidents).values(tenant_id=tenant_id, call_id=call_id, at=at, reason=reason[:300])
    await connection.execute(row)


def _held(tenant_id: TenantId, call_id: CallId) -> ColumnElement[bool]:
    return and_(holds.c.tenant_id == tenant_id, holds.c.call_id == call_id, holds.c.state == HoldState.HELD)


def _once(connection: AsyncConnection, table: Any) -> Any:
    """An INSERT that leaves the row that is already there."""
    return insert_or(connection, table).on_conflict_do_nothing()
