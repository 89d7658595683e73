"""Whether a token is good, and an end to it, for the client that asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.errors import NotFound
from domain.model.access import Bearer, Client, Scope
from domain.model.authorization import RefreshToken
from domain.model.identity import subject
from domain.model.ids import PersonId
from domain.model.issuing import public_id
from domain.model.tokens import Kind, digest
from domain.ports import Begin, Clock, Work
from domain.usecases.granting import allowed
from domain.usecases.proving import Prove, proven

State = Mapping[str, Any]
"""As RFC 7662, section 2.2 names it, and the tenant."""

INACTIVE: State = {"active": False}


@dataclass(frozen=True, slots=True)
class TokenStates:
    """`issuer` is whom a token is for that is for nobody else."""

    begin: Begin
    clock: Clock
    issuer: str

    async def revoke(self, client_id: str, prove: Prove, token: str) -> None:
        """RFC 7009: end a token of this client, a refresh token with its family. Unauthenticated.

        What is unknown, or another's, is left alone, and reads the same.
        """
        async with proven(self.begin, self.clock(), client_id, prove) as (work, client):
            refresh = await _refresh_token(work, client, token)
            if refresh is not None:
                await work.tokens.end_family(refresh.family_id)
            elif await _is_of(work, client, token):
                await work.tokens.remove(digest(token))

    async def introspect(self, client_id: str, prove: Prove, token: str) -> State:
        """RFC 7662, for clients of the same tenant that can keep a secret. Unauthenticated.

        A refresh token is nobody's business but its client's.
        """
        now = self.clock()
        async with proven(self.begin, now, client_id, prove) as (work, client):
            refresh = await _refresh_token(work, client, token)
            if refresh is not None:
                return await self._of_refresh_token(work, client, refresh, now)
            try:
                return self._of_access_token(await work.tokens.bearer(digest(token)), now)
            except NotFound:
                return INACTIVE

    def _of_access_token(self, found: Bearer, now: datetime) -> State:
        token, scopes = found.token, found.scopes()
        if token.expires_at <= now or not found.client.active(now) or not scopes:
            return INACTIVE
        state = self._state(found.client, scopes, token.person_id, token.issued_at, token.expires_at)
        return {**state, "token_type": "Bearer", "aud": token.resource or self.issuer}

    async def _of_refresh_token(self, work: Work, client: Client, token: RefreshToken, now: datetime) -> State:
        scopes = token.scopes & await allowed(work, client, token.person_id)
        if token.expires_at <= now or token.used_at is not None or Scope.OFFLINE_ACCESS not in scopes:
            return INACTIVE
        return self._state(client, scopes, token.person_id, token.issued_at, token.expires_at)

    def _state(
        self, client: Client, scopes: frozenset[Scope], person_id: PersonId | None, start: datetime, end: datetime
    ) -> State:
        return {
            "active": True,
            "iss": self.issuer,
            "scope": " ".join(sorted(scopes)),
            "client_id": public_id(client),
            "tenant": str(client.tenant_id),
            "sub": subject(client.tenant_id, person_id) if person_id else public_id(client),
            "iat": int(start.timestamp()),
            "exp": int(end.timestamp()),
        }


async def _refresh_token(work: Work, client: Client, token: str) -> RefreshToken | None:
    """None for another client's, too."""
    if not token.startswith(Kind.REFRESH_TOKEN):
        return None
    found = await work.refresh_tokens.lock(digest(token))
    return found if found is not None and found.client_id == client.id else None


async def _is_of(work: Work, client: Client, token: str) -> bool:
    try:
        return (await work.tokens.one(digest(token))).client_id == client.id
    except NotFound:
        return False
