"""What a model lets its callers tune, as a page draws it."""

import strawberry

from api.graphql.fields import field
from api.graphql.languages import InLanguage, shown
from api.graphql.scalars import JSON
from domain.model import parameters
from domain.model.parameters import ParameterKind


@strawberry.type(description="One parameter of a model, and which values it takes.")
class ParameterRule:
    row: strawberry.Private[parameters.ParameterRule]

    @field("The name to send it under.")
    def name(self) -> str:
        return self.row.name

    @field("What to write beside it.")
    def label(self, language: InLanguage = None) -> str:
        return shown(self.row.label, language)

    @field("What it does.")
    def help(self, language: InLanguage = None) -> str | None:
        return shown(self.row.help, language) if self.row.help else None

    @field("What kind of value it takes.")
    def kind(self) -> ParameterKind:
        return self.row.kind

    @field("Whether it must be given.")
    def required(self) -> bool:
        return self.row.required

    @field("What the vendor takes when it is left out; null when unknown.")
    def default(self) -> JSON | None:
        return None if self.row.default is None else JSON(self.row.default)

    @field("The least value, or of texts how many; null without a bound.")
    def min(self) -> float | None:
        return self.row.min

    @field("The greatest value, or of texts how many; null without a bound.")
    def max(self) -> float | None:
        return self.row.max

    @field("How many decimals it takes; null for any.")
    def precision(self) -> int | None:
        return self.row.precision

    @field("The texts to choose from; empty means any.")
    def options(self) -> list[str]:
        return list(self.row.options)
