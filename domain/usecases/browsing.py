"""What a settings page shows: providers and models with what this tenant can do with them."""

from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import Actor, Scope
from domain.model.catalogue import Model, ModelRef, ModelType, Provider
from domain.model.selection import (
    Availability,
    KeySource,
    Platform,
    Standing,
    availability,
    model_of,
    models,
    preferred,
)
from domain.ports import StandingReader


@dataclass(frozen=True, slots=True)
class Shown:
    """A provider beside what the tenant has there."""

    provider: Provider
    configured: bool
    preferred: KeySource


@dataclass(frozen=True, slots=True)
class Offered:
    """A model beside whether the tenant can call it now."""

    model: Model
    availability: Availability


@dataclass(frozen=True, slots=True)
class Browsing:
    standing: StandingReader
    platform: Platform

    async def providers(self, actor: Actor, model_type: ModelType | None = None) -> tuple[Shown, ...]:
        """All providers, or those that serve one model type, in the catalogue's order."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self.standing(actor.tenant_id)
        found = self.platform.catalogue.providers
        return tuple(_shown(p, standing) for p in found if model_type is None or model_type in p.types)

    async def provider(self, actor: Actor, provider_id: str) -> Shown:
        """NotFound when there is no such provider."""
        actor.require(Scope.PROVIDERS_READ)
        return _shown(self.platform.catalogue.provider(provider_id), await self.standing(actor.tenant_id))

    async def models(
        self, actor: Actor, model_type: ModelType | None = None, provider: str | None = None
    ) -> tuple[Offered, ...]:
        """The catalogue's models and the tenant's hosted ones, of one type and provider if asked."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self.standing(actor.tenant_id)
        return tuple(
            Offered(m, availability(m.ref, standing, self.platform))
            for m in models(standing, self.platform.catalogue)
            if model_type in (None, m.ref.type) and provider in (None, m.ref.provider)
        )

    async def model(self, actor: Actor, ref: ModelRef) -> Offered:
        """NotFound when neither the catalogue nor the tenant knows it."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self.standing(actor.tenant_id)
        found = model_of(ref, standing, self.platform.catalogue)
        if found is None:
            raise NotFound("model")
        return Offered(found, availability(ref, standing, self.platform))


def _shown(provider: Provider, standing: Standing) -> Shown:
    configured = any(c.provider == provider.id for c in standing.credentials)
    return Shown(provider, configured, preferred(provider.id, standing))
