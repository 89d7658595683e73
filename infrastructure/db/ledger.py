"""The ledger: the one writer of balances, by guarded updates in short transactions."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, literal, null, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import InvalidRange, NotFound, QuotaExhausted
from domain.model.audit import Deed
from domain.model.ids import CallId, PotId, TenantId
from domain.model.quota import Grant, Hold, HoldState, Line, Outcome, Pot
from domain.model.usage import CallRecord
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.fence import Rows, bind, insert_or, naming
from infrastructure.db.pot_rows import columns as pot_columns
from infrastructure.db.pot_rows import pot_of
from infrastructure.db.repositories.audit import SqlAudit
from infrastructure.db.tables import call_records, caps, grants, holds, incidents, pots

MOST = 2**63 - 1
"""The largest amount that a row holds."""

Charges = Mapping[PotId, int]
IN_FULL: Charges = MappingProxyType({})

_SWEEP = text("SELECT set_config('app.sweep', 'on', true)")
_LOST_WORKER = "the worker was lost: charged in full"


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """Works on both stores. A call locks its pots in the order of their ids, and then its holds: nothing deadlocks.

    `master_keys` wrap the keys of the audit's chains; without them nothing can be granted.
    """

    engine: AsyncEngine
    master_keys: MasterKeys | None = None

    async def hold(self, hold: Hold) -> None:
        windows = {pot.id: pot for pot in hold.opens}
        try:
            async with self._tenant(hold.tenant_id) as connection:
                for line in sorted(hold.lines, key=lambda line: line.pot_id):
                    if line.pot_id in windows:
                        await _open(connection, windows[line.pot_id])
                    if await _reserve(connection, hold, line):
                        await _take(connection, hold.tenant_id, line)
        except IntegrityError:
            raise NotFound("quota") from None

    async def settle(self, record: CallRecord, charges: Charges = IN_FULL, incident: str | None = None) -> None:
        with _unless_closed():
            await self._settle(record, charges, incident)

    async def _settle(self, record: CallRecord, charges: Charges, incident: str | None) -> None:
        async with self._tenant(record.tenant_id) as connection:
            await connection.execute(_once(connection, call_records).values(**columns(record)))
            await _close(connection, record.tenant_id, record.id, closing(record), charges)
            if incident is not None:
                await _note(connection, record.tenant_id, record.id, record.at, incident)

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        async with self._tenant(tenant_id) as connection:
            await _close(connection, tenant_id, call_id, HoldState.RELEASED)

    async def sweep(self, now: datetime) -> int:
        lost = and_(holds.c.state == HoldState.HELD, holds.c.expires_at < now)
        async with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(_SWEEP)
            due = (await connection.execute(select(holds.c.tenant_id, holds.c.call_id).where(lost).distinct())).all()
        return sum([await self._expire(TenantId(row.tenant_id), CallId(row.call_id), now) for row in due])

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        async with self._tenant(grant.tenant_id) as connection:
            await connection.execute(_once(connection, pots).values(**pot_columns(pot)))
            if (await connection.execute(_once(connection, grants).values(**asdict(grant)))).rowcount:
                await _change(connection, grant)
                await SqlAudit(Rows(connection, grant.tenant_id, naming), self.master_keys).add(deed)
            return await _pot(connection, grant.tenant_id, grant.pot_id)

    async def resize(self, pot: Pot) -> None:
        bound = pots.c.used + pots.c.held
        granted = null() if pot.granted is None else case((bound > pot.granted, bound), else_=pot.granted)
        async with self._tenant(pot.tenant_id) as connection:
            row = insert_or(connection, pots).values(**pot_columns(pot))
            key = [pots.c.tenant_id, pots.c.id]
            await connection.execute(row.on_conflict_do_update(index_elements=key, set_={"granted": granted}))

    async def _expire(self, tenant_id: TenantId, call_id: CallId, now: datetime) -> bool:
        async with self._tenant(tenant_id) as connection:
            closed = await _close(connection, tenant_id, call_id, HoldState.EXPIRED)
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


def clamped(charge: int) -> int:
    """`charge` as far as a row can hold it; what a hold's line is charged is clamped to that line, too."""
    return max(0, min(charge, MOST))


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


