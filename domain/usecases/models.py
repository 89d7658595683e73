"""A tenant's own models, and switching models of any kind off and on."""

from dataclasses import dataclass

from domain.errors import DuplicateName, InvalidRange, NotFound
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.catalogue import ModelRef, ProviderKind
from domain.model.custom_model import CustomModel
from domain.model.selection import Platform, Standing, availability, model_of
from domain.ports import Begin, Clock, StandingReader
from domain.usecases.alike import uncapped
from domain.usecases.browsing import Offered

_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Removed:
    """A model of the tenant's own as it was, and how many credentials, which reached nothing else, went with it."""

    model: CustomModel
    credentials: int


@dataclass(frozen=True, slots=True)
class Models:
    begin: Begin
    standing: StandingReader
    platform: Platform
    clock: Clock

    async def add(self, actor: Actor, model: CustomModel) -> Offered:
        """Make a model known that the catalogue lacks, at a vendor whose one key reaches all models.

        InvalidRange where models come with a credential of their own, DuplicateName for one that is known.
        """
        actor.require(Scope.MODELS_WRITE)
        model.check(self.platform.catalogue)
        if self.platform.catalogue.provider(model.ref.provider).kind is ProviderKind.HOSTED:
            raise InvalidRange("provider", "takes models with a credential for each: use addCredential or importModels")
        async with self.begin(actor.tenant_id) as work:
            if not await work.models.add(model):
                raise DuplicateName(model.ref.name)
            await work.audit.add(deed(actor, "model.added", model.ref))
        return await self._offered(actor, model.ref)

    async def remove(self, actor: Actor, ref: ModelRef) -> Removed:
        """Forget a model of the tenant's own, with the credentials that reach it alone. NotFound for any other."""
        actor.require(Scope.MODELS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            found = next((m for m in await work.models.custom() if m.ref == ref), None)
            if found is None:
                raise NotFound("model")
            own = [c for c in await work.credentials.page(first=_EVERY, provider=ref.provider) if c.model == ref]
            for credential in own:
                await work.credentials.remove(credential.id)
                await uncapped(work, credential.id)
            await work.models.enable(ref)
            await work.models.remove(ref)
            lost = (deed(actor, "credential.removed", credential.id) for credential in own)
            await work.audit.add(deed(actor, "model.removed", ref), *lost)
        self.standing.forget(actor.tenant_id)
        return Removed(found, len(own))

    async def switch(self, actor: Actor, ref: ModelRef, *, on: bool) -> Offered:
        """Let nobody of this tenant call the model, or let them again. NotFound when the tenant cannot name it."""
        actor.require(Scope.MODELS_WRITE)
        if model_of(ref, await self.standing(actor.tenant_id), self.platform.catalogue) is None:
            raise NotFound("model")
        async with self.begin(actor.tenant_id) as work:
            await (work.models.enable(ref) if on else work.models.disable(ref, self.clock()))
            await work.audit.add(deed(actor, "model.enabled" if on else "model.disabled", ref))
        return await self._offered(actor, ref)

    async def _offered(self, actor: Actor, ref: ModelRef) -> Offered:
        self.standing.forget(actor.tenant_id)
        return offered(ref, await self.standing(actor.tenant_id), self.platform)


def offered(ref: ModelRef, standing: Standing, platform: Platform) -> Offered:
    """A model that the tenant can name, beside whether it can be called."""
    row = model_of(ref, standing, platform.catalogue)
    if row is None:
        raise NotFound("model")
    return Offered(row, availability(ref, standing, platform))
