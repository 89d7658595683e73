"""The roll call: which tenants there are, and nothing else of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.model.ids import TenantId
from infrastructure.db.tables import tenants

_CALL = text("SELECT set_config('app.roll_call', 'on', true)")


@dataclass(frozen=True, slots=True)
class SqlRollCall:
    """On PostgreSQL a policy lets a transaction that says so see the rows of `tenants`, and no other table's."""

    engine: AsyncEngine

    async def __call__(self, *, first: int, after: TenantId | None = None) -> Sequence[TenantId]:
        query = select(tenants.c.tenant_id).order_by(tenants.c.tenant_id).limit(first)
        if after is not None:
            query = query.where(tenants.c.tenant_id > after)
        async with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(_CALL)
            return [TenantId(row.tenant_id) for row in await connection.execute(query)]
