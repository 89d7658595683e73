"""Adding, checking, showing, switching and removing a tenant's credentials."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.catalogue import Catalogue, FormValues, ModelRef, masked_part, public_part
from domain.model.credential import Credential, SealContext, Sealed, checked_weight
from domain.model.credential_scope import check_model, heir_of, hosted_model
from domain.model.ids import CredentialId
from domain.model.tenant import checked_name
from domain.ports import Begin, Clock, Fresh, Gateway, StandingReader, Vault, Work
from domain.usecases.alike import activated, activity, among_alike, prefer_own_if_first, uncapped
from domain.usecases.recording import record, recording_failure
from domain.usecases.sealing import sealed_into


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What an admin enters. `model` is required for hosted vendors, and refused for the others.

    `active` None makes it serve calls if nothing else of its scope does: a second key changes nothing that runs.
    """

    provider: str
    name: str
    values: FormValues
    model: ModelRef | None = None
    active: bool | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """The vendor accepted the form, at this origin, at this time."""

    endpoint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone, and the credential that became active in its place, if one did."""

    credential: Credential
    successor: Credential | None


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
        values, endpoint = self._form(new)
        checked = deed(actor, "credential.checked", new.provider)
        async with recording_failure(self.begin, actor.tenant_id, checked):
            proof = await self._proved(actor, new, values, endpoint)
        await record(self.begin, actor.tenant_id, checked)
        return proof

    async def add(self, actor: Actor, new: NewCredential) -> Credential:
        """Prove, seal under the tenant's key, store. After a failure, `check`'s or DuplicateName, nothing is.

        With the first credential of a hosted model the tenant has that model. InvalidRange for a name or weight.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        name, weight = checked_name(new.name), checked_weight(new.weight)
        values, endpoint = self._form(new)
        async with recording_failure(self.begin, actor.tenant_id, deed(actor, "credential.added", new.provider)):
            proof = await self._proved(actor, new, values, endpoint)
            stored = await self._stored(actor, replace(new, name=name, weight=weight, values=values), proof)
        self.standing.forget(actor.tenant_id)
        return stored

    async def one(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """NotFound when it is unknown to this tenant."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.one(credential_id)

    async def some(self, actor: Actor, credential_ids: Collection[CredentialId]) -> Sequence[Credential]:
        """Those of these ids that this tenant has, in no order."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.some(credential_ids)

    async def page(
        self,
        actor: Actor,
        *,
        first: int,
        after: CredentialId | None = None,
        provider: str | None = None,
        model: ModelRef | None = None,
        active: bool | None = None,
    ) -> Sequence[Credential]:
        """Up to `first` credentials, oldest first, from behind `after`: at a provider, or such that reach a model."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.page(first=first, after=after, provider=provider, model=model, active=active)

    async def switch(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """Make it the only active one of its scope; nothing is sent. NotFound when it is unknown.

        A rest goes on: its vendor asked for it, whichever key the tenant prefers. Alone, it is tried all the same.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            chosen, others = await among_alike(work, credential_id)
            chosen = await activated(work, chosen)
            for other in others:
                if other.active:
                    await work.credentials.put(replace(other, active=False), version=other.version)
            await work.audit.add(deed(actor, "credential.switched", chosen.id))
        self.standing.forget(actor.tenant_id)
        return chosen

    async def remove(self, actor: Actor, credential_id: CredentialId, successor: CredentialId | None = None) -> Removed:
        """Forget a credential, its sealed form and its caps; what is left of a trial serves again after the last one.

        A `successor` takes an active one's place. If the last active one of a scope goes and none is named, the one
        that was proved most recently does. NotFound when it is unknown, InvalidRange for a successor of another scope.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            gone, others = await among_alike(work, credential_id)
            heir = heir_of(gone, others, successor)
            await work.credentials.remove(credential_id)
            await uncapped(work, credential_id)
            if heir is not None:
                heir = await activated(work, heir)
            await work.audit.add(deed(actor, "credential.removed", gone.id))
        self.standing.forget(actor.tenant_id)
        return Removed(gone, heir)

    async def _stored(self, actor: Actor, new: NewCredential, proof: Proof) -> Credential:
        credential = Credential(
            tenant_id=actor.tenant_id,
            id=CredentialId(self.fresh()),
            provider=new.provider,
            name=new.name,
            model=new.model,
            public=public_part(new.values),
            masked=masked_part(new.values),
            endpoint=proof.endpoint,
            version=1,
            created_at=proof.at,
            proved_at=proof.at,
            weight=new.weight,
        )

        async def store(work: Work, sealed: Sealed) -> Credential:
            added = replace(credential, active=await activity(work, credential, new.active))
            await prefer_own_if_first(work, new.provider)
            await work.credentials.add(added, sealed)
            if added.model is not None:
                await work.models.add(hosted_model(added, added.model, self.catalogue.provider(added.provider)))
            await work.audit.add(deed(actor, "credential.added", added.id))
            return added

        return await sealed_into(self.begin, self.vault, SealContext.of(credential), new.values, store)

    def _form(self, new: NewCredential) -> tuple[FormValues, str]:
        """The values as its form takes them, and the origin that they are for; nothing is sent."""
        provider = self.catalogue.provider(new.provider)
        check_model(provider, new.model)
        values = provider.checked(new.values, new.model.type if new.model else None)
        return values, self.gateway.endpoint(provider.id, values)

    async def _proved(self, actor: Actor, new: NewCredential, values: FormValues, endpoint: str) -> Proof:
        await self.gateway.probe(new.provider, values, new.model, tenant=actor.tenant_id)
        return Proof(endpoint, self.clock())
