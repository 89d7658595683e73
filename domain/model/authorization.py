"""What passes between a person, an application and the authorization server before there is a token."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.model.access import Scope
from domain.model.ids import ClientId, PersonId, TenantId


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person let an application do in a tenant. Without it nothing that came of it is good any more."""

    tenant_id: TenantId
    client_id: ClientId
    person_id: PersonId
    scopes: frozenset[Scope]
    given_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code (RFC 6749, section 4.1), kept by its digest. A used one stays until it expires.

    `challenge` is that of PKCE with S256; `family_id` names all tokens that come of it.
    """

    tenant_id: TenantId
    digest: bytes
    client_id: ClientId
    person_id: PersonId
    scopes: frozenset[Scope]
    redirect_uri: str
    challenge: str
    family_id: UUID
    signed_in_at: datetime
    expires_at: datetime
    nonce: str | None = None
    resource: str | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Good once, kept by its digest. A used one stays until it expires: whoever shows it again ends its family."""

    tenant_id: TenantId
    digest: bytes
    client_id: ClientId
    person_id: PersonId
    scopes: frozenset[Scope]
    family_id: UUID
    signed_in_at: datetime
    issued_at: datetime
    expires_at: datetime
    resource: str | None = None
    used_at: datetime | None = None


class Decision(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for a person to let it in (RFC 8628), kept by the digest of its device code."""

    tenant_id: TenantId
    digest: bytes
    user_code: str
    client_id: ClientId
    scopes: frozenset[Scope]
    family_id: UUID
    expires_at: datetime
    decision: Decision = Decision.PENDING
    person_id: PersonId | None = None
    signed_in_at: datetime | None = None
    polled_at: datetime | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair of this issuer for id tokens and JWT access tokens: the public half as a JWK in JSON."""

    id: UUID
    public: str
    wrapped_private: bytes
    master_key_id: str
    created_at: datetime
