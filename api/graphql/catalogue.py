"""Providers and models, with what this tenant can do with them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Self

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Context, Info
from api.graphql.enums import in_order
from api.graphql.fields import field
from api.graphql.forms import FormField
from api.graphql.icons import monogram
from api.graphql.ids import node_id, parsed
from api.graphql.languages import InLanguage, shown
from api.graphql.models import Model
from api.graphql.nodes import Node, or_none
from domain.model import catalogue
from domain.model.access import Scope
from domain.model.catalogue import Feature, ModelType, ProviderKind
from domain.model.selection import KeySource, Status
from domain.usecases.browsing import SEARCH_LIMIT, ModelFilter, Offered, ProviderFilter, Shown

_SOUGHT = f"whatever their case, at most {SEARCH_LIMIT} characters."
Search = Annotated[
    str | None,
    strawberry.argument(description=f"Only those with all of these words in their names or labels, {_SOUGHT}"),
]
OfType = Annotated[ModelType | None, strawberry.argument(name="type", description="Only those of this type.")]
OfProvider = Annotated[str | None, strawberry.argument(description="Only those of this provider, by its name.")]
Configured = Annotated[
    bool | None, strawberry.argument(description="Only those where the tenant has a credential, or has none.")
]
Features = Annotated[list[Feature] | None, strawberry.argument(description="Only those that can do all of this.")]
WithStatus = Annotated[Status | None, strawberry.argument(description="Only those with this status.")]
Deprecated = Annotated[bool, strawberry.argument(description="Whether deprecated models are listed too.")]


class Shelf:
    """All that the tenant is offered, read at most once, when the first provider is asked for its models."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._reading: asyncio.Future[dict[str, list[Offered]]] | None = None

    async def of(self, provider: str) -> Sequence[Offered]:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._by_provider())
        return (await self._reading).get(provider, ())

    async def _by_provider(self) -> dict[str, list[Offered]]:
        found: dict[str, list[Offered]] = {}
        everything = ModelFilter(deprecated=True)
        for offered in await self.context.usecases.browsing.models(self.context.actor, everything):
            found.setdefault(offered.model.ref.provider, []).append(offered)
        return found


@strawberry.type(description="A vendor of models.")
class Provider(Node):
    shelf: strawberry.Private[Shelf]
    row: strawberry.Private[catalogue.Provider]
    name: str = strawberry.field(description="The vendor's own id, such as `openai`.")
    kind: ProviderKind = strawberry.field(description="How its credentials and models belong together.")
    types: list[ModelType] = strawberry.field(description="The types of model it serves.")
    key_page: str | None = strawberry.field(description="Where the vendor hands out keys.")
    help_url: str | None = strawberry.field(description="Where to look for help with the form: the page of keys.")
    configured: bool = strawberry.field(description="Whether the tenant has a credential here.")
    preferred_source: KeySource = strawberry.field(description="Whose key goes first here.")

    @field("What to show for its name.")
    def label(self, language: InLanguage = None) -> str:
        return shown(self.row.label, language)

    @field("What the vendor offers.")
    def description(self, language: InLanguage = None) -> str | None:
        return shown(self.row.description, language) if self.row.description else None

    @field("A picture of its initials, as a data URI of an SVG; vendors' logos are their own.")
    def icon(self) -> str:
        return monogram(self.row.label.en)

    @field("Whether the vendor's own list of models can be imported.")
    def lists_models(self) -> bool:
        return self.row.lists_models

    @field("The credential form to fill in.")
    def form(self, of_type: OfType = None) -> list[FormField]:
        return [FormField.of(row) for row in self.row.form if not row.for_types or of_type in (None, *row.for_types)]

    @field("Its models: the catalogue's, then the tenant's own.", needs=Scope.PROVIDERS_READ)
    async def models(
        self,
        first: First = 50,
        after: After = None,
        search: Search = None,
        of_type: OfType = None,
        features: Features = None,
        status: WithStatus = None,
        deprecated: Deprecated = False,
    ) -> Connection[Model]:
        wanted = ModelFilter(search or "", of_type, None, frozenset(features or ()), status, deprecated)
        cut = Cut(self.shelf.context, f"Provider.models {self.name} {_named(wanted)}", first, after)
        return _models(cut, [offered for offered in await self.shelf.of(self.name) if wanted.fits(offered)])

    @classmethod
    def of(cls, offered: Shown, shelf: Shelf) -> Self:
        row = offered.provider
        return cls(
            id=node_id("Provider", row.id),
            shelf=shelf,
            row=row,
            name=row.id,
            kind=row.kind,
            types=in_order(ModelType, row.types),
            key_page=row.key_page,
            help_url=row.key_page,
            configured=offered.configured,
            preferred_source=offered.preferred,
        )


@strawberry.type
class CatalogueQueries:
    @field("A provider; null when there is none.", needs=Scope.PROVIDERS_READ)
    async def provider(
        self,
        info: Info,
        provider_id: Annotated[
            strawberry.ID,
            strawberry.argument(name="id", description="Its global id, or the vendor's own, such as `openai`."),
        ],
    ) -> Provider | None:
        kind, key = parsed(provider_id)
        return await or_none(provider(info.context, key if kind == "Provider" else provider_id))

    @field("The providers, in the order in which to show them.", needs=Scope.PROVIDERS_READ)
    async def providers(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        search: Search = None,
        of_type: OfType = None,
        configured: Configured = None,
    ) -> Connection[Provider]:
        wanted = ProviderFilter(search or "", of_type, configured)
        cut = Cut(info.context, f"providers {wanted.search!r} {of_type} {configured}", first, after)
        shelf = Shelf(info.context)
        found = await info.context.usecases.browsing.providers(info.context.actor, wanted)
        return Connection(page=cut.of(found, lambda s: s.provider.id, lambda s: Provider.of(s, shelf)))

    @field("The models of all providers that the tenant can name.", needs=Scope.PROVIDERS_READ)
    async def models(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        search: Search = None,
        of_type: OfType = None,
        provider: OfProvider = None,
        features: Features = None,
        status: WithStatus = None,
        deprecated: Deprecated = False,
    ) -> Connection[Model]:
        wanted = ModelFilter(search or "", of_type, provider, frozenset(features or ()), status, deprecated)
        cut = Cut(info.context, f"models {provider!r} {_named(wanted)}", first, after)
        return _models(cut, await info.context.usecases.browsing.models(info.context.actor, wanted))


async def provider(context: Context, name: str) -> Provider:
    """NotFound when there is no such provider."""
    return Provider.of(await context.usecases.browsing.provider(context.actor, name), Shelf(context))


def _models(cut: Cut, offered: Sequence[Offered]) -> Connection[Model]:
    return Connection(page=cut.of(offered, lambda o: f"{o.model.ref.type}:{o.model.ref}", Model.of))


def _named(wanted: ModelFilter) -> str:
    """The same for the same filter in every process, whatever the order of its features."""
    return f"{wanted.search!r} {wanted.type} {sorted(wanted.features)} {wanted.status} {wanted.deprecated}"
