"""Rows behind two fences: every statement names the tenant, and on PostgreSQL row-level security checks it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, delete, insert, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotFound
from domain.model.ids import TenantId

Fence = Callable[[TenantId, Table], ColumnElement[bool]]
"""The condition that a row of a table belongs to a tenant."""

_BIND = text("SELECT set_config('app.tenant_id', :tenant, true)")


def naming(tenant_id: TenantId, table: Table) -> ColumnElement[bool]:
    """The first fence. Tests replace it to show that the second one stands alone."""
    column: ColumnElement[bool] = table.c.tenant_id == tenant_id
    return column


async def bind(connection: AsyncConnection, tenant_id: TenantId) -> None:
    """Tell PostgreSQL whose rows this transaction may see; SQLite has no such fence."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_BIND, {"tenant": str(tenant_id)})


def insert_or(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that can take ON CONFLICT, which both stores know but SQLAlchemy keeps per dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def remove_some(connection: AsyncConnection, table: Table, over: ColumnElement[bool], most: int) -> int:
    """Remove up to `most` rows of those that are `over`; how many there were. What somebody has locked is left."""
    key = list(table.primary_key.columns)
    some = select(*key).where(over).limit(most).with_for_update(skip_locked=True).cte("some")
    gone = delete(table).where(tuple_(*key).in_(select(some))).returning(key[0])
    return len((await connection.execute(gone)).all())  # SQLite's driver counts no rows of what begins with WITH


@dataclass(frozen=True, slots=True)
class Rows:
    """One tenant's rows, inside one transaction."""

    connection: AsyncConnection
    tenant_id: TenantId
    fence: Fence

    def mine(self, table: Table) -> ColumnElement[bool]:
        return self.fence(self.tenant_id, table)

    async def add(self, table: Table, **values: Any) -> None:
        await self.connection.execute(insert(table).values(tenant_id=self.tenant_id, **values))

    async def add_unless(self, table: Table, key: Sequence[str], values: Mapping[str, Any]) -> bool:
        """False, and nothing added, when the tenant has a row that is equal in the unique columns `key`."""
        row = insert_or(self.connection, table).values(tenant_id=self.tenant_id, **values)
        done = await self.connection.execute(row.on_conflict_do_nothing(index_elements=["tenant_id", *key]))
        return bool(done.rowcount)

    async def put(self, table: Table, key: Mapping[str, Any], **values: Any) -> None:
        """Add the row of this key, or change the one that is there."""
        row = insert_or(self.connection, table).values(tenant_id=self.tenant_id, **key, **values)
        await self.connection.execute(row.on_conflict_do_update(index_elements=["tenant_id", *key], set_=values))

    async def one(self, table: Table, what: str, **key: Any) -> Row[Any]:
        """NotFound(what) when this tenant has no such row."""
        found = (await self.connection.execute(select(table).where(self.mine(table)).filter_by(**key))).first()
        if found is None:
            raise NotFound(what)
        return found

    async def all(self, query: Select[Any]) -> Sequence[Row[Any]]:
        found: Sequence[Row[Any]] = (await self.connection.execute(query)).all()
        return found

    async def remove(self, table: Table, **key: Any) -> int:
        """How many rows there were."""
        done = await self.connection.execute(delete(table).where(self.mine(table)).filter_by(**key))
        return done.rowcount
