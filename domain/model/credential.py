"""A tenant's credential at one vendor: what may be shown of it, and the sealed form that may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef
from domain.model.ids import CredentialId, KeyId, TenantId
from domain.model.tenant import TenantKey

HEAVIEST = 100
"""The largest weight."""


class CredentialStatus(StrEnum):
    """Whether a credential serves calls. There is no unproved one: what no vendor accepted is not stored."""

    READY = "ready"
    RESTING = "resting"  # its vendor refused it; others go first until its rest is over
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Credential:
    """Shown to the tenant's own admins.

    `model` is set for hosted vendors only: the one model this credential reaches. `public` holds the fields that are
    no secrets, `masked` the last characters of those that are. `endpoint` is the origin (scheme, host, port) on which
    the credential was proved; it is never sent to another. `version` grows when the form changes.

    Only `active` ones serve calls. Several that reach the same model share its calls by `weight`; one of weight 0
    stands by until the others fail.
    """

    tenant_id: TenantId
    id: CredentialId
    provider: str
    name: str
    model: ModelRef | None
    public: Mapping[str, str]
    masked: Mapping[str, str]
    endpoint: str
    version: int
    created_at: datetime
    proved_at: datetime
    active: bool = True
    weight: int = 1

    @property
    def scope(self) -> str:
        """What it reaches at its provider, within which its name is unique: everything, or one hosted model."""
        return scope_of(self.model)

    def reaches(self, ref: ModelRef) -> bool:
        """Whether it can serve calls of that model, be it active or not."""
        return self.provider == ref.provider and self.model in (None, ref)

    def status(self, cooling: "Cooling | None", now: datetime) -> CredentialStatus:
        """With what is known of its rest."""
        if not self.active:
            return CredentialStatus.INACTIVE
        resting = cooling is not None and cooling.lasts(now)
        return CredentialStatus.RESTING if resting else CredentialStatus.READY


@dataclass(frozen=True, slots=True)
class Cooling:
    """A credential that the vendor refused rests `until` then, while others can serve. `reason` is a refusal's code."""

    credential_id: CredentialId
    until: datetime
    reason: str

    def lasts(self, now: datetime) -> bool:
        return self.until > now


@dataclass(frozen=True, slots=True)
class Sealed:
    """The form under the tenant's key `key_id`, in a versioned envelope. Bound to tenant, credential and version."""

    key_id: KeyId
    envelope: bytes


@dataclass(frozen=True, slots=True)
class SealContext:
    """What an envelope is bound to: opening it under any other context fails."""

    tenant_id: TenantId
    credential_id: CredentialId
    version: int

    @classmethod
    def of(cls, credential: Credential) -> "SealContext":
        return cls(credential.tenant_id, credential.id, credential.version)


def scope_of(model: ModelRef | None) -> str:
    """The scope of a credential for all models of its provider (None), or for one hosted model."""
    return f"{model.type}:{model.name}" if model else ""


def checked_weight(weight: int) -> int:
    """InvalidRange unless it is from 0 to `HEAVIEST`."""
    if not 0 <= weight <= HEAVIEST:
        raise InvalidRange("weight", f"must be from 0 to {HEAVIEST}")
    return weight


@dataclass(frozen=True, slots=True)
class Opening:
    """All that it takes to open a form, as it was at one moment."""

    context: SealContext
    sealed: Sealed
    key: TenantKey
