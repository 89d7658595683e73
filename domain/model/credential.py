"""A tenant's credential at one vendor: what may be shown of it, and the sealed form that may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.model.catalogue import ModelRef
from domain.model.ids import CredentialId, KeyId, TenantId


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
        return f"{self.model.type}:{self.model.name}" if self.model else ""

    def reaches(self, ref: ModelRef) -> bool:
        """Whether it can serve calls of that model, be it active or not."""
        return self.provider == ref.provider and self.model in (None, ref)


@dataclass(frozen=True, slots=True)
class Cooling:
    """A credential that the vendor refused rests `until` then, while others can serve. `reason` is a refusal's code."""

    credential_id: CredentialId
    until: datetime
    reason: str


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
