"""Tokens made of a grant: opaque ones for Portunus itself, signed ones for others, and who the person is."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.model.access import AccessToken, Scope
from domain.model.authorization import Code, RefreshToken
from domain.model.identity import claims, subject
from domain.model.ids import PersonId
from domain.model.issuing import Facts, Grant, Lifetimes, Source, public_id
from domain.model.people import Member
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Randomness, Sign

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type (RFC 9068, section 2.1)
ID_TOKEN_TYPE = "JWT"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Mint:
    """Nothing is kept here. `issuer` is the public address of this installation."""

    issuer: str
    randomness: Randomness
    lifetimes: Lifetimes

    async def access_token(self, facts: Facts, grant: Grant, sign: Sign | None) -> tuple[str, AccessToken]:
        """The token and its row. None ends later than its family."""
        ends = min(facts.now + self.lifetimes.access, self.family_ends(facts))
        if grant.resource is None:
            token = self._opaque(Kind.ACCESS_TOKEN, facts)
        else:
            assert sign is not None
            token = await sign(self._access_claims(facts, grant, ends), ACCESS_TOKEN_TYPE)
        source = facts.source
        return token, AccessToken(
            facts.client.tenant_id,
            digest(token),
            facts.client.id,
            grant.scopes,
            facts.now,
            ends,
            source.person_id if source else None,
            source.family_id if source else None,
            grant.resource,
        )

    def refresh_token(self, facts: Facts, source: Source) -> tuple[str, RefreshToken]:
        """The token and its row: for all that was consented to, however little of it is asked for now (RFC 6749, 6)."""
        token = self._opaque(Kind.REFRESH_TOKEN, facts)
        assert source.person_id is not None
        return token, RefreshToken(
            source.tenant_id,
            digest(token),
            source.client_id,
            source.person_id,
            source.scopes,
            source.family_id,
            source.signed_in_at or facts.now,
            facts.now,
            self.family_ends(facts),
            source.resource,
        )

    async def id_token(self, facts: Facts, member: Member, scopes: frozenset[Scope], token: str, sign: Sign) -> str:
        """OpenID Connect Core 1.0, section 2; `token` is the access token beside it."""
        source = facts.source
        told: dict[str, Any] = {
            "iss": self.issuer,
            "aud": public_id(facts.client),
            **_span(facts.now, facts.now + self.lifetimes.access),
            "at_hash": _half_hash(token),
            **claims(member, scopes),
        }
        if source is not None and source.signed_in_at is not None:
            told["auth_time"] = int(source.signed_in_at.timestamp())
        if isinstance(source, Code) and source.nonce is not None:
            told["nonce"] = source.nonce
        return await sign(told, ID_TOKEN_TYPE)

    def family_ends(self, facts: Facts) -> datetime:
        source = facts.source
        return source.expires_at if isinstance(source, RefreshToken) else facts.now + self.lifetimes.refresh

    def _access_claims(self, facts: Facts, grant: Grant, ends: datetime) -> Mapping[str, Any]:
        """RFC 9068, section 2.2; without a person the subject is the client."""
        client, source = facts.client, facts.source
        person_id: PersonId | None = source.person_id if source else None
        return {
            "iss": self.issuer,
            "aud": grant.resource,
            "sub": subject(client.tenant_id, person_id) if person_id else public_id(client),
            "client_id": public_id(client),
            "tenant": str(client.tenant_id),
            "scope": " ".join(sorted(grant.scopes)),
            "jti": self.randomness(16).hex(),
            **_span(facts.now, ends),
        }

    def _opaque(self, kind: Kind, facts: Facts) -> str:
        return mint(kind, facts.client.tenant_id, self.randomness(SECRET_BYTES))


def _span(start: datetime, end: datetime) -> Mapping[str, int]:
    return {"iat": int(start.timestamp()), "exp": int(end.timestamp())}


def _half_hash(token: str) -> str:
    """at_hash of RS256: the left half of the SHA-256, in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()
