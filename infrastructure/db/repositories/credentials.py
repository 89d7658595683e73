"""Credentials, and beside each its sealed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from domain.errors import DuplicateName, NotFound
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Credential, Sealed
from domain.model.ids import CredentialId, KeyId, TenantId
from infrastructure.db.fence import Rows
from infrastructure.db.tables import credentials


@dataclass(frozen=True, slots=True)
class SqlCredentials:
    rows: Rows

    async def add(self, credential: Credential, sealed: Sealed) -> None:
        row = {**_columns(credential), "key_id": sealed.key_id, "envelope": sealed.envelope}
        if not await self.rows.add_unless(credentials, ("provider", "scope", "name"), row):
            raise DuplicateName(credential.name)

    async def one(self, credential_id: CredentialId) -> Credential:
        return _credential(await self.rows.one(credentials, "credential", id=credential_id))

    async def sealed(self, credential_id: CredentialId) -> Sealed:
        row = await self.rows.one(credentials, "credential", id=credential_id)
        return Sealed(KeyId(row.key_id), row.envelope)

    async def page(
        self, *, first: int, after: CredentialId | None = None, provider: str | None = None
    ) -> Sequence[Credential]:
        query = select(credentials).where(self.rows.mine(credentials)).order_by(credentials.c.id).limit(first)
        if after is not None:
            query = query.where(credentials.c.id > after)
        if provider is not None:
            query = query.where(credentials.c.provider == provider)
        return [_credential(row) for row in await self.rows.all(query)]

    async def remove(self, credential_id: CredentialId) -> None:
        if not await self.rows.remove(credentials, id=credential_id):
            raise NotFound("credential")


def _columns(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "provider": credential.provider,
        "name": credential.name,
        "model": credential.model.name if credential.model else None,
        "model_type": credential.model.type if credential.model else None,
        "public": dict(credential.public),
        "masked": dict(credential.masked),
        "endpoint": credential.endpoint,
        "version": credential.version,
        "created_at": credential.created_at,
        "proved_at": credential.proved_at,
        "scope": credential.scope,
        "active": credential.active,
        "weight": credential.weight,
    }


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        tenant_id=TenantId(row.tenant_id),
        id=CredentialId(row.id),
        provider=row.provider,
        name=row.name,
        model=ModelRef(row.provider, row.model, ModelType(row.model_type)) if row.model else None,
        public=row.public,
        masked=row.masked,
        endpoint=row.endpoint,
        version=row.version,
        created_at=row.created_at,
        proved_at=row.proved_at,
        active=row.active,
        weight=row.weight,
    )
