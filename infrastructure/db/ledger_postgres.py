"""The ledger on PostgreSQL: a hold or a settlement is one statement, sent past SQLAlchemy to the driver."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from domain.errors import NotFound, QuotaExhausted
from domain.model.audit import Deed
from domain.model.ids import CallId, TenantId
from domain.model.quota import Grant, Hold, Pot
from domain.model.usage import CallRecord
from domain.ports import Ledger
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.db.ledger import IN_FULL, Charges, SqlLedger, clamped, closing, columns
from infrastructure.db.pot_rows import columns as pot_columns

_HOLD = "SELECT hold_quota($1, $2, $3, $4, $5, $6)"
_SETTLE = "SELECT settle_call($1, $2, $3, $4)"
_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a driver says that is in the middle of learning that its server is gone
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
)


def ledger_on(engine: AsyncEngine, master_keys: MasterKeys | None = None) -> Ledger:
    """The ledger for the store of `engine`; with `master_keys`, one that can grant."""
    portable = SqlLedger(engine, master_keys)
    return PostgresLedger(engine, portable) if engine.dialect.name == "postgresql" else portable


@dataclass(frozen=True, slots=True)
class PostgresLedger:
    """Calls the functions of migration 0004, which do what SqlLedger does; what is rare is left to that."""

    engine: AsyncEngine
    portable: SqlLedger

    async def hold(self, hold: Hold) -> None:
        lines = sorted(hold.lines, key=lambda line: line.pot_id)
        pots, amounts = [line.pot_id for line in lines], [line.amount for line in lines]
        opens = _json([pot_columns(window) for window in hold.opens]) if hold.opens else None
        try:
            await self._run(_HOLD, hold.tenant_id, hold.id, pots, amounts, hold.expires_at, opens)
        except asyncpg.RaiseError as refused:
            raise _exhausted(orjson.loads(refused.detail)) from None
        except asyncpg.ForeignKeyViolationError:
            raise NotFound("quota") from None

    async def settle(self, record: CallRecord, charges: Charges = IN_FULL, incident: str | None = None) -> None:
        due = _json({str(pot_id): clamped(charge) for pot_id, charge in charges.items()})
        with suppress(asyncpg.ForeignKeyViolationError):  # the tenant was closed, and its calls went with it
            await self._run(_SETTLE, _json(columns(record)), closing(record), due, incident)

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        await self.portable.release(tenant_id, call_id)

    async def sweep(self, now: datetime) -> int:
        return await self.portable.sweep(now)

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        return await self.portable.grant(grant, pot, deed)

    async def resize(self, pot: Pot) -> None:
        await self.portable.resize(pot)

    async def _run(self, statement: str, *arguments: Any) -> None:
        """Once more on a new connection when the pooled one was dead: repeating a ledger call changes nothing."""
        try:
            await self._send(statement, *arguments)
        except _LOST:
            await self.engine.dispose()
            await self._send(statement, *arguments)

    async def _send(self, statement: str, *arguments: Any) -> None:
        pooled = await self.engine.raw_connection()
        driver: Any = pooled.driver_connection
        done: Callable[[], None] = pooled.invalidate
        try:
            await driver.fetchval(statement, *arguments)
            done = pooled.close
        except (asyncpg.RaiseError, asyncpg.ForeignKeyViolationError):
            done = pooled.close
            raise
        finally:
            await greenlet_spawn(done)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()  # ids that the driver read are a subclass of UUID


def _exhausted(told: Mapping[str, Any]) -> QuotaExhausted:
    closes = told["closes_at"]
    refills_at = datetime.fromisoformat(closes).astimezone(UTC) if closes else None
    return QuotaExhausted(told["kind"], told["unit"], told["free"], told["asked"], refills_at)
