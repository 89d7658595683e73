"""Credential forms as they are to be drawn."""

from typing import Self

import strawberry

from api.graphql.enums import in_order
from api.graphql.fields import field
from api.graphql.languages import InLanguage, shown
from domain.model import catalogue
from domain.model.catalogue import FieldKind, ModelType
from domain.model.labels import Text


@strawberry.type(description="What another field must hold.")
class FieldCondition:
    field: str = strawberry.field(description="The name of a field that comes before.")
    value: str = strawberry.field(description="What it holds.")


@strawberry.type(description="One field of a credential form.")
class FormField:
    label_text: strawberry.Private[Text]
    name: str = strawberry.field(description="The vendor's own name for it, and the name to send it under.")
    kind: FieldKind = strawberry.field(description="What is entered.")
    required: bool = strawberry.field(description="Whether it must be filled in where it is shown.")
    default: str | None = strawberry.field(description="What holds when it is left out.")
    options: list[str] = strawberry.field(description="What a select offers.")
    for_types: list[ModelType] = strawberry.field(description="The model types that it is for; empty means all.")
    shown_when: list[FieldCondition] = strawberry.field(
        description="It is shown where all of these hold; elsewhere it must not be sent."
    )
    max_length: int = strawberry.field(description="The most characters it takes.")

    @field("What to write beside it.")
    def label(self, language: InLanguage = None) -> str:
        return shown(self.label_text, language)

    @classmethod
    def of(cls, row: catalogue.FormField) -> Self:
        return cls(
            label_text=row.label,
            name=row.name,
            kind=row.kind,
            required=row.required,
            default=row.default,
            options=list(row.options),
            for_types=in_order(ModelType, row.for_types),
            shown_when=[FieldCondition(field=name, value=value) for name, value in row.shown_when.items()],
            max_length=row.max_length,
        )
