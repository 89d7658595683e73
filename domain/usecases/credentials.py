"""Adding, checking, showing and removing a tenant's credentials."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import InvalidRange
from domain.model.access import Actor, Scope
from domain.model.catalogue import Catalogue, FormValues, ModelRef, Provider, ProviderKind, masked_part, public_part
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.ids import CredentialId
from domain.model.selection import KeySource
from domain.model.tenant import checked_name
from domain.ports import Begin, Clock, Fresh, Gateway, StandingReader, Vault, Work
from domain.usecases.sealing import sealed_into


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What an admin enters. `model` is required for hosted vendors, and refused for the others."""

    provider: str
    name: str
    values: FormValues
    model: ModelRef | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """The vendor accepted the form, at this origin, at this time."""

    endpoint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    begin: Begin
    catalogue: Catalogue
    gateway: Gateway
    vault: Vault
    standing: StandingReader
    clock: Clock
    fresh: Fresh

    async def check(self, actor: Actor, new: NewCredential) -> Proof:
        """Prove a form against the vendor and store nothing.

        NotFound for an unknown provider, InvalidForm for a wrong form, an UpstreamError for what the vendor or the
        way to it says.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        _, proof = await self._proved(new)
        return proof

    async def add(self, actor: Actor, new: NewCredential) -> Credential:
        """Prove, seal under the tenant's key, store. After a failure, `check`'s or DuplicateName, nothing is."""
        actor.require(Scope.CREDENTIALS_WRITE)
        name = checked_name(new.name)
        values, proof = await self._proved(new)
        credential = Credential(
            tenant_id=actor.tenant_id,
            id=CredentialId(self.fresh()),
            provider=new.provider,
            name=name,
            model=new.model,
            public=public_part(values),
            masked=masked_part(values),
            endpoint=proof.endpoint,
            version=1,
            created_at=proof.at,
            proved_at=proof.at,
        )

        async def store(work: Work, sealed: Sealed) -> None:
            await _prefer_own_if_first(work, new.provider)
            await work.credentials.add(credential, sealed)

        await sealed_into(self.begin, self.vault, SealContext.of(credential), values, store)
        self.standing.forget(actor.tenant_id)
        return credential

    async def one(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """NotFound when it is unknown to this tenant."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.one(credential_id)

    async def page(
        self, actor: Actor, *, first: int, after: CredentialId | None = None, provider: str | None = None
    ) -> Sequence[Credential]:
        """Up to `first` credentials, oldest first, from behind `after`."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.page(first=first, after=after, provider=provider)

    async def remove(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """Forget a credential and its sealed form; what is left of a trial serves again. NotFound when unknown."""
        actor.require(Scope.CREDENTIALS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            credential = await work.credentials.one(credential_id)
            await work.credentials.remove(credential_id)
        self.standing.forget(actor.tenant_id)
        return credential

    async def _proved(self, new: NewCredential) -> tuple[FormValues, Proof]:
        provider = self.catalogue.provider(new.provider)
        _check_model(provider, new.model)
        values = provider.checked(new.values, new.model.type if new.model else None)
        endpoint = self.gateway.endpoint(provider.id, values)
        await self.gateway.probe(provider.id, values, new.model)
        return values, Proof(endpoint, self.clock())


async def _prefer_own_if_first(work: Work, provider: str) -> None:
    if not await work.credentials.page(first=1, provider=provider):
        await work.choices.put_preferred(provider, KeySource.OWN)


def _check_model(provider: Provider, model: ModelRef | None) -> None:
    if provider.kind is ProviderKind.PROPRIETARY:
        if model is not None:
            raise InvalidRange("model", "must be left out: one key of this provider reaches all its models")
        return
    if model is None or not model.name.strip():
        raise InvalidRange("model", "must be named: each model of this provider has a credential of its own")
    if model.type not in provider.types:
        raise InvalidRange("model", "must be of a type that this provider serves")
