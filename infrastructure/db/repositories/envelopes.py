"""Sealed forms with all that opens them, read in one statement, and sealed anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, update

from domain.errors import NotFound
from domain.model.credential import Opening, SealContext, Sealed
from domain.model.ids import CredentialId, KeyId
from infrastructure.db.fence import Rows
from infrastructure.db.repositories.tenants import key_of
from infrastructure.db.tables import credentials, tenant_keys

_ITS_KEY = and_(tenant_keys.c.tenant_id == credentials.c.tenant_id, tenant_keys.c.id == credentials.c.key_id)


@dataclass(frozen=True, slots=True)
class SqlEnvelopes:
    """An envelope and its key must be of one moment: between two statements the key may be shredded."""

    rows: Rows

    async def one(self, credential_id: CredentialId) -> Opening:
        found = await self.rows.all(self._openings().where(credentials.c.id == credential_id))
        if not found:
            raise NotFound("credential")
        return _opening(found[0])

    async def under(self, key_id: KeyId, *, first: int) -> Sequence[Opening]:
        query = self._openings().where(credentials.c.key_id == key_id).order_by(credentials.c.id).limit(first)
        return [_opening(row) for row in await self.rows.all(query)]

    async def counts(self) -> Mapping[KeyId, int]:
        query = select(credentials.c.key_id, func.count().label("sealed")).where(self.rows.mine(credentials))
        return {KeyId(row.key_id): row.sealed for row in await self.rows.all(query.group_by(credentials.c.key_id))}

    async def reseal(self, before: Opening, sealed: Sealed) -> bool:
        unchanged = update(credentials).where(
            self.rows.mine(credentials),
            credentials.c.id == before.context.credential_id,
            credentials.c.version == before.context.version,
            credentials.c.key_id == before.sealed.key_id,
        )
        done = await self.rows.connection.execute(unchanged.values(key_id=sealed.key_id, envelope=sealed.envelope))
        return bool(done.rowcount)

    def _openings(self) -> Select[Any]:
        form = credentials.c.id.label("credential_id"), credentials.c.version, credentials.c.envelope
        joined = select(tenant_keys, *form).join_from(credentials, tenant_keys, _ITS_KEY)
        return joined.where(self.rows.mine(credentials), self.rows.mine(tenant_keys))


def _opening(row: Row[Any]) -> Opening:
    key = key_of(row)
    context = SealContext(key.tenant_id, CredentialId(row.credential_id), row.version)
    return Opening(context, Sealed(key.id, row.envelope), key)
