"""The default model of each type: reading it decides and writes nothing; choosing and clearing it write."""

from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.catalogue import ModelRef, ModelType
from domain.model.defaults import DefaultModel, default_model
from domain.model.selection import Platform, Standing, model_of, sources
from domain.ports import Begin, StandingReader


@dataclass(frozen=True, slots=True)
class Defaults:
    begin: Begin
    standing: StandingReader
    platform: Platform

    async def all(self, actor: Actor) -> tuple[DefaultModel, ...]:
        """One per model type, in the order of the types, each one that the actor may use."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self._standing(actor)
        return tuple(default_model(t, standing, self.platform) for t in ModelType)

    async def choose(self, actor: Actor, model: ModelRef) -> DefaultModel:
        """Make `model` the default of its type.

        NotFound, NoCredential, NotPermitted, ModelDisabled or CredentialRemoved when it cannot be called.
        """
        actor.require(Scope.DEFAULTS_WRITE)
        standing = await self._standing(actor)
        if model_of(model, standing, self.platform.catalogue) is None:
            raise NotFound("model")
        sources(model, standing, self.platform)
        async with self.begin(actor.tenant_id) as work:
            await work.choices.put_default(model)
            await work.audit.add(deed(actor, "default_model.set", model))
        return await self._now(actor, model.type)

    async def clear(self, actor: Actor, model_type: ModelType) -> DefaultModel:
        """Go back to the automatic default of this type, and return it."""
        actor.require(Scope.DEFAULTS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            await work.choices.clear_default(model_type)
            await work.audit.add(deed(actor, "default_model.cleared", model_type))
        return await self._now(actor, model_type)

    async def _now(self, actor: Actor, model_type: ModelType) -> DefaultModel:
        self.standing.forget(actor.tenant_id)
        return default_model(model_type, await self._standing(actor), self.platform)

    async def _standing(self, actor: Actor) -> Standing:
        return (await self.standing(actor.tenant_id)).within(actor.reach)
