"""The default model of each type: read, chosen, cleared."""

from typing import Annotated, Self

import strawberry

from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.model_names import ModelName, TypedModelInput
from api.graphql.problems import CredentialRemoved, ModelDisabled, NoCredential, NotFound, NotPermitted
from domain.model import defaults
from domain.model.access import Scope
from domain.model.catalogue import ModelType


@strawberry.type(description="The model that is called when none is named.")
class DefaultModel:
    type: ModelType = strawberry.field(description="The type it is the default of.")
    model: ModelName | None = strawberry.field(description="The model; null when no model of the type is usable.")
    automatic: bool = strawberry.field(description="True when Portunus chose it, false when the tenant did.")
    reason: str | None = strawberry.field(description="Why there is none, or why the chosen one cannot be used.")

    @classmethod
    def of(cls, default: defaults.DefaultModel) -> Self:
        model = ModelName.of(default.model) if default.model else None
        return cls(type=default.type, model=model, automatic=default.automatic, reason=default.reason)


@strawberry.input(description="Which model to make the default of its type.")
class SetDefaultModelInput:
    model: TypedModelInput = strawberry.field(description="The model.")


@strawberry.input(description="Which choice to take back.")
class ClearDefaultModelInput:
    type: ModelType = strawberry.field(description="The type whose default becomes automatic again.")


@strawberry.type(description="The choice is made.")
class SetDefaultModelPayload:
    default_model: DefaultModel = strawberry.field(description="The default of the type from now on.")


@strawberry.type(description="The choice is taken back.")
class ClearDefaultModelPayload:
    default_model: DefaultModel = strawberry.field(description="The default of the type from now on.")


SetDefaultModelResult = Annotated[
    SetDefaultModelPayload | NotFound | NoCredential | NotPermitted | ModelDisabled | CredentialRemoved,
    strawberry.union("SetDefaultModelResult", description="The new default, or why the model cannot be one."),
]
ClearDefaultModelResult = Annotated[
    ClearDefaultModelPayload,
    strawberry.union("ClearDefaultModelResult", description="The default that holds now."),
]


@strawberry.type
class DefaultQueries:
    @field("The default of every model type. Reading decides anew.", needs=Scope.PROVIDERS_READ)
    async def default_models(self, info: Info) -> list[DefaultModel]:
        return [DefaultModel.of(d) for d in await info.context.usecases.defaults.all(info.context.actor)]


@strawberry.type
class DefaultMutations:
    @mutation("Make a model the default of its type.", needs=Scope.DEFAULTS_WRITE)
    async def set_default_model(self, info: Info, given: Input[SetDefaultModelInput]) -> SetDefaultModelResult:
        ref = given.model.ref(given.model.type)
        chosen = await info.context.usecases.defaults.choose(info.context.actor, ref)
        return SetDefaultModelPayload(default_model=DefaultModel.of(chosen))

    @mutation("Go back to the automatic default of a type.", needs=Scope.DEFAULTS_WRITE)
    async def clear_default_model(self, info: Info, given: Input[ClearDefaultModelInput]) -> ClearDefaultModelResult:
        default = await info.context.usecases.defaults.clear(info.context.actor, given.type)
        return ClearDefaultModelPayload(default_model=DefaultModel.of(default))
