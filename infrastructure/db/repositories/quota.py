"""Pots as they are shown, and what was granted. Balances are written by the ledger alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select

from domain.model.ids import ClientId, GrantId, PotId, TenantId
from domain.model.quota import Grant, Pot, PotKind
from infrastructure.db.fence import Rows
from infrastructure.db.pot_rows import columns, pot_of
from infrastructure.db.tables import grants, pots


@dataclass(frozen=True, slots=True)
class SqlPots:
    rows: Rows

    async def add(self, pot: Pot) -> None:
        await self.rows.connection.execute(insert(pots).values(columns(pot) | {"tenant_id": self.rows.tenant_id}))

    async def all(self, at: datetime | None = None) -> Sequence[Pot]:
        query = select(pots).where(self.rows.mine(pots))
        if at is not None:
            query = query.where(or_(pots.c.closes_at.is_(None), pots.c.closes_at > at))
        found = [pot_of(row) for row in await self.rows.all(query)]
        spending_order = list(PotKind)
        return sorted(found, key=lambda pot: (spending_order.index(pot.kind), pot.id))


@dataclass(frozen=True, slots=True)
class SqlGrants:
    rows: Rows

    async def page(self, *, first: int, after: GrantId | None = None) -> Sequence[Grant]:
        query = select(grants).where(self.rows.mine(grants)).order_by(grants.c.id.desc()).limit(first)
        if after is not None:
            query = query.where(grants.c.id < after)
        return [_grant(row) for row in await self.rows.all(query)]


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        tenant_id=TenantId(row.tenant_id),
        id=GrantId(row.id),
        pot_id=PotId(row.pot_id),
        amount=row.amount,
        reason=row.reason,
        granted_by=ClientId(row.granted_by),
        at=row.at,
    )
