"""Tenants and their key pairs."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from domain.errors import NotFound
from domain.model.ids import KeyId, TenantId
from domain.model.tenant import Tenant, TenantKey
from infrastructure.db.fence import Rows
from infrastructure.db.tables import tenant_keys, tenants


@dataclass(frozen=True, slots=True)
class SqlTenants:
    rows: Rows

    async def add(self, tenant: Tenant) -> None:
        await self.rows.add(tenants, name=tenant.name, opened_at=tenant.opened_at)

    async def one(self) -> Tenant:
        row = await self.rows.one(tenants, "tenant")
        return Tenant(TenantId(row.tenant_id), row.name, row.opened_at)


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
        return _key(found[0])

    async def one(self, key_id: KeyId) -> TenantKey:
        return _key(await self.rows.one(tenant_keys, "tenant key", id=key_id))


def _key(row: Row[Any]) -> TenantKey:
    return TenantKey(TenantId(row.tenant_id), KeyId(row.id), row.public, row.wrapped_private, row.master_key_id)
