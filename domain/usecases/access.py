"""Who calls: from a bearer token to an actor, and from a service client to a token."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.errors import NotFound, Unauthenticated
from domain.model.access import AccessToken, Actor, Client, Scope
from domain.model.ids import ClientId
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint, parse
from domain.ports import Begin, Clock, Randomness


@dataclass(frozen=True, slots=True)
class Access:
    """`lifetime` is that of an access token."""

    begin: Begin
    clock: Clock
    randomness: Randomness
    lifetime: timedelta

    async def authenticate(self, token: str) -> Actor:
        """The actor of a valid token; Unauthenticated for any other, whatever is wrong with it."""
        parsed = parse(Kind.ACCESS_TOKEN, token)
        if parsed is None:
            raise Unauthenticated
        try:
            async with self.begin(parsed.tenant_id) as work:
                found = await work.tokens.one(digest(token))
        except NotFound:
            raise Unauthenticated from None
        if found.expires_at <= self.clock():
            raise Unauthenticated
        return found.actor()

    async def client(self, client_id: str) -> Client | None:
        """The client of this public id, or None; it has yet to prove itself."""
        parsed = parse(Kind.CLIENT_ID, client_id)
        if parsed is None:
            return None
        try:
            async with self.begin(parsed.tenant_id) as work:
                return await work.clients.one(ClientId(UUID(bytes=parsed.rest)))
        except NotFound:
            return None

    def minted(self, client: Client) -> str:
        """A new access token for a client that proved itself; it is valid once kept."""
        return mint(Kind.ACCESS_TOKEN, client.tenant_id, self.randomness(SECRET_BYTES))

    async def keep(self, client: Client, token: str, scopes: Iterable[Scope]) -> None:
        """Make `token` valid for its lifetime, with the client's scopes at most. Only its digest is stored."""
        now = self.clock()
        granted = frozenset(scopes) & client.scopes
        row = AccessToken(client.tenant_id, digest(token), client.id, granted, now, now + self.lifetime)
        async with self.begin(client.tenant_id) as work:
            await work.tokens.add(row)
