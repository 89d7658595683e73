"""Tenants and their key pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select, update

from domain.errors import NotFound
from domain.model.ids import KeyId, TenantId
from domain.model.tenant import Tenant, TenantKey
from infrastructure.db.fence import Rows
from infrastructure.db.tables import credentials, tenant_keys, tenants


@dataclass(frozen=True, slots=True)
class SqlTenants:
    rows: Rows

    async def add(self, tenant: Tenant) -> None:
        await self.rows.add(tenants, name=tenant.name, opened_at=tenant.opened_at)

    async def one(self) -> Tenant:
        row = await self.rows.one(tenants, "tenant")
        return Tenant(TenantId(row.tenant_id), row.name, row.opened_at)

    async def close(self) -> None:
        if not await self.rows.remove(tenants):
            raise NotFound("tenant")


@dataclass(frozen=True, slots=True)
class SqlTenantKeys:
    rows: Rows

    async def add(self, key: TenantKey) -> None:
        await self.rows.add(
            tenant_keys,
            id=key.id,
            public=key.public,
            wrapped_private=key.wrapped_private,
            master_key_id=key.master_key_id,
        )

    async def newest(self) -> TenantKey:
        query = select(tenant_keys).where(self.rows.mine(tenant_keys)).order_by(tenant_keys.c.id.desc()).limit(1)
        found = await self.rows.all(query)
        if not found:
            raise NotFound("tenant key")
        return key_of(found[0])

    async def one(self, key_id: KeyId) -> TenantKey:
        return key_of(await self.rows.one(tenant_keys, "tenant key", id=key_id))

    async def all(self) -> Sequence[TenantKey]:
        query = select(tenant_keys).where(self.rows.mine(tenant_keys)).order_by(tenant_keys.c.id)
        return [key_of(row) for row in await self.rows.all(query)]

    async def pin(self, key_id: KeyId) -> bool:
        await self._lock_tenant()
        return bool(await self.rows.all(self._ids(key_id).with_for_update(read=True, key_share=True)))

    async def succeed(self, newest: KeyId, key: TenantKey) -> bool:
        """The lock leaves those alone who seal under the key. What it waited for, only the next statement sees."""
        await self._lock_tenant()
        locked = await self.rows.all(self._ids(newest).with_for_update(key_share=True))
        if not locked or (await self.newest()).id != newest:
            return False
        await self.add(key)
        return True

    async def rewrap(self, before: TenantKey, after: TenantKey) -> bool:
        unchanged = update(tenant_keys).where(
            self.rows.mine(tenant_keys),
            tenant_keys.c.id == before.id,
            tenant_keys.c.wrapped_private == before.wrapped_private,
        )
        values = {"wrapped_private": after.wrapped_private, "master_key_id": after.master_key_id}
        return bool((await self.rows.connection.execute(unchanged.values(values))).rowcount)

    async def shred(self, key_id: KeyId) -> int | None:
        """Whoever pinned the key is waited for; what it sealed, the next statement sees."""
        await self.rows.all(self._ids(key_id).with_for_update())
        sealed = select(credentials.c.id).where(self.rows.mine(credentials), credentials.c.key_id == key_id).limit(1)
        if await self.rows.all(sealed):
            return None
        return await self.rows.remove(tenant_keys, id=key_id)

    async def _lock_tenant(self) -> None:
        """First, though what is added locks it anyway: else who adds and who closes would wait for one another."""
        tenant = select(tenants.c.tenant_id).where(self.rows.mine(tenants))
        await self.rows.all(tenant.with_for_update(read=True, key_share=True))

    def _ids(self, key_id: KeyId) -> Select[Any]:
        return select(tenant_keys.c.id).where(self.rows.mine(tenant_keys), tenant_keys.c.id == key_id)


def key_of(row: Row[Any]) -> TenantKey:
    """Of a row that has the columns of the table, whatever else it has."""
    return TenantKey(TenantId(row.tenant_id), KeyId(row.id), row.public, row.wrapped_private, row.master_key_id)
