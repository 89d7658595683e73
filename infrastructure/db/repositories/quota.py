"""Pots as they are shown, and what calls left behind. Balances are written by the ledger alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import PotId, TenantId
from domain.model.quota import Outcome, Pot, PotKind, Unit
from infrastructure.db.fence import Rows
from infrastructure.db.tables import call_records, pots


@dataclass(frozen=True, slots=True)
class SqlPots:
    rows: Rows

    async def add(self, pot: Pot) -> None:
        await self.rows.add(
            pots,
            id=pot.id,
            kind=pot.kind,
            provider=pot.provider,
            unit=pot.unit,
            granted=pot.granted,
            used=pot.used,
            held=pot.held,
            opened_at=pot.opened_at,
        )

    async def all(self) -> Sequence[Pot]:
        found = [_pot(row) for row in await self.rows.all(select(pots).where(self.rows.mine(pots)))]
        spending_order = list(PotKind)
        return sorted(found, key=lambda pot: (spending_order.index(pot.kind), pot.id))


@dataclass(frozen=True, slots=True)
class SqlRecords:
    rows: Rows

    async def uses(self, since: datetime) -> Mapping[ModelRef, int]:
        model = (call_records.c.provider, call_records.c.model, call_records.c.type)
        query = (
            select(*model, func.count().label("calls"))
            .where(self.rows.mine(call_records), call_records.c.at >= since)
            .where(call_records.c.outcome == Outcome.SUCCEEDED)
            .group_by(*model)
        )
        found = await self.rows.all(query)
        return {ModelRef(row.provider, row.model, ModelType(row.type)): row.calls for row in found}


def _pot(row: Row[Any]) -> Pot:
    return Pot(
        tenant_id=TenantId(row.tenant_id),
        id=PotId(row.id),
        kind=PotKind(row.kind),
        provider=row.provider,
        unit=Unit(row.unit),
        granted=row.granted,
        used=row.used,
        held=row.held,
        opened_at=row.opened_at,
    )
