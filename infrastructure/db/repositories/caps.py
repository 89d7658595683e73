"""Caps on applications and keys; their windows are pots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from domain.errors import DuplicateName, NotFound
from domain.model.cap import Cap, CapSubject, Period
from domain.model.ids import CapId, TenantId
from domain.model.quota import Unit
from infrastructure.db.fence import Rows
from infrastructure.db.tables import caps

_KEY = ("subject", "subject_id", "unit", "period")


@dataclass(frozen=True, slots=True)
class SqlCaps:
    rows: Rows

    async def put(self, cap: Cap) -> None:
        changed = update(caps).where(self.rows.mine(caps), caps.c.id == cap.id).values(amount=cap.amount)
        if (await self.rows.connection.execute(changed)).rowcount:
            return
        if not await self.rows.add_unless(caps, _KEY, _columns(cap)):
            raise DuplicateName(f"{cap.unit} per {cap.period}")

    async def one(self, cap_id: CapId) -> Cap:
        return _cap(await self.rows.one(caps, "cap", id=cap_id))

    async def all(self) -> Sequence[Cap]:
        query = select(caps).where(self.rows.mine(caps)).order_by(caps.c.id)
        return [_cap(row) for row in await self.rows.all(query)]

    async def remove(self, cap_id: CapId) -> None:
        if not await self.rows.remove(caps, id=cap_id):
            raise NotFound("cap")


def _columns(cap: Cap) -> dict[str, Any]:
    return {
        "id": cap.id,
        "subject": cap.subject,
        "subject_id": cap.subject_id,
        "unit": cap.unit,
        "amount": cap.amount,
        "period": cap.period,
        "created_at": cap.created_at,
    }


def _cap(row: Row[Any]) -> Cap:
    return Cap(
        TenantId(row.tenant_id),
        CapId(row.id),
        CapSubject(row.subject),
        row.subject_id,
        Unit(row.unit),
        row.amount,
        Period(row.period),
        row.created_at,
    )
