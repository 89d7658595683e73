"""Providers and models, with what this tenant can do with them."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Self, TypeVar

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Context, Info
from api.graphql.fields import field
from api.graphql.ids import model_id, node_id, parsed
from api.graphql.nodes import Node, or_none
from domain.model import catalogue
from domain.model.access import Scope
from domain.model.catalogue import Feature, FieldKind, ModelType, ProviderKind
from domain.model.labels import Language, Text
from domain.model.selection import KeySource, Status
from domain.usecases.browsing import Offered, Shown

E = TypeVar("E", bound=Enum)

InLanguage = Annotated[Language, strawberry.argument(description="The language of the label.")]
OfType = Annotated[ModelType | None, strawberry.argument(name="type", description="Only those of this type.")]
OfProvider = Annotated[str | None, strawberry.argument(description="Only those of this provider, by its name.")]


@strawberry.type(description="One field of a credential form.")
class FormField:
    label_text: strawberry.Private[Text]
    name: str = strawberry.field(description="The vendor's own name for it, and the name to send it under.")
    kind: FieldKind = strawberry.field(description="What is entered.")
    required: bool = strawberry.field(description="Whether it must be filled in.")
    default: str | None = strawberry.field(description="What holds when it is left out.")
    options: list[str] = strawberry.field(description="What a select offers.")
    for_types: list[ModelType] = strawberry.field(description="The model types that it is for; empty means all.")
    max_length: int = strawberry.field(description="The most characters it takes.")

    @field("What to write beside it.")
    def label(self, language: InLanguage = Language.EN) -> str:
        return self.label_text.within(language)

    @classmethod
    def of(cls, row: catalogue.FormField) -> Self:
        return cls(
            label_text=row.label,
            name=row.name,
            kind=row.kind,
            required=row.required,
            default=row.default,
            options=list(row.options),
            for_types=_in_order(ModelType, row.for_types),
            max_length=row.max_length,
        )


@strawberry.type(description="What a model costs at its vendor.")
class Price:
    input: Decimal | None = strawberry.field(description="Money for `per` units in; null when unknown.")
    output: Decimal | None = strawberry.field(description="Money for `per` units out; null when unknown.")
    per: int = strawberry.field(description="How many tokens, characters or seconds the price is for.")
    currency: str = strawberry.field(description="The currency (ISO 4217).")


@strawberry.type(description="A model of a provider: one of the catalogue, or a hosted one that the tenant added.")
class Model(Node):
    label_text: strawberry.Private[Text]
    name: str = strawberry.field(description="The vendor's name for it.")
    provider: str = strawberry.field(description="The name of its provider.")
    type: ModelType = strawberry.field(description="What it does.")
    features: list[Feature] = strawberry.field(description="What it can do that not every model can.")
    context: int | None = strawberry.field(description="How many tokens it can read.")
    max_output: int | None = strawberry.field(description="How many tokens it can write.")
    dimensions: int | None = strawberry.field(description="The length of its vectors.")
    price: Price | None = strawberry.field(description="What it costs, if known.")
    retires: date | None = strawberry.field(description="The day on which its vendor ends it.")
    successor: str | None = strawberry.field(description="The name of the model to use then.")
    status: Status = strawberry.field(description="Whether this tenant can call it now.")
    status_reason: str | None = strawberry.field(description="Why it cannot be called, and what to do about it.")

    @field("What to show for its name.")
    def label(self, language: InLanguage = Language.EN) -> str:
        return self.label_text.within(language)

    @classmethod
    def of(cls, offered: Offered) -> Self:
        row = offered.model
        price = row.price
        return cls(
            id=model_id(row.ref),
            label_text=row.label,
            name=row.ref.name,
            provider=row.ref.provider,
            type=row.ref.type,
            features=_in_order(Feature, row.features),
            context=row.context,
            max_output=row.max_output,
            dimensions=row.dimensions,
            price=Price(input=price.input, output=price.output, per=price.per, currency=price.currency)
            if price
            else None,
            retires=row.retires,
            successor=row.successor,
            status=offered.availability.status,
            status_reason=offered.availability.reason,
        )


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
        for offered in await self.context.usecases.browsing.models(self.context.actor):
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
    configured: bool = strawberry.field(description="Whether the tenant has a credential here.")
    preferred_source: KeySource = strawberry.field(description="Whose key goes first here.")

    @field("What to show for its name.")
    def label(self, language: InLanguage = Language.EN) -> str:
        return self.row.label.within(language)

    @field("The credential form to fill in.")
    def form(self) -> list[FormField]:
        return [FormField.of(row) for row in self.row.form]

    @field("Its models: the catalogue's, then the tenant's hosted ones.")
    async def models(self, first: First = 50, after: After = None, of_type: OfType = None) -> Connection[Model]:
        cut = Cut(self.shelf.context, f"Provider.models {self.name} {of_type}", first, after)
        offered = await self.shelf.of(self.name)
        return _models(cut, [o for o in offered if of_type in (None, o.model.ref.type)])

    @classmethod
    def of(cls, shown: Shown, shelf: Shelf) -> Self:
        row = shown.provider
        return cls(
            id=node_id("Provider", row.id),
            shelf=shelf,
            row=row,
            name=row.id,
            kind=row.kind,
            types=_in_order(ModelType, row.types),
            key_page=row.key_page,
            configured=shown.configured,
            preferred_source=shown.preferred,
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

    @field("All providers, in the order in which to show them.", needs=Scope.PROVIDERS_READ)
    async def providers(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        of_type: OfType = None,
    ) -> Connection[Provider]:
        cut = Cut(info.context, f"providers {of_type}", first, after)
        shelf = Shelf(info.context)
        found = await info.context.usecases.browsing.providers(info.context.actor, of_type)
        return Connection(page=cut.of(found, lambda s: s.provider.id, lambda s: Provider.of(s, shelf)))

    @field("The models of all providers that the tenant can name.", needs=Scope.PROVIDERS_READ)
    async def models(
        self,
        info: Info,
        first: First = 50,
        after: After = None,
        of_type: OfType = None,
        provider: OfProvider = None,
    ) -> Connection[Model]:
        cut = Cut(info.context, f"models {of_type} {provider}", first, after)
        return _models(cut, await info.context.usecases.browsing.models(info.context.actor, of_type, provider))


async def provider(context: Context, name: str) -> Provider:
    """NotFound when there is no such provider."""
    return Provider.of(await context.usecases.browsing.provider(context.actor, name), Shelf(context))


def _models(cut: Cut, offered: Sequence[Offered]) -> Connection[Model]:
    return Connection(page=cut.of(offered, lambda o: f"{o.model.ref.type}:{o.model.ref}", Model.of))


def _in_order(kind: type[E], chosen: Collection[E]) -> list[E]:
    """The members of an enumeration that were chosen, in its own order."""
    return [member for member in kind if member in chosen]
