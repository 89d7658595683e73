"""Pots as they are shown. Balances are written by the ledger alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from domain.model.ids import PotId, TenantId
from domain.model.quota import Pot, PotKind, Unit
from infrastructure.db.fence import Rows
from infrastructure.db.tables import pots


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
