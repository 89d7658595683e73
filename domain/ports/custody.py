"""What this process remembers of tenants: their standing, their keys, and their opened forms."""

from typing import Protocol

from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.selection import Standing
from domain.model.tenant import TenantKey


class Remembers(Protocol):
    """What a process keeps of tenants for the time of a lease; other processes keep theirs until it is over."""

    def forget(self, tenant_id: TenantId) -> None:
        """Drop all that this process keeps of that tenant."""
        ...


class StandingReader(Remembers, Protocol):
    """A tenant's standing, at most a lease of 2 s old."""

    async def __call__(self, tenant_id: TenantId) -> Standing: ...


class Vault(Remembers, Protocol):
    """Key pairs and envelopes. Everything heavy runs off the event loop. Private keys are remembered for 600 s."""

    @property
    def master_key_id(self) -> str:
        """The master key under which it wraps; it may know older ones beside it."""
        ...

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey: ...
    async def rewrapped(self, key: TenantKey) -> TenantKey:
        """The same pair, its private half wrapped under `master_key_id`; CredentialUnreadable when it cannot be."""
        ...

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        """Needs only the public half of `key`."""
        ...

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        """The form with its secrets wrapped; CredentialUnreadable when anything does not fit."""
        ...


class Keyring(Remembers, Protocol):
    """Opened forms, ready to send: a tenant's own by credential, remembered for 60 s, and the platform's."""

    async def own(self, credential: Credential) -> FormValues:
        """The form as it is now. CredentialUnreadable when it cannot be opened, NotFound when it was removed."""
        ...

    def platform(self, provider: str) -> FormValues: ...
