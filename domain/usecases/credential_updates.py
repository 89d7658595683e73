"""Changing a stored credential and proving it again, without its secrets reaching a place they were not entered for."""

from dataclasses import dataclass, replace

from domain.errors import ChangedMeanwhile, UpstreamError
from domain.model.access import Actor, Scope
from domain.model.audit import Deed, deed
from domain.model.catalogue import Catalogue, FormValues, masked_part, public_part
from domain.model.cooling import rest_after
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.credential_change import CredentialChange, GivenFields, check_kept_secrets
from domain.model.ids import CredentialId
from domain.model.tenant import TenantKey
from domain.ports import Begin, Clock, Gateway, StandingReader, Vault, Work
from domain.usecases.alike import among_alike
from domain.usecases.credentials import Proof
from domain.usecases.recording import record, recording_failure
from domain.usecases.sealing import sealed_into


@dataclass(frozen=True, slots=True)
class _Stored:
    """A credential with all that opens its form."""

    credential: Credential
    sealed: Sealed
    key: TenantKey


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
        stored = await self._stored(actor, credential_id)
        checked = deed(actor, "credential.checked", credential_id)
        async with recording_failure(self.begin, actor.tenant_id, checked):
            _, proof = await self._proved(stored, CredentialChange(fields=fields))
        await record(self.begin, actor.tenant_id, checked)
        return proof

    async def update(self, actor: Actor, credential_id: CredentialId, change: CredentialChange) -> Credential:
        """Change what is given. A form that changes is proved first, sealed as a new version, and rests no longer.

        Before anything is sent, InvalidForm names each secret that must be entered again, as its host or party changes.
        NotFound, DuplicateName, ChangedMeanwhile when another replaced the form, CredentialUnreadable when a stored
        secret is needed and cannot be opened, and an UpstreamError when the vendor does not accept the form.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        stored = await self._stored(actor, credential_id)
        updated = deed(actor, "credential.updated", credential_id)
        if change.touches_form(stored.credential):
            async with recording_failure(self.begin, actor.tenant_id, updated):
                changed = await self._replaced(stored, change, updated)
        else:
            changed = await self._kept(stored.credential, change, updated)
        self.standing.forget(actor.tenant_id)
        return changed

    async def prove(self, actor: Actor, credential_id: CredentialId) -> Credential:
        """Prove the stored form again. Accepted, it rests no longer; refused, it rests as if a call had been.

        NotFound, ChangedMeanwhile, CredentialUnreadable, or the UpstreamError that the vendor refused it with.
        """
        actor.require(Scope.CREDENTIALS_WRITE)
        stored = await self._stored(actor, credential_id)
        verified = deed(actor, "credential.verified", credential_id)
        async with recording_failure(self.begin, actor.tenant_id, verified):
            await self._probed(stored.credential, await self._opened(stored))
            return await self._proved_again(stored.credential, verified)

    async def _stored(self, actor: Actor, credential_id: CredentialId) -> _Stored:
        """As it is at one moment: its secrets belong to this version's endpoint and to no other's."""
        async with self.begin(actor.tenant_id) as work:
            credential, _ = await among_alike(work, credential_id)
            sealed = await work.credentials.sealed(credential_id)
            return _Stored(credential, sealed, await work.keys.one(sealed.key_id))

    async def _opened(self, stored: _Stored) -> FormValues:
        return await self.vault.open(stored.key, SealContext.of(stored.credential), stored.sealed)

    async def _proved(self, stored: _Stored, change: CredentialChange) -> tuple[FormValues, Proof]:
        credential = stored.credential
        provider = self.catalogue.provider(credential.provider)
        known = await self._opened(stored) if change.kept_secrets(credential) else credential.public
        model_type = credential.model.type if credential.model else None
        values = provider.checked(change.form(provider, known), model_type)
        endpoint = self.gateway.endpoint(provider.id, values)
        check_kept_secrets(change, credential, provider, values, endpoint)
        await self.gateway.probe(provider.id, values, credential.model, tenant=credential.tenant_id)
        return values, Proof(endpoint, self.clock())

    async def _probed(self, credential: Credential, values: FormValues) -> None:
        try:
            await self.gateway.probe(credential.provider, values, credential.model, tenant=credential.tenant_id)
        except UpstreamError as failure:
            await self._rest(credential, failure)
            raise

    async def _replaced(self, stored: _Stored, change: CredentialChange, updated: Deed) -> Credential:
        values, proof = await self._proved(stored, change)
        before = stored.credential
        context = replace(SealContext.of(before), version=before.version + 1)

        async def store(work: Work, sealed: Sealed) -> Credential:
            current = change.beside_form(await _unchanged(work, before))
            renewed = replace(
                current,
                public=public_part(values),
                masked=masked_part(values),
                endpoint=proof.endpoint,
                version=context.version,
                proved_at=proof.at,
            )
            await work.credentials.put(renewed, sealed, version=before.version)
            await work.coolings.clear(before.id)
            await work.audit.add(updated)
            return renewed

        return await sealed_into(self.begin, self.vault, context, values, store)

    async def _kept(self, stored: Credential, change: CredentialChange, updated: Deed) -> Credential:
        async with self.begin(stored.tenant_id) as work:
            current, _ = await among_alike(work, stored.id)
            changed = change.beside_form(current)
            if changed != current:
                await work.credentials.put(changed, version=current.version)
                await work.audit.add(updated)
            return changed

    async def _proved_again(self, stored: Credential, verified: Deed) -> Credential:
        async with self.begin(stored.tenant_id) as work:
            proved = replace(await _unchanged(work, stored), proved_at=self.clock())
            await work.credentials.put(proved, version=stored.version)
            await work.coolings.clear(stored.id)
            await work.audit.add(verified)
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
