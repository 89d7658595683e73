"""A tenant, and the key pair under which its credentials are sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import InvalidRange
from domain.model.ids import KeyId, TenantId, made_at

NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Tenant:
    id: TenantId
    name: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TenantKey:
    """A tenant's RSA key pair: the public half as DER, the private half wrapped by the operator's master key."""

    tenant_id: TenantId
    id: KeyId
    public: bytes
    wrapped_private: bytes
    master_key_id: str


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """What may be shown of a key: how many `credentials` are sealed under it; new ones are under the `newest` alone."""

    id: KeyId
    made_at: datetime
    newest: bool
    credentials: int


def in_use(keys: Sequence[TenantKey], sealed: Mapping[KeyId, int]) -> tuple[KeyInUse, ...]:
    """Of a tenant's keys, oldest first, and how many credentials are sealed under each."""
    newest = keys[-1].id if keys else None
    return tuple(KeyInUse(key.id, made_at(key.id), key.id == newest, sealed.get(key.id, 0)) for key in keys)


def checked_name(name: str, *, field: str = "name") -> str:
    """The name without surrounding blanks; InvalidRange when it is empty, too long or has control characters."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise InvalidRange(field, f"must have 1 to {NAME_LIMIT} characters")
    if not name.isprintable():
        raise InvalidRange(field, "must not contain control characters")
    return name
