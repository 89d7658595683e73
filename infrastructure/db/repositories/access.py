"""Applications, and the digests of their tokens."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, select, update

from domain.errors import NotFound
from domain.model.access import AccessToken, Bearer, Client, ClientKind, Reach, Role, Scope
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import ClientId, PersonId, TenantId
from infrastructure.db.access_tables import clients, codes, consents, devices, members, refresh_tokens, tokens
from infrastructure.db.fence import Rows


@dataclass(frozen=True, slots=True)
class SqlClients:
    rows: Rows

    async def add(self, client: Client) -> None:
        await self.rows.add(clients, id=client.id, created_at=client.created_at, kind=client.kind, **_columns(client))

    async def one(self, client_id: ClientId) -> Client:
        return client_of(await self.rows.one(clients, "client", id=client_id))

    async def lock(self, client_id: ClientId) -> Client:
        query = select(clients).where(self.rows.mine(clients), clients.c.id == client_id).with_for_update()
        rows = await self.rows.all(query)
        if not rows:
            raise NotFound("client")
        return client_of(rows[0])

    async def some(self, client_ids: Collection[ClientId]) -> Sequence[Client]:
        query = select(clients).where(self.rows.mine(clients), clients.c.id.in_(client_ids))
        return [client_of(row) for row in await self.rows.all(query)]

    async def page(
        self, kinds: Collection[ClientKind], *, first: int, after: ClientId | None = None
    ) -> Sequence[Client]:
        query = select(clients).where(self.rows.mine(clients), clients.c.kind.in_(kinds))
        if after is not None:
            query = query.where(clients.c.id > after)
        return [client_of(row) for row in await self.rows.all(query.order_by(clients.c.id).limit(first))]

    async def put(self, client: Client) -> None:
        change = update(clients).where(self.rows.mine(clients), clients.c.id == client.id)
        if not (await self.rows.connection.execute(change.values(**_columns(client)))).rowcount:
            raise NotFound("client")

    async def used(self, client_id: ClientId, at: datetime) -> None:
        change = update(clients).where(self.rows.mine(clients), clients.c.id == client_id)
        await self.rows.connection.execute(change.values(last_used_at=at))

    async def remove(self, client_id: ClientId) -> None:
        if not await self.rows.remove(clients, id=client_id):
            raise NotFound("client")

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
            scopes=joined(token.scopes),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            person_id=token.person_id,
            family_id=token.family_id,
            resource=token.resource,
        )

    async def one(self, digest: bytes) -> AccessToken:
        return token_of(await self.rows.one(tokens, "token", digest=digest))

    async def bearer(self, digest: bytes) -> Bearer:
        of_client = and_(clients.c.tenant_id == tokens.c.tenant_id, clients.c.id == tokens.c.client_id)
        of_person = and_(members.c.tenant_id == tokens.c.tenant_id, members.c.person_id == tokens.c.person_id)
        of_both = and_(*(consents.c[name] == tokens.c[name] for name in ("tenant_id", "client_id", "person_id")))
        found = tokens.join(clients, of_client).outerjoin(members, of_person).outerjoin(consents, of_both)
        query = select(tokens, members.c.role, consents.c.last_used_at).select_from(found)
        mine = self.rows.mine(tokens), self.rows.mine(clients), tokens.c.digest == digest
        rows = await self.rows.all(query.where(*mine))
        if not rows:
            raise NotFound("token")
        token = token_of(rows[0])
        client = client_of(await self.rows.one(clients, "client", id=token.client_id))
        return Bearer(token, client, Role(rows[0].role) if rows[0].role else None, rows[0].last_used_at)

    async def remove(self, digest: bytes) -> None:
        await self.rows.remove(tokens, digest=digest)

    async def end_family(self, family_id: UUID) -> bool:
        ended = await self.rows.remove(tokens, family_id=family_id)
        unused = delete(refresh_tokens).where(self.rows.mine(refresh_tokens), refresh_tokens.c.family_id == family_id)
        gone = await self.rows.connection.execute(unused.where(refresh_tokens.c.used_at.is_(None)))
        return ended + gone.rowcount > 0

    async def end_client(self, client_id: ClientId) -> None:
        for table in (tokens, refresh_tokens, codes, devices):
            await self.rows.remove(table, client_id=client_id)


def joined(scopes: Iterable[Scope]) -> str:
    return " ".join(sorted(scopes))


def split(scopes: str) -> frozenset[Scope]:
    return frozenset(map(Scope, scopes.split()))


def token_of(row: Row[Any]) -> AccessToken:
    return AccessToken(
        TenantId(row.tenant_id),
        row.digest,
        ClientId(row.client_id),
        split(row.scopes),
        row.issued_at,
        row.expires_at,
        PersonId(row.person_id) if row.person_id else None,
        row.family_id,
        row.resource,
    )


def client_of(row: Row[Any]) -> Client:
    return Client(
        tenant_id=TenantId(row.tenant_id),
        id=ClientId(row.id),
        name=row.name,
        secret_digest=row.secret_digest,
        scopes=split(row.scopes),
        created_at=row.created_at,
        kind=ClientKind(row.kind),
        reach=_reach(row),
        redirect_uris=tuple(row.redirect_uris),
        resource=row.resource,
        jwks=row.jwks,
        created_by=PersonId(row.created_by) if row.created_by else None,
        old_secret_digest=row.old_secret_digest,
        old_secret_until=row.old_secret_until,
        expires_at=row.expires_at,
        suspended_at=row.suspended_at,
        last_used_at=row.last_used_at,
        secret_hint=row.secret_hint,
    )


def _reach(row: Row[Any]) -> Reach:
    models = row.models
    return Reach(
        frozenset(row.providers) if row.providers is not None else None,
        frozenset(ModelRef(p, name, ModelType(t)) for p, name, t in models) if models is not None else None,
    )


def _named(model: ModelRef) -> list[str]:
    return [model.provider, model.name, model.type.value]


def _columns(client: Client) -> Mapping[str, Any]:
    """What can change of it."""
    reach = client.reach
    return {
        "name": client.name,
        "secret_digest": client.secret_digest,
        "secret_hint": client.secret_hint,
        "scopes": joined(client.scopes),
        "providers": sorted(reach.providers) if reach.providers is not None else None,
        "models": sorted(map(_named, reach.models)) if reach.models is not None else None,
        "redirect_uris": list(client.redirect_uris),
        "resource": client.resource,
        "jwks": client.jwks,
        "created_by": client.created_by,
        "old_secret_digest": client.old_secret_digest,
        "old_secret_until": client.old_secret_until,
        "expires_at": client.expires_at,
        "suspended_at": client.suspended_at,
    }
