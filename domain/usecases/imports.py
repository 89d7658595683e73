"""Taking models over from a vendor's own list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from domain.errors import DuplicateName, FieldProblem, InvalidForm, InvalidRange, NoCredential, NotFound
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.catalogue import FieldKind, FormValues, ModelRef, ModelType, Provider, public_part
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.custom_model import CustomModel, is_name, is_size
from domain.model.ids import CredentialId
from domain.model.selection import Platform, Standing, model_of
from domain.ports import Begin, Clock, Fresh, Gateway, Keyring, ListedModel, StandingReader, Vault, Work
from domain.usecases.browsing import Offered
from domain.usecases.models import offered
from domain.usecases.recording import record, recording_failure
from domain.usecases.sealing import all_sealed_into

IMPORT_LIMIT = 200
_ACCESS = (FieldKind.SECRET, FieldKind.URL)


@dataclass(frozen=True, slots=True)
class VendorModel:
    """A model of the vendor's own list; `known` when the tenant can name it already."""

    listed: ListedModel
    known: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model to take over; `type` None takes the one that the list tells."""

    name: str
    type: ModelType | None = None


@dataclass(frozen=True, slots=True)
class Imports:
    begin: Begin
    standing: StandingReader
    platform: Platform
    gateway: Gateway
    keyring: Keyring
    vault: Vault
    clock: Clock
    fresh: Fresh

    async def listed(
        self, actor: Actor, provider: str, credential_id: CredentialId | None = None
    ) -> Sequence[VendorModel]:
        """The vendor's own list, as one of the tenant's keys there sees it; nothing is stored.

        What no model can be called is left out, and what no model can have is not told.

        UnsupportedFeature where the vendor has none, NotFound for the credential, NoCredential when there is no active
        one to ask with, else an UpstreamError.
        """
        actor.require(Scope.MODELS_WRITE)
        key = await self._key(actor, provider, credential_id)
        used = deed(actor, "credential.used", key.id)
        async with recording_failure(self.begin, actor.tenant_id, used):
            found = await self._list(actor, provider, await self.keyring.own(key))
        await record(self.begin, actor.tenant_id, used)
        standing = await self.standing(actor.tenant_id)
        return [VendorModel(each, self._is_known(provider, each, standing)) for each in found]

    async def take_over(
        self, actor: Actor, provider: str, wanted: Sequence[Wanted], credential_id: CredentialId | None = None
    ) -> Sequence[Offered]:
        """Make models of the vendor's list known; those that are known already stay as they are.

        At a hosted vendor each gets the key with which it was listed as a credential of its own. InvalidForm names the
        models that the list does not have, or whose type neither the list nor the caller tells. Else like `listed`.
        """
        actor.require(Scope.MODELS_WRITE)
        if not 1 <= len(wanted) <= IMPORT_LIMIT:
            raise InvalidRange("models", f"must have 1 to {IMPORT_LIMIT} entries")
        key = await self._key(actor, provider, credential_id)
        async with recording_failure(self.begin, actor.tenant_id, deed(actor, "credential.used", key.id)):
            models = await self._taken_over(actor, key, wanted)
        self.standing.forget(actor.tenant_id)
        standing = await self.standing(actor.tenant_id)
        return [offered(m.ref, standing, self.platform) for m in models]

    async def _taken_over(self, actor: Actor, key: Credential, wanted: Sequence[Wanted]) -> Sequence[CustomModel]:
        provider, form = key.provider, await self.keyring.own(key)
        served = self.platform.catalogue.provider(provider).types
        chosen = _chosen(wanted, await self._list(actor, provider, form), served)
        models = [self._model(actor, provider, each) for each in chosen]
        new = [m for m in models if self.platform.catalogue.model(m.ref) is None]
        alike = [self._alike(key, form, m) for m in new] if key.model else []

        async def store(work: Work, envelopes: Sequence[Sealed]) -> None:
            deeds = [deed(actor, "credential.used", key.id)]
            added = {m.ref: deed(actor, "model.imported", m.ref) for m in new if await work.models.add(m)}
            for (credential, _), sealed in zip(alike, envelopes, strict=True):
                if credential.model in added and await _add(work, credential, sealed):
                    deeds.append(deed(actor, "credential.added", credential.id))
            await work.audit.add(*deeds, *added.values())

        forms = [(SealContext.of(credential), values) for credential, values in alike]
        await all_sealed_into(self.begin, self.vault, actor.tenant_id, forms, store)
        return models

    async def _list(self, actor: Actor, provider: str, form: FormValues) -> Sequence[ListedModel]:
        found = await self.gateway.listed(provider, form, tenant=actor.tenant_id)
        return [_sound(each) for each in found if is_name(each.name)]

    async def _key(self, actor: Actor, provider: str, credential_id: CredentialId | None) -> Credential:
        """The credential named, or the oldest active one of the provider."""
        self.platform.catalogue.provider(provider)
        async with self.begin(actor.tenant_id) as work:
            if credential_id is not None:
                named = await work.credentials.one(credential_id)
                if named.provider != provider:
                    raise NotFound("credential")
                return named
            found = await work.credentials.page(first=IMPORT_LIMIT, provider=provider)
        active = next((c for c in found if c.active), None)
        if active is None:
            raise NoCredential(provider, inactive=len(found))
        return active

    def _is_known(self, provider: str, listed: ListedModel, standing: Standing) -> bool:
        types = [listed.type] if listed.type else list(ModelType)
        refs = (ModelRef(provider, listed.name, each) for each in types)
        return any(model_of(ref, standing, self.platform.catalogue) for ref in refs)

    def _model(self, actor: Actor, provider: str, chosen: tuple[ListedModel, ModelType]) -> CustomModel:
        listed, kind = chosen
        ref = ModelRef(provider, listed.name, kind)
        return CustomModel(actor.tenant_id, ref, listed.name, self.clock(), context=listed.context, imported=True)

    def _alike(self, key: Credential, form: FormValues, model: CustomModel) -> tuple[Credential, FormValues]:
        """The key with which the model was listed, as a credential of the model's own."""
        now = self.clock()
        values = _carried_over(self.platform.catalogue.provider(key.provider), form, model)
        credential = replace(
            key,
            id=CredentialId(self.fresh()),
            model=model.ref,
            public=public_part(values),
            version=1,
            created_at=now,
            proved_at=now,
            active=True,
            weight=1,
        )
        return credential, values


