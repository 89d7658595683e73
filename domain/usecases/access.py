"""Who calls: from a bearer token to an actor, and from a service client to a token."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from domain.errors import NotFound, Unauthenticated
from domain.model.access import AccessToken, Actor, Client, Scope
from domain.model.ids import ClientId
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint, parse
from domain.ports import Begin, Clock, Randomness, Work
from domain.usecases import bearers

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client that proved itself is given: a token, and the scopes that it shall carry."""

    token: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Access:
    """`lifetime` is that of an access token."""

    begin: Begin
    clock: Clock
    randomness: Randomness
    lifetime: timedelta

    async def authenticate(self, token: str) -> Actor:
        """The actor of a valid access token or API key; Unauthenticated for any other, whatever is wrong with it."""
        found = bearers.parsed(token)
        if found is None:
            raise Unauthenticated
        kind, said = found
        try:
            async with self.begin(said.tenant_id) as work:
                return await bearers.actor_of(work, kind, said, token, self.clock())
        except NotFound:
            raise Unauthenticated from None

    async def grant(self, client_id: str, judge: Callable[[Client | None], tuple[A, Grant | None]]) -> A:
        """Find the client of this public id, let `judge` decide, and keep what it grants, in one unit of work.

        `judge` is asked about None where there is no such client. Its answer is returned once the grant is kept.
        """
        parsed = parse(Kind.CLIENT_ID, client_id)
        if parsed is None:
            return judge(None)[0]
        async with self.begin(parsed.tenant_id) as work:
            client = await _client(work, ClientId(UUID(bytes=parsed.rest)))
            answer, granted = judge(client)
            if client is not None and granted is not None:
                await work.tokens.add(self._row(client, granted))
        return answer

    def minted(self, client: Client) -> str:
        """A new access token of a client's tenant; it is valid once it is kept."""
        return mint(Kind.ACCESS_TOKEN, client.tenant_id, self.randomness(SECRET_BYTES))

    def _row(self, client: Client, granted: Grant) -> AccessToken:
        """Only the token's digest is stored, and never a scope that the client does not have."""
        now = self.clock()
        scopes = granted.scopes & client.scopes
        return AccessToken(client.tenant_id, digest(granted.token), client.id, scopes, now, now + self.lifetime)


async def _client(work: Work, client_id: ClientId) -> Client | None:
    try:
        return await work.clients.one(client_id)
    except NotFound:
        return None
