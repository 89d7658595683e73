"""How models are named, in and out."""

from typing import Self

import strawberry

from api.graphql.ids import model_id
from domain.model.catalogue import ModelRef, ModelType


@strawberry.type(description="Names a model.")
class ModelName:
    id: strawberry.ID = strawberry.field(description="The model's global id; `node` gives the whole model.")
    provider: str = strawberry.field(description="The name of its provider.")
    name: str = strawberry.field(description="The vendor's name for it.")
    type: ModelType = strawberry.field(description="What it does.")

    @classmethod
    def of(cls, ref: ModelRef) -> Self:
        return cls(id=model_id(ref), provider=ref.provider, name=ref.name, type=ref.type)


@strawberry.input(description="Names a model whose type is clear from where it is named.")
class ModelInput:
    provider: str = strawberry.field(description="The name of its provider.")
    name: str = strawberry.field(description="The vendor's name for it.")

    def ref(self, model_type: ModelType) -> ModelRef:
        return ModelRef(self.provider, self.name, model_type)


@strawberry.input(description="Names a model and its type.")
class TypedModelInput(ModelInput):
    type: ModelType = strawberry.field(description="What it does.")


@strawberry.input(description="Names a model of a provider that is named beside it.")
class HostedModelInput:
    name: str = strawberry.field(description="The vendor's name for it.")
    type: ModelType = strawberry.field(description="What it does.")

    def ref(self, provider: str) -> ModelRef:
        return ModelRef(provider, self.name, self.type)
