"""What a token request comes down to: the facts it is judged by, the verdict, and what is handed out."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from domain.model.access import Client, Scope
from domain.model.authorization import Code, Device, RefreshToken
from domain.model.tokens import Kind, mint

A = TypeVar("A")

Source = Code | RefreshToken | Device
"""What a person's yes is brought to the token endpoint in."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """`refresh` is that of a whole family: a refresh token that takes another's place ends when that would have."""

    access: timedelta
    refresh: timedelta = timedelta(days=30)
    device: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Proof:
    """That a client is who it says. A signed one has an id, by which it is good once, until it expires (RFC 7523)."""

    jti: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a token request of a client that proved itself is judged by; `source` is nobody else's meanwhile.

    `allowed` is the most that the client may have of the person now: what was consented to, within the person's role.
    """

    client: Client
    now: datetime
    source: Source | None = None
    allowed: frozenset[Scope] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client is given. `resource` is whom the token is for where that is not Portunus itself."""

    scopes: frozenset[Scope]
    resource: str | None = None
    refreshable: bool = False


@dataclass(frozen=True, slots=True)
class Verdict(Generic[A]):
    """An answer, what it promises, and the family that must end because something was shown a second time."""

    answer: A
    grant: Grant | None = None
    ends: UUID | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """What is handed out; it is shown to the client alone, this once. `expires_in` is in seconds."""

    expires_in: int
    scopes: frozenset[Scope]
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


def public_id(client: Client) -> str:
    """The client_id by which OAuth knows it: it carries the tenant."""
    return mint(Kind.CLIENT_ID, client.tenant_id, client.id.bytes)