def _sound(listed: ListedModel) -> ListedModel:
    return listed if listed.context is None or is_size(listed.context) else replace(listed, context=None)


def _chosen(
    wanted: Sequence[Wanted], listed: Iterable[ListedModel], served: frozenset[ModelType]
) -> list[tuple[ListedModel, ModelType]]:
    by_name = {each.name: each for each in listed}
    problems, chosen = [], []
    for each in wanted:
        found = by_name.get(each.name)
        kind = each.type or (found.type if found else None)
        if found is None:
            problems.append(FieldProblem(each.name, "is not on the vendor's list"))
        elif kind is None:
            problems.append(FieldProblem(each.name, "needs a type: the vendor's list does not tell it"))
        elif kind not in served:
            problems.append(FieldProblem(each.name, "is of a type that this provider does not serve"))
        else:
            chosen.append((found, kind))
    if problems:
        raise InvalidForm(tuple(problems))
    return chosen


def _carried_over(provider: Provider, form: FormValues, model: CustomModel) -> FormValues:
    """What gives access, and the size that the list tells; what described the other model is left out."""
    mine = [f for f in provider.form if not f.for_types or model.ref.type in f.for_types]
    values = {f.name: form[f.name] for f in mine if f.name in form and (f.required or f.kind in _ACCESS)}
    sizes = {f.name: str(model.context) for f in mine if f.sets == "context" and model.context}
    return provider.checked({**values, **sizes}, model.ref.type)


async def _add(work: Work, credential: Credential, sealed: Sealed) -> bool:
    """A credential of that name that the model has already, from before it was removed, is left as it is."""
    try:
        await work.credentials.add(credential, sealed)
    except DuplicateName:
        return False
    return True
