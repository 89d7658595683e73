"""What a tenant has stored: its repositories, and the unit of work that they are read and written in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Protocol, Self

from domain.model.cap import Cap
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Cooling, Credential, Opening, Sealed
from domain.model.custom_model import CustomModel
from domain.model.ids import CallId, CapId, CredentialId, GrantId, KeyId, TenantId
from domain.model.leftovers import Leftover
from domain.model.quota import Grant, Pot
from domain.model.selection import KeySource
from domain.model.tenant import Tenant, TenantKey
from domain.model.usage import CallRecord
from domain.model.usage_totals import CredentialUse, Dimension, Place, UsageFilter, UsageTotal
from domain.ports.access import (
    Assertions,
    Audit,
    Clients,
    Codes,
    Consents,
    Devices,
    Invitations,
    Members,
    RefreshTokens,
    Tokens,
)


class Tenants(Protocol):
    async def add(self, tenant: Tenant) -> None: ...
    async def one(self) -> Tenant:
        """The tenant of this unit of work; NotFound when it was never opened."""
        ...

    async def close(self) -> None:
        """Delete the tenant and all that it has, its wrapped private keys included; NotFound when there is none."""
        ...


class TenantKeys(Protocol):
    async def add(self, key: TenantKey) -> None: ...
    async def newest(self) -> TenantKey:
        """The key under which new credentials are sealed; NotFound when the tenant has none."""
        ...

    async def one(self, key_id: KeyId) -> TenantKey: ...
    async def all(self) -> Sequence[TenantKey]:
        """Oldest first; more than one while a rotation is under way."""
        ...

    async def pin(self, key_id: KeyId) -> bool:
        """Whether the key is there; if so it is until this unit of work ends."""
        ...

    async def succeed(self, newest: KeyId, key: TenantKey) -> bool:
        """Add `key` behind `newest`; False, and nothing added, when that is not the newest any more."""
        ...

    async def rewrap(self, before: TenantKey, after: TenantKey) -> bool:
        """Put the wrapping of `after` in place of that of `before`; False when it is another by now."""
        ...

    async def shred(self, key_id: KeyId) -> int | None:
        """Delete the key; 1, or 0 when it was gone already. None, and it stays, while anything is sealed under it."""
        ...


class Envelopes(Protocol):
    """The sealed forms of credentials, by the key that each is sealed under."""

    async def one(self, credential_id: CredentialId) -> Opening:
        """As it is at one moment, whatever is replaced or rotated; NotFound("credential") when it is unknown here."""
        ...

    async def under(self, key_id: KeyId, *, first: int) -> Sequence[Opening]:
        """Up to `first` of those sealed under that key, by ascending credential."""
        ...

    async def counts(self) -> Mapping[KeyId, int]:
        """How many are sealed under each key that has any."""
        ...

    async def reseal(self, before: Opening, sealed: Sealed) -> bool:
        """Put `sealed` in place of the same form under its older key; False when that is not what is there."""
        ...


class Credentials(Protocol):
    async def add(self, credential: Credential, sealed: Sealed) -> None:
        """DuplicateName when the tenant has one of that name in its scope."""
        ...

    async def one(self, credential_id: CredentialId) -> Credential:
        """NotFound("credential") when it is unknown here."""
        ...

    async def some(self, credential_ids: Collection[CredentialId]) -> Sequence[Credential]:
        """Those of these ids that there are, in no order."""
        ...

    async def sealed(self, credential_id: CredentialId) -> Sealed: ...
    async def alike(self, provider: str, scope: str) -> Sequence[Credential]:
        """All of one scope by ascending id; nobody else changes or removes one until this unit of work ends."""
        ...

    async def page(
        self,
        *,
        first: int,
        after: CredentialId | None = None,
        provider: str | None = None,
        model: ModelRef | None = None,
        active: bool | None = None,
    ) -> Sequence[Credential]:
        """Up to `first` credentials by ascending id, from behind `after`; of a provider, or such that reach a model."""
        ...

    async def put(self, credential: Credential, sealed: Sealed | None = None, *, version: int) -> None:
        """Write it in place of what it was in `version`, with its sealed form where that is new.

        NotFound("credential"), ChangedMeanwhile("credential") when it has another version by now, DuplicateName.
        """
        ...

    async def remove(self, credential_id: CredentialId) -> None:
        """NotFound("credential") when it is unknown here."""
        ...


class Coolings(Protocol):
    """Which credentials rest after a refusal of their vendor."""

    async def put(self, cooling: Cooling) -> None:
        """The later rest of one credential replaces the earlier; of one that is gone nothing is kept."""
        ...

    async def clear(self, credential_id: CredentialId) -> None: ...
    async def all(self) -> Sequence[Cooling]:
        """Those that are over may be among them."""
        ...


class Models(Protocol):
    """Models that only the tenant knows, and those of any kind that it switched off."""

    async def add(self, model: CustomModel) -> bool:
        """False, and nothing changed, when the tenant has one of that reference."""
        ...

    async def remove(self, ref: ModelRef) -> None:
        """NotFound("model") when the tenant has no such model of its own."""
        ...

    async def custom(self) -> Sequence[CustomModel]: ...
    async def disable(self, ref: ModelRef, at: datetime) -> None: ...
    async def enable(self, ref: ModelRef) -> None: ...
    async def disabled(self) -> frozenset[ModelRef]: ...


class Caps(Protocol):
    async def put(self, cap: Cap) -> None:
        """Add the cap, or change the amount of the one with its id; DuplicateName when its subject has such a one."""
        ...

    async def one(self, cap_id: CapId) -> Cap:
        """NotFound("cap") when it is unknown here."""
        ...

    async def all(self) -> Sequence[Cap]: ...
    async def remove(self, cap_id: CapId) -> None:
        """With its windows; NotFound("cap") when it is unknown here."""
        ...


class Choices(Protocol):
    """What the tenant chose: a default model per type, and the key source it prefers per provider."""

    async def put_default(self, model: ModelRef) -> None: ...
    async def clear_default(self, model_type: ModelType) -> None: ...
    async def defaults(self) -> Mapping[ModelType, ModelRef]: ...
    async def put_preferred(self, provider: str, source: KeySource) -> None: ...
    async def preferred(self) -> Mapping[str, KeySource]: ...


class Pots(Protocol):
    async def add(self, pot: Pot) -> None: ...
    async def all(self, at: datetime | None = None) -> Sequence[Pot]:
        """The tenant's pots in spending order: paid, free, trial, then by id, and caps' windows. Balances are live.

        With `at`, without the windows that had closed by then, which are ever more.
        """
        ...


class Grants(Protocol):
    async def page(self, *, first: int, after: GrantId | None = None) -> Sequence[Grant]:
        """Up to `first` grants, newest first, from behind `after`."""
        ...


class Records(Protocol):
    async def uses(self, since: datetime) -> Mapping[ModelRef, int]:
        """How many calls succeeded per model since then."""
        ...

    async def one(self, call_id: CallId) -> CallRecord:
        """NotFound("call") when it is unknown here."""
        ...

    async def some(self, call_ids: Collection[CallId]) -> Sequence[CallRecord]:
        """Those of these ids that there are, in no order."""
        ...

    async def page(self, which: UsageFilter, *, first: int, after: Place | None = None) -> Sequence[CallRecord]:
        """Up to `first` records, newest first, from behind `after`."""
        ...

    async def totals(
        self, which: UsageFilter, by: Collection[Dimension] = (), zone: tzinfo = UTC
    ) -> Sequence[UsageTotal]:
        """The sums of the records by these dimensions and by currency, in the order of their groups' keys.

        Days are those of `zone`. InvalidRange("by") when there would be more than 10,000.
        """
        ...

    async def last_used(self, credential_ids: Collection[CredentialId]) -> Mapping[CredentialId, datetime]:
        """When a call was last sent with each; those that never were are left out."""
        ...

    async def users_of(
        self, credential_ids: Collection[CredentialId], since: datetime
    ) -> Mapping[CredentialId, Sequence[CredentialUse]]:
        """Which clients sent calls with each since then, the latest first; those without any are left out."""
        ...


class Leftovers(Protocol):
    async def remove(self, what: Leftover, before: datetime, *, most: int) -> int:
        """Remove up to `most` of what is the tenant's and ended before; how many there were.

        A hold goes when it is closed, a window when no hold is left on it. What somebody is at work on stays.
        """
        ...


class Work(Protocol):
    """A unit of work, bound to one tenant when it begins; leaving it cleanly commits, an exception rolls back."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *failure: object) -> None: ...

    @property
    def tenants(self) -> Tenants: ...
    @property
    def keys(self) -> TenantKeys: ...
    @property
    def clients(self) -> Clients: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def members(self) -> Members: ...
    @property
    def invitations(self) -> Invitations: ...
    @property
    def consents(self) -> Consents: ...
    @property
    def codes(self) -> Codes: ...
    @property
    def refresh_tokens(self) -> RefreshTokens: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def assertions(self) -> Assertions: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def envelopes(self) -> Envelopes: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def coolings(self) -> Coolings: ...
    @property
    def models(self) -> Models: ...
    @property
    def caps(self) -> Caps: ...
    @property
    def choices(self) -> Choices: ...
    @property
    def pots(self) -> Pots: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def records(self) -> Records: ...
    @property
    def leftovers(self) -> Leftovers: ...


Begin = Callable[[TenantId], Work]


class RollCall(Protocol):
    """The ids of all open tenants: the one look across tenants that a use case has, and all that it shows of them."""

    async def __call__(self, *, first: int, after: TenantId | None = None) -> Sequence[TenantId]:
        """Up to `first` of them, ascending, from behind `after`."""
        ...
