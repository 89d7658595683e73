"""Credentials, and beside each its sealed form."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import ChangedMeanwhile, DuplicateName, NotFound
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Credential, Sealed, scope_of
from domain.model.ids import CredentialId, KeyId, TenantId
from infrastructure.db.fence import Rows
from infrastructure.db.tables import credentials


@dataclass(frozen=True, slots=True)
class SqlCredentials:
    rows: Rows

    async def add(self, credential: Credential, sealed: Sealed) -> None:
        row = {"id": credential.id, **_columns(credential), **_envelope(sealed)}
        if not await self.rows.add_unless(credentials, ("provider", "scope", "name"), row):
            raise DuplicateName(credential.name)

    async def one(self, credential_id: CredentialId) -> Credential:
        return _credential(await self.rows.one(credentials, "credential", id=credential_id))

    async def some(self, credential_ids: Collection[CredentialId]) -> Sequence[Credential]:
        query = select(credentials).where(self.rows.mine(credentials), credentials.c.id.in_(credential_ids))
        return [_credential(row) for row in await self.rows.all(query)]

    async def sealed(self, credential_id: CredentialId) -> Sealed:
        row = await self.rows.one(credentials, "credential", id=credential_id)
        return Sealed(KeyId(row.key_id), row.envelope)

    async def alike(self, provider: str, scope: str) -> Sequence[Credential]:
        """The lock leaves those alone who only refer to a row, as coolings do."""
        query = select(credentials).where(self.rows.mine(credentials)).order_by(credentials.c.id)
        of_scope = query.where(credentials.c.provider == provider, credentials.c.scope == scope)
        return [_credential(row) for row in await self.rows.all(of_scope.with_for_update(key_share=True))]

    async def page(
        self,
        *,
        first: int,
        after: CredentialId | None = None,
        provider: str | None = None,
        model: ModelRef | None = None,
        active: bool | None = None,
    ) -> Sequence[Credential]:
        query = select(credentials).where(self.rows.mine(credentials)).order_by(credentials.c.id).limit(first)
        if after is not None:
            query = query.where(credentials.c.id > after)
        if provider is not None:
            query = query.where(credentials.c.provider == provider)
        if model is not None:
            reaching = credentials.c.scope.in_((scope_of(None), scope_of(model)))
            query = query.where(credentials.c.provider == model.provider, reaching)
        if active is not None:
            query = query.where(credentials.c.active == active)
        return [_credential(row) for row in await self.rows.all(query)]

    async def put(self, credential: Credential, sealed: Sealed | None = None, *, version: int) -> None:
        row = {**_columns(credential), **(_envelope(sealed) if sealed else {})}
        known = update(credentials).where(self.rows.mine(credentials), credentials.c.id == credential.id)
        try:
            done = await self.rows.connection.execute(known.where(credentials.c.version == version).values(row))
        except IntegrityError as failure:
            if "unique" not in str(failure.orig).lower():
                raise
            raise DuplicateName(credential.name) from None
        if not done.rowcount:
            await self.one(credential.id)
            raise ChangedMeanwhile("credential")

    async def remove(self, credential_id: CredentialId) -> None:
        if not await self.rows.remove(credentials, id=credential_id):
            raise NotFound("credential")


def _columns(credential: Credential) -> dict[str, Any]:
    return {
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


def _envelope(sealed: Sealed) -> dict[str, Any]:
    return {"key_id": sealed.key_id, "envelope": sealed.envelope}


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
