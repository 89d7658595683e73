"""A client proves itself to the authorization server before anything of it is looked at."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from domain.errors import NotFound, Unauthenticated
from domain.model.access import Client, ClientKind
from domain.model.ids import ClientId
from domain.model.issuing import Proof
from domain.model.tokens import Kind, parse
from domain.ports import Begin, Work

Prove = Callable[[Client | None], Proof | None]
"""Whether what was sent proves this client; asked about None, too, so that an unknown one takes as long."""


@asynccontextmanager
async def proven(begin: Begin, now: datetime, client_id: str, prove: Prove) -> AsyncIterator[tuple[Work, Client]]:
    """A unit of work in the tenant of a client that proved itself, and that client; Unauthenticated otherwise.

    One that is unknown, suspended or expired reads like one that proved nothing.
    """
    parsed = parse(Kind.CLIENT_ID, client_id)
    if parsed is None:
        prove(None)
        raise Unauthenticated
    async with begin(parsed.tenant_id) as work:
        client = await _active(work, ClientId(UUID(bytes=parsed.rest)), now)
        proof = prove(client)
        if client is None or proof is None or not await _unseen(work, client, proof):
            raise Unauthenticated
        yield work, client


async def _active(work: Work, client_id: ClientId, now: datetime) -> Client | None:
    """An API key has no part in OAuth."""
    try:
        client = await work.clients.one(client_id)
    except NotFound:
        return None
    return client if client.active(now) and client.kind is not ClientKind.API_KEY else None


async def _unseen(work: Work, client: Client, proof: Proof) -> bool:
    if proof.jti is None or proof.expires_at is None:
        return True
    return await work.assertions.add(client.id, proof.jti, proof.expires_at)
