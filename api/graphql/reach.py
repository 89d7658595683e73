"""Which models an application may use, in and out; and the scopes it is given."""

from collections.abc import Iterable
from typing import Self

import strawberry

from api.graphql.model_names import ModelName, TypedModelInput
from domain.errors import InvalidRange
from domain.model import access
from domain.model.access import EVERYWHERE, Scope


@strawberry.type(description="Which models an application may use: those that either list names.")
class Reach:
    everything: bool = strawberry.field(description="Whether it may use all that the tenant may.")
    providers: list[str] = strawberry.field(description="The providers all of whose models it may use.")
    models: list[ModelName] = strawberry.field(description="The models that it may use beside those.")

    @classmethod
    def of(cls, reach: access.Reach) -> Self:
        models = [ModelName.of(model) for model in sorted(reach.models or ())]
        return cls(everything=reach == EVERYWHERE, providers=sorted(reach.providers or ()), models=models)


@strawberry.input(
    description="Which models an application may use: those that either list names. Without both lists, all that the "
    "tenant may; with empty ones, none."
)
class ReachInput:
    providers: list[str] | None = strawberry.field(default=None, description="Providers, by their names.")
    models: list[TypedModelInput] | None = strawberry.field(default=None, description="Models beside theirs.")

    def reach(self) -> access.Reach:
        models = None if self.models is None else frozenset(model.ref(model.type) for model in self.models)
        return access.Reach(None if self.providers is None else frozenset(self.providers), models)


def scopes_of(texts: Iterable[str]) -> frozenset[Scope]:
    """InvalidRange for what is no scope."""
    try:
        return frozenset(map(Scope, texts))
    except ValueError:
        raise InvalidRange("scopes", "must be scopes that there are, such as models:invoke") from None