async def _open(connection: AsyncConnection, window: Pot) -> None:
    """Open a cap's window, unless it is open, at what the cap allows now: whoever asks may have read it before."""
    amount = select(caps.c.amount).where(caps.c.tenant_id == window.tenant_id, caps.c.id == window.cap_id)
    row = pot_columns(window) | {"granted": amount.scalar_subquery()}
    await connection.execute(_once(connection, pots).values(**row))


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
    room = or_(pots.c.granted.is_(None), pots.c.granted - pots.c.used - pots.c.held >= line.amount)
    taken = update(pots).where(_is(tenant_id, line.pot_id), room).values(held=pots.c.held + line.amount)
    while not (await connection.execute(taken)).rowcount:
        pot = await _pot(connection, tenant_id, line.pot_id)
        if pot.free is not None and pot.free < line.amount:  # else something was given back since the update looked
            raise QuotaExhausted(pot.kind, pot.unit, pot.free, line.amount, pot.closes_at)


async def _close(
    connection: AsyncConnection, tenant_id: TenantId, call_id: CallId, state: HoldState, charges: Charges = IN_FULL
) -> bool:
    """Close a call's lines, each charged what `charges` says of its pot; False if none is held."""
    held = and_(holds.c.tenant_id == tenant_id, holds.c.call_id == call_id, holds.c.state == HoldState.HELD)
    touched = and_(pots.c.tenant_id == tenant_id, pots.c.id.in_(select(holds.c.pot_id).where(held)))
    await connection.execute(select(pots.c.id).where(touched).order_by(pots.c.id).with_for_update(key_share=True))
    due = literal(0) if state is HoldState.RELEASED else _due(charges)
    closed = await connection.execute(update(holds).where(held).values(state=state, charged=due).returning(holds))
    lines = sorted(closed.all(), key=lambda line: line.pot_id)
    for line in lines:
        balance = {"held": pots.c.held - line.amount, "used": pots.c.used + line.charged}
        await connection.execute(update(pots).where(_is(tenant_id, line.pot_id)).values(balance))
    return bool(lines)


def _due(charges: Charges) -> ColumnElement[int]:
    """Of a line: the charge of its pot where that is less than it holds, else all of it."""
    amounts = {pot_id: literal(clamped(charge), BigInteger) for pot_id, charge in charges.items()}
    whens = [(and_(holds.c.pot_id == pot_id, holds.c.amount > amount), amount) for pot_id, amount in amounts.items()]
    return case(*whens, else_=holds.c.amount) if whens else holds.c.amount


async def _change(connection: AsyncConnection, grant: Grant) -> None:
    """Give what `grant` says to its pot, or take it away as far as it is free. Unlimited stays so."""
    pot, granted = _is(grant.tenant_id, grant.pot_id), pots.c.granted
    if grant.amount is None:
        await connection.execute(update(pots).where(pot).values(granted=None))
        return
    room = granted - pots.c.used - pots.c.held >= -grant.amount
    if grant.amount >= 0:
        room = or_(granted.is_(None), granted <= MOST - grant.amount)
    changed = update(pots).where(pot, room).values(granted=granted + literal(grant.amount, BigInteger))
    if not (await connection.execute(changed)).rowcount:
        raise InvalidRange("amount", _no_room(await _pot(connection, grant.tenant_id, grant.pot_id), grant.amount))


def _no_room(pot: Pot, amount: int) -> str:
    if amount >= 0:
        return f"must leave the pot at no more than {MOST}"
    if pot.free is None:
        return "cannot be taken from an unlimited pot"
    return f"takes more than is free, which is {pot.free}"


async def _pot(connection: AsyncConnection, tenant_id: TenantId, pot_id: PotId) -> Pot:
    return pot_of((await connection.execute(select(pots).where(_is(tenant_id, pot_id)))).one())


async def _note(connection: AsyncConnection, tenant_id: TenantId, call_id: CallId, at: datetime, reason: str) -> None:
    row = _once(connection, incidents).values(tenant_id=tenant_id, call_id=call_id, at=at, reason=reason[:300])
    await connection.execute(row)


def _is(tenant_id: TenantId, pot_id: PotId) -> ColumnElement[bool]:
    return and_(pots.c.tenant_id == tenant_id, pots.c.id == pot_id)


def _once(connection: AsyncConnection, table: Any) -> Any:
    """An INSERT that leaves the row that is already there."""
    return insert_or(connection, table).on_conflict_do_nothing()
