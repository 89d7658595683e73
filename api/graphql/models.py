"""Models, with all that a settings page draws of one."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

import strawberry

from api.graphql.enums import in_order
from api.graphql.fields import field
from api.graphql.ids import model_id
from api.graphql.languages import InLanguage, shown
from api.graphql.nodes import Node
from api.graphql.parameters import ParameterRule
from api.graphql.scalars import BigInt
from domain.model import catalogue
from domain.model.catalogue import Feature, ModelType, PriceUnit
from domain.model.selection import Status
from domain.usecases.browsing import Offered

Speaking = Annotated[
    str | None, strawberry.argument(name="speaking", description="Only those of this language, a tag such as `ja`.")
]


@strawberry.type(description="What a model costs at its vendor.")
class Price:
    input: Decimal | None = strawberry.field(description="Money for `per` units in; null when unknown.")
    output: Decimal | None = strawberry.field(description="Money for `per` units out; null when unknown.")
    per: int = strawberry.field(description="How many units the price is for.")
    unit: PriceUnit = strawberry.field(description="What is counted.")
    currency: str = strawberry.field(description="The currency (ISO 4217).")


@strawberry.type(description="What one request to a model may carry; null where no limit is known.")
class Limits:
    texts: int | None = strawberry.field(description="How many texts it embeds at once.")
    characters: int | None = strawberry.field(description="How many characters it speaks at once.")
    bytes: BigInt | None = strawberry.field(description="How large a file it transcribes.")
    other_voices: bool = strawberry.field(
        description="Whether it may speak with more voices than are listed, such as those you made at its vendor."
    )
    formats: list[str] = strawberry.field(
        description="The endings of file names that it transcribes, or the formats that it speaks; empty when unknown."
    )


@strawberry.type(description="A voice of a model that speaks.")
class Voice:
    row: strawberry.Private[catalogue.Voice]

    @field("The vendor's own id, and the name to ask for it by.")
    def id(self) -> str:
        return self.row.id

    @field("What to show for its name.")
    def label(self, language: InLanguage = None) -> str:
        return shown(self.row.label, language)

    @field("The languages it speaks, as tags (RFC 5646); empty means any.")
    def languages(self) -> list[str]:
        return list(self.row.languages)


@strawberry.type(description="A model of a provider: one of the catalogue, or one that the tenant added.")
class Model(Node):
    row: strawberry.Private[catalogue.Model]
    status: Status = strawberry.field(description="Whether this tenant can call it now.")
    status_reason: str | None = strawberry.field(description="Why it cannot be called, and what to do about it.")

    @field("The vendor's name for it.")
    def name(self) -> str:
        return self.row.ref.name

    @field("What to show for its name.")
    def label(self, language: InLanguage = None) -> str:
        return shown(self.row.label, language)

    @field("The name of its provider.")
    def provider(self) -> str:
        return self.row.ref.provider

    @field("What it does.")
    def type(self) -> ModelType:
        return self.row.ref.type

    @field("What it can do that not every model can.")
    def features(self) -> list[Feature]:
        return in_order(Feature, self.row.features)

    @field("How many tokens it can read.")
    def context(self) -> int | None:
        return self.row.context

    @field("How many tokens it can write.")
    def max_output(self) -> int | None:
        return self.row.max_output

    @field("The length of its vectors.")
    def dimensions(self) -> int | None:
        return self.row.dimensions

    @field("What one request may carry.")
    def limits(self) -> Limits:
        row = self.row.limits
        size = None if row.bytes is None else BigInt(row.bytes)
        return Limits(
            texts=row.texts,
            characters=row.characters,
            bytes=size,
            other_voices=row.other_voices,
            formats=list(row.formats),
        )

    @field("The voices it speaks with, its usual one first.")
    def voices(self, speaking: Speaking = None) -> list[Voice]:
        return [Voice(row=row) for row in self.row.voices if speaking is None or row.speaks(speaking)]

    @field("What callers may tune.")
    def parameters(self) -> list[ParameterRule]:
        return [ParameterRule(row=rule) for rule in self.row.parameters]

    @field("What it costs, if known.")
    def price(self) -> Price | None:
        row = self.row.price
        if row is None:
            return None
        return Price(input=row.input, output=row.output, per=row.per, unit=self.row.priced_by, currency=row.currency)

    @field("The day on which its vendor ends it.")
    def retires(self) -> date | None:
        return self.row.retires

    @field("The name of the model to use then.")
    def successor(self) -> str | None:
        return self.row.successor

    @field("Whether it is hidden from lists because its vendor has ended it; it can still be named.")
    def deprecated(self) -> bool:
        return self.row.deprecated

    @field("Whether it is the tenant's own, and not the catalogue's.")
    def custom(self) -> bool:
        return self.row.custom

    @classmethod
    def of(cls, offered: Offered) -> Self:
        found = offered.availability
        return cls(id=model_id(offered.model.ref), row=offered.model, status=found.status, status_reason=found.reason)
