"""What a settings page shows: providers and models with what this tenant can do with them."""

from dataclasses import dataclass

from domain.errors import InvalidRange, NotFound
from domain.model.access import Actor, Scope
from domain.model.catalogue import Feature, Model, ModelRef, ModelType, Provider
from domain.model.labels import folded, mentions
from domain.model.selection import (
    Availability,
    KeySource,
    Platform,
    Standing,
    Status,
    availability,
    model_of,
    models,
    preferred,
)
from domain.ports import StandingReader

SEARCH_LIMIT = 100


def _check_search(search: str) -> None:
    if len(search) > SEARCH_LIMIT:
        raise InvalidRange("search", f"must have at most {SEARCH_LIMIT} characters")


def _words(search: str) -> list[str]:
    return folded(search).split()


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
class ProviderFilter:
    """Which providers to list: those that meet all that is said. Every word of `search` is in their id or labels."""

    search: str = ""
    type: ModelType | None = None
    configured: bool | None = None

    def __post_init__(self) -> None:
        _check_search(self.search)

    def fits(self, shown: Shown) -> bool:
        provider = shown.provider
        return (
            (self.type is None or self.type in provider.types)
            and (self.configured is None or self.configured is shown.configured)
            and (not self.search or mentions((provider.id, *provider.label.every), _words(self.search)))
        )


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """Which models to list: those that meet all that is said, and have every one of `features`.

    Every word of `search` is in their provider, name or labels. Deprecated ones are listed only where `deprecated`.
    """

    search: str = ""
    type: ModelType | None = None
    provider: str | None = None
    features: frozenset[Feature] = frozenset()
    status: Status | None = None
    deprecated: bool = False

    def __post_init__(self) -> None:
        _check_search(self.search)

    def fits(self, offered: Offered) -> bool:
        return self.status in (None, offered.availability.status) and self.covers(offered.model)

    def covers(self, model: Model) -> bool:
        """Whether it fits as far as can be told without its status."""
        ref = model.ref
        return (
            (self.deprecated or not model.deprecated)
            and (self.type is None or self.type is ref.type)
            and (self.provider is None or self.provider == ref.provider)
            and self.features <= model.features
            and (not self.search or mentions((str(ref), *model.label.every), _words(self.search)))
        )


@dataclass(frozen=True, slots=True)
class Browsing:
    standing: StandingReader
    platform: Platform

    async def providers(self, actor: Actor, wanted: ProviderFilter = ProviderFilter()) -> tuple[Shown, ...]:
        """The providers that are wanted and have something within the actor's reach, in the catalogue's order."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self.standing(actor.tenant_id)
        within = (provider for provider in self.platform.catalogue.providers if actor.reach.touches(provider.id))
        shown = (_shown(provider, standing) for provider in within)
        return tuple(each for each in shown if wanted.fits(each))

    async def provider(self, actor: Actor, provider_id: str) -> Shown:
        """NotFound when there is no such provider."""
        actor.require(Scope.PROVIDERS_READ)
        return _shown(self.platform.catalogue.provider(provider_id), await self.standing(actor.tenant_id))

    async def models(self, actor: Actor, wanted: ModelFilter = ModelFilter()) -> tuple[Offered, ...]:
        """The models that are wanted and within the actor's reach: the catalogue's, then the tenant's hosted ones."""
        actor.require(Scope.PROVIDERS_READ)
        standing = await self.standing(actor.tenant_id)
        within = (model for model in models(standing, self.platform.catalogue) if actor.reach.includes(model.ref))
        covered = (model for model in within if wanted.covers(model))
        offered = (Offered(model, availability(model.ref, standing, self.platform)) for model in covered)
        return tuple(each for each in offered if wanted.status in (None, each.availability.status))

    async def model(self, actor: Actor, ref: ModelRef) -> Offered:
        """NotFound when neither the catalogue nor the tenant knows it."""
        actor.require(Scope.PROVIDERS_READ)
        standing = (await self.standing(actor.tenant_id)).within(actor.reach)
        found = model_of(ref, standing, self.platform.catalogue)
        if found is None:
            raise NotFound("model")
        return Offered(found, availability(ref, standing, self.platform))


def _shown(provider: Provider, standing: Standing) -> Shown:
    configured = any(c.provider == provider.id for c in standing.credentials)
    return Shown(provider, configured, preferred(provider.id, standing))
