"""People: who they are, how they sign in, and what they are in each tenant."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import InvalidRange
from domain.model.access import Role
from domain.model.ids import InvitationId, PersonId, TenantId

EMAIL_LIMIT = 254
NAME_LIMIT = 100
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")


@dataclass(frozen=True, slots=True)
class Person:
    """One account, known in any number of tenants. `email` is in lower case and nobody else's."""

    id: PersonId
    email: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """How an external OpenID provider knows a person."""

    issuer: str
    subject: str
    person_id: PersonId


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whom an external OpenID provider vouches for. What it says of name and address proves nothing here."""

    issuer: str
    subject: str
    name: str | None = None

    def identity(self, person_id: PersonId) -> Identity:
        return Identity(self.issuer, self.subject, person_id)


@dataclass(frozen=True, slots=True)
class Departure:
    """The way to an external OpenID provider, and what must come back from there: kept by the browser meanwhile."""

    address: str
    state: str
    nonce: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that a person signed in with, kept by the SHA-256 digest of its cookie."""

    digest: bytes
    person_id: PersonId
    signed_in_at: datetime
    expires_at: datetime
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """A link by which a person sets a new password; kept by the SHA-256 digest of its token, good once."""

    digest: bytes
    person_id: PersonId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """How often in a row a sign-in failed for one account or one address, and the last time."""

    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """What a person is in one tenant, as the person sees it."""

    tenant_id: TenantId
    tenant_name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant, as the tenant sees it."""

    tenant_id: TenantId
    person: Person
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that makes whoever takes it up a member; kept by the SHA-256 digest of the link's token."""

    tenant_id: TenantId
    id: InvitationId
    email: str
    role: Role
    digest: bytes
    created_at: datetime
    expires_at: datetime
    invited_by: PersonId | None = None


def checked_email(email: str, *, field: str = "email") -> str:
    """In lower case, without surrounding blanks; InvalidRange for what cannot be an address."""
    email = email.strip().lower()
    if len(email) > EMAIL_LIMIT or not _EMAIL.fullmatch(email):
        raise InvalidRange(field, "must be an e-mail address")
    return email


def checked_name(name: str, *, field: str = "name") -> str:
    """A person's name without surrounding blanks; InvalidRange for one that is empty, too long or cannot be shown."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise InvalidRange(field, f"must have 1 to {NAME_LIMIT} characters")
    if not name.isprintable():
        raise InvalidRange(field, "must be characters that can be shown")
    return name
