"""Service clients and the digests of their tokens."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from domain.model.access import AccessToken, Client, Scope
from domain.model.ids import ClientId, TenantId
from infrastructure.db.fence import Rows
from infrastructure.db.tables import clients, tokens


@dataclass(frozen=True, slots=True)
class SqlClients:
    rows: Rows

    async def add(self, client: Client) -> None:
        await self.rows.add(
            clients,
            id=client.id,
            name=client.name,
            secret_digest=client.secret_digest,
            scopes=_joined(client.scopes),
            created_at=client.created_at,
        )

    async def one(self, client_id: ClientId) -> Client:
        row = await self.rows.one(clients, "client", id=client_id)
        return Client(
            TenantId(row.tenant_id),
            ClientId(row.id),
            row.name,
            row.secret_digest,
            _split(row.scopes),
            row.created_at,
        )

    async def names(self, client_ids: Collection[ClientId]) -> Mapping[ClientId, str]:
        query = select(clients.c.id, clients.c.name).where(self.rows.mine(clients), clients.c.id.in_(client_ids))
        return {ClientId(row.id): row.name for row in await self.rows.all(query)}


@dataclass(frozen=True, slots=True)
class SqlTokens:
    rows: Rows

    async def add(self, token: AccessToken) -> None:
        await self.rows.add(
            tokens,
            digest=token.digest,
            client_id=token.client_id,
            scopes=_joined(token.scopes),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
        )

    async def one(self, digest: bytes) -> AccessToken:
        row = await self.rows.one(tokens, "token", digest=digest)
        return AccessToken(
            TenantId(row.tenant_id),
            row.digest,
            ClientId(row.client_id),
            _split(row.scopes),
            row.issued_at,
            row.expires_at,
        )


def _joined(scopes: Iterable[Scope]) -> str:
    return " ".join(sorted(scopes))


def _split(scopes: str) -> frozenset[Scope]:
    return frozenset(map(Scope, scopes.split()))
