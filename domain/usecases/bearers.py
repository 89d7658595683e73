"""Whom a bearer token stands for, by what is stored of it: an access token's client and person, or an API key."""

from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from domain.errors import NotFound
from domain.model.access import Actor, Bearer, Client, ClientKind
from domain.model.ids import ClientId
from domain.model.tokens import Kind, Parsed, digest, parse
from domain.ports import Work

NOTED = timedelta(minutes=1)
"""How long a use goes unrecorded after one that was."""

_FOREVER = datetime.max.replace(tzinfo=UTC)


def parsed(token: str) -> tuple[Kind, Parsed] | None:
    """Which kind of bearer token it is, and what it says; None for what was never made as one."""
    for kind in (Kind.ACCESS_TOKEN, Kind.API_KEY):
        if found := parse(kind, token):
            return kind, found
    return None


async def actor_of(work: Work, kind: Kind, said: Parsed, token: str, now: datetime) -> Actor:
    """The actor of a bearer token that is good now, whose use is noted; NotFound for any other."""
    if kind is Kind.API_KEY:
        return await _of_key(work, ClientId(UUID(bytes=said.rest[:16])), digest(token), now)
    bearer = await work.tokens.bearer(digest(token))
    token_row = bearer.token
    if token_row.expires_at <= now or token_row.resource is not None or not bearer.client.active(now):
        raise NotFound("token")
    await _note(work, bearer, now)
    return bearer.actor()


async def _of_key(work: Work, client_id: ClientId, shown: bytes, now: datetime) -> Actor:
    client = await work.clients.one(client_id)
    until = _good_until(client, shown, now)
    if client.kind is not ClientKind.API_KEY or not client.active(now) or until is None:
        raise NotFound("token")
    await _note_client(work, client, now)
    return Actor(client.tenant_id, client.id, client.scopes, until, reach=client.reach)


def _good_until(client: Client, shown: bytes, now: datetime) -> datetime | None:
    """When the key of this digest ends, where it is one of the client's and good now."""
    last = client.expires_at or _FOREVER
    fitting = [digest for digest in client.secrets(now) if compare_digest(digest, shown)]
    if not fitting:
        return None
    return last if fitting[0] == client.secret_digest else min(last, client.old_secret_until or last)


async def _note(work: Work, bearer: Bearer, now: datetime) -> None:
    await _note_client(work, bearer.client, now)
    person_id = bearer.token.person_id
    if person_id is not None and _due(bearer.consent_used_at, now):
        await work.consents.used(bearer.client.id, person_id, now)


async def _note_client(work: Work, client: Client, now: datetime) -> None:
    if _due(client.last_used_at, now):
        await work.clients.used(client.id, now)


def _due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= NOTED
