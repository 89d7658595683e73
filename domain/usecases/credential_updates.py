"""Changing a stored credential and proving it again, without its secrets reaching a place they were not entered for."""

from dataclasses import dataclass, replace

from domain.errors import ChangedMeanwhile, UpstreamError
from domain.model.access import Actor, Scope
from domain.model.catalogue import Catalogue, FormValues, masked_part, public_part
from domain.model.cooling import rest_after
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.credential_change import CredentialChange, GivenFields, check_kept_secrets
from domain.model.ids import CredentialId
from domain.ports import Begin, Clock, Gateway, StandingReader, Vault, Work
from domain.usecases.alike import among_alike
from domain.usecases.credentials import Proof
from domain.usecases.sealing import sealed_into


@dataclass(frozen=True, slots=True)
class CredentialUpdates:
    begin: Begin
    catalogue: Catalogue
    gateway: Gateway
    vault: Vault
    standing: StandingReader
    clock: Clock

    async def check(self, actor: Actor, credential_id: CredentialId, fields: GivenFields) -> Proof:
        """Prove the form as it would be with these fields changed, and store nothing. Fails like `update`."""
        actor.require(Scope.CREDENTIALS_WRITE)
        _, proof = await self._proved(await self._stored(actor, credential_id), CredentialChange(fields=fields))
        return proof

    async def update(self, actor: Actor, credential_id: CredentialId, change: CredentialChange) -> Credential:
        """Change what is given. A form that changes is proved first, sealed as a new version, and rests no longer.

        Before anything is sent, InvalidForm names each secret that must be entered again, as its host or party changes.
        NotFound, DuplicateName, ChangedMeanwhile when another replaced the form, CredentialUnreadable when a stored
        secret is needed and cannot be opened, and an UpstreamError when the vendor does not accept the form.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        stored = await self._stored(actor, credential_id)
        changed = await (self._replaced(stored, change) if change.touches_form(stored) else self._kept(stored, change))
        self.standing.forget(actor.tenant_id)
        return changed

    async def prove(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """Prove the stored form again. Accepted, it rests no longer; refused, it rests as if a call had been.

        NotFound, ChangedMeanwhile, CredentialUnreadable, or the UpstreamError that the vendor refused it with.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        stored = await self._stored(actor, credential_id)
        values = await self._opened(stored)
        try:
            await self.gateway.probe(stored.provider, values, stored.model)
        except UpstreamError as failure:
            await self._rest(stored, failure)
            raise
        return await self._proved_again(stored)

    async def _stored(self, actor: Actor, credential_id: CredentialId) -> Credential:
        async with self.begin(actor.tenant_id) as work:
            return await work.credentials.one(credential_id)

    async def _opened(self, credential: Credential) -> FormValues:
        """The form of this very version: its secrets belong to this version's endpoint and to no other's."""
        async with self.begin(credential.tenant_id) as work:
            sealed = await work.credentials.sealed(credential.id)
            key = await work.keys.one(sealed.key_id)
        return await self.vault.open(key, SealContext.of(credential), sealed)

    async def _proved(self, stored: Credential, change: CredentialChange) -> tuple[FormValues, Proof]:
        provider = self.catalogue.provider(stored.provider)
        known = await self._opened(stored) if change.kept_secrets(stored) else stored.public
        model_type = stored.model.type if stored.model else None
        values = provider.checked(change.form(provider, known), model_type)
        endpoint = self.gateway.endpoint(provider.id, values)
        check_kept_secrets(change, stored, provider, values, endpoint)
        await self.gateway.probe(provider.id, values, stored.model)
        return values, Proof(endpoint, self.clock())

    async def _replaced(self, stored: Credential, change: CredentialChange) -> Credential:
        values, proof = await self._proved(stored, change)
        context = replace(SealContext.of(stored), version=stored.version + 1)

        async def store(work: Work, sealed: Sealed) -> Credential:
            current = change.beside_form(await _unchanged(work, stored))
            renewed = replace(
                current,
                public=public_part(values),
                masked=masked_part(values),
                endpoint=proof.endpoint,
                version=context.version,
                proved_at=proof.at,
            )
            await work.credentials.put(renewed, sealed, version=stored.version)
            await work.coolings.clear(stored.id)
            return renewed

        return await sealed_into(self.begin, self.vault, context, values, store)

    async def _kept(self, stored: Credential, change: CredentialChange) -> Credential:
        async with self.begin(stored.tenant_id) as work:
            current, _ = await among_alike(work, stored.id)
            changed = change.beside_form(current)
            if changed != current:
                await work.credentials.put(changed, version=current.version)
            return changed

    async def _proved_again(self, stored: Credential) -> Credential:
        async with self.begin(stored.tenant_id) as work:
            proved = replace(await _unchanged(work, stored), proved_at=self.clock())
            await work.credentials.put(proved, version=stored.version)
            await work.coolings.clear(stored.id)
        self.standing.forget(stored.tenant_id)
        return proved

    async def _rest(self, stored: Credential, failure: UpstreamError) -> None:
        rest = rest_after(failure)
        if rest is None:
            return
        async with self.begin(stored.tenant_id) as work:
            await _unchanged(work, stored)
            await work.coolings.put(rest.of(stored.id, self.clock()))
        self.standing.forget(stored.tenant_id)


async def _unchanged(work: Work, stored: Credential) -> Credential:
    """The credential as it is until `work` ends; ChangedMeanwhile when its form is no longer the one of `stored`."""
    current, _ = await among_alike(work, stored.id)
    if current.version != stored.version:
        raise ChangedMeanwhile("credential")
    return current
