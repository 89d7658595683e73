"""Everything one tenant has, in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from domain.errors import (
    NotFound,
)
from domain.model.access import AccessToken, Client, Role
from domain.model.audit import Entry, Head
from domain.model.authorization import Code, Consent, Device, RefreshToken
from domain.model.cap import Cap
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Cooling, Credential, Sealed
from domain.model.custom_model import CustomModel
from domain.model.ids import CallId, CapId, ClientId, CredentialId, GrantId, KeyId, PersonId, PotId
from domain.model.people import Invitation
from domain.model.quota import Grant, Hold, HoldState, Pot
from domain.model.selection import KeySource
from domain.model.tenant import Tenant, TenantKey
from domain.model.usage import CallRecord

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class TenantRows:
    """Everything one tenant has."""

    tenants: list[Tenant] = field(default_factory=list)
    keys: dict[KeyId, TenantKey] = field(default_factory=dict)
    clients: dict[ClientId, Client] = field(default_factory=dict)
    tokens: dict[bytes, AccessToken] = field(default_factory=dict)
    members: dict[PersonId, tuple[Role, datetime]] = field(default_factory=dict)
    invitations: dict[bytes, Invitation] = field(default_factory=dict)
    consents: dict[tuple[ClientId, PersonId], Consent] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    codes: dict[bytes, Code] = field(default_factory=dict)
    devices: dict[bytes, Device] = field(default_factory=dict)
    assertions: dict[tuple[ClientId, str], datetime] = field(default_factory=dict)
    audit: list[Entry] = field(default_factory=list)
    chain: dict[str, Head] = field(default_factory=dict)  # by the id of the master key that wraps its key
    credentials: dict[CredentialId, tuple[Credential, Sealed]] = field(default_factory=dict)
    coolings: dict[CredentialId, Cooling] = field(default_factory=dict)
    custom: dict[ModelRef, CustomModel] = field(default_factory=dict)
    disabled: dict[ModelRef, datetime] = field(default_factory=dict)
    caps: dict[CapId, Cap] = field(default_factory=dict)
    defaults: dict[ModelType, ModelRef] = field(default_factory=dict)
    preferred: dict[str, KeySource] = field(default_factory=dict)
    pots: dict[PotId, Pot] = field(default_factory=dict)
    grants: dict[GrantId, Grant] = field(default_factory=dict)
    holds: dict[CallId, tuple[Hold, HoldState]] = field(default_factory=dict)
    records: dict[CallId, CallRecord] = field(default_factory=dict)
    incidents: dict[CallId, str] = field(default_factory=dict)

    def copy(self) -> "TenantRows":
        return TenantRows(**{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def drop(self, which: Callable[[AccessToken | Consent | RefreshToken | Code | Device], bool]) -> None:
        """Remove what hangs on a client or a person."""
        kept: Sequence[dict[Any, Any]] = (self.tokens, self.consents, self.refresh_tokens, self.codes, self.devices)
        for rows in kept:
            for key in [key for key, row in rows.items() if which(row)]:
                del rows[key]


def found(rows: Mapping[K, V], key: K | None, what: str) -> V:
    if key is None or key not in rows:
        raise NotFound(what)
    return rows[key]
