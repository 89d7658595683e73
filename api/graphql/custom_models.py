"""Models of the tenant's own: added, taken over from the vendor's list, removed; and switching any model off and on."""

from decimal import Decimal
from typing import Annotated

import strawberry

from api.graphql.context import Context, Info
from api.graphql.fields import Input, mutation
from api.graphql.ids import known_uuid
from api.graphql.model_names import ModelName, TypedModelInput
from api.graphql.models import Model
from api.graphql.problems import (
    CredentialUnreadable,
    DuplicateName,
    InvalidForm,
    InvalidRange,
    NoCredential,
    NotFound,
    Unreached,
    UnsupportedFeature,
)
from domain import errors
from domain.model.access import Scope
from domain.model.catalogue import Feature, ModelType, Price
from domain.model.custom_model import CustomModel
from domain.model.ids import CredentialId
from domain.usecases.imports import VendorModel as Listed
from domain.usecases.imports import Wanted

_KEY = "The credential to ask with; left out, the provider's oldest active one."


@strawberry.input(description="What a model costs at its vendor.")
class PriceInput:
    input: Decimal | None = strawberry.field(default=None, description="Money for `per` units in.")
    output: Decimal | None = strawberry.field(default=None, description="Money for `per` units out.")
    per: int = strawberry.field(default=1_000_000, description="How many tokens, characters or seconds that is for.")
    currency: str = strawberry.field(description="The currency (ISO 4217).")

    def price(self) -> Price:
        """InvalidRange for what is no price."""
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise errors.InvalidRange("price.currency", "must be a currency of ISO 4217, such as USD")
        if self.per < 1:
            raise errors.InvalidRange("price.per", "must be above zero")
        return Price(self.input, self.output, self.per, self.currency)


@strawberry.input(description="A model that the catalogue lacks, at a provider whose one key reaches all its models.")
class AddModelInput(TypedModelInput):
    label: str | None = strawberry.field(default=None, description="What to show for its name; left out, its name.")
    features: list[Feature] = strawberry.field(default_factory=list, description="What it can do.")
    context: int | None = strawberry.field(default=None, description="How many tokens it can read.")
    max_output: int | None = strawberry.field(default=None, description="How many tokens it can write.")
    dimensions: int | None = strawberry.field(default=None, description="The length of its vectors.")
    price: PriceInput | None = strawberry.field(default=None, description="What it costs.")

    def model(self, context: Context) -> CustomModel:
        return CustomModel(
            context.actor.tenant_id,
            self.ref(self.type),
            self.label or self.name,
            context.usecases.models.clock(),
            frozenset(self.features),
            self.context,
            self.max_output,
            self.dimensions,
            self.price.price() if self.price else None,
        )


@strawberry.input(description="Which model to forget.")
class RemoveModelInput:
    model: TypedModelInput = strawberry.field(description="One of the tenant's own models.")


@strawberry.input(description="Which model to switch off or on.")
class SetModelEnabledInput:
    model: TypedModelInput = strawberry.field(description="Any model that the tenant can name.")
    enabled: bool = strawberry.field(description="Whether it can be called.")


@strawberry.input(description="Whose list of models to read.")
class ListVendorModelsInput:
    provider: str = strawberry.field(description="The name of the provider.")
    credential: strawberry.ID | None = strawberry.field(default=None, description=_KEY)

    def credential_id(self) -> CredentialId | None:
        return CredentialId(known_uuid(self.credential, "Credential")) if self.credential else None


@strawberry.input(description="A model of the vendor's list.")
class VendorModelInput:
    name: str = strawberry.field(description="Its name there.")
    type: ModelType | None = strawberry.field(default=None, description="What it does, where the list does not tell.")


@strawberry.input(description="Which models of the vendor's list to make known.")
class ImportModelsInput(ListVendorModelsInput):
    models: list[VendorModelInput] = strawberry.field(description="From 1 to 200 of them.")


@strawberry.type(description="A model as its vendor lists it.")
class VendorModel:
    name: str = strawberry.field(description="Its name there.")
    type: ModelType | None = strawberry.field(description="What it does; null where the list does not tell.")
    context: int | None = strawberry.field(description="How many tokens it can read; null where not told.")
    known: bool = strawberry.field(description="Whether the tenant can name it already.")

    @classmethod
    def of(cls, found: Listed) -> "VendorModel":
        listed = found.listed
        return cls(name=listed.name, type=listed.type, context=listed.context, known=found.known)


@strawberry.type(description="The model is known.")
class AddModelPayload:
    model: Model = strawberry.field(description="As it is shown from now on.")


@strawberry.type(description="The model is forgotten.")
class RemoveModelPayload:
    model: ModelName = strawberry.field(description="What it was.")
    credentials: int = strawberry.field(description="How many credentials went with it, which reached nothing else.")


@strawberry.type(description="The model is switched off or on.")
class SetModelEnabledPayload:
    model: Model = strawberry.field(description="As it is now.")


@strawberry.type(description="The vendor's list.")
class ListVendorModelsPayload:
    models: list[VendorModel] = strawberry.field(
        description="Every model that the credential sees there and whose name can be kept, which takes 1 to 200 "
        "characters, none of them control characters."
    )


@strawberry.type(description="The models are known.")
class ImportModelsPayload:
    models: list[Model] = strawberry.field(description="All that were asked for, in their order.")


AddModelResult = Annotated[
    AddModelPayload | InvalidRange | NotFound | DuplicateName,
    strawberry.union("AddModelResult", description="The model, or why it cannot be added."),
]
RemoveModelResult = Annotated[
    RemoveModelPayload | NotFound,
    strawberry.union("RemoveModelResult", description="What was removed, or that there is no such model."),
]
SetModelEnabledResult = Annotated[
    SetModelEnabledPayload | NotFound,
    strawberry.union("SetModelEnabledResult", description="The model, or that there is none of that name."),
]
ListVendorModelsResult = Annotated[
    ListVendorModelsPayload | NotFound | NoCredential | UnsupportedFeature | CredentialUnreadable | Unreached,
    strawberry.union("ListVendorModelsResult", description="The list, or why it cannot be read."),
]
ImportModelsResult = Annotated[
    ImportModelsPayload
    | InvalidForm
    | InvalidRange
    | NotFound
    | NoCredential
    | UnsupportedFeature
    | CredentialUnreadable
    | Unreached,
    strawberry.union("ImportModelsResult", description="The models, or why nothing was imported."),
]


@strawberry.type
class CustomModelMutations:
    @mutation("Make a model known that the catalogue lacks.", needs=Scope.MODELS_WRITE)
    async def add_model(self, info: Info, given: Input[AddModelInput]) -> AddModelResult:
        added = await info.context.usecases.models.add(info.context.actor, given.model(info.context))
        return AddModelPayload(model=Model.of(added))

    @mutation("Forget a model of the tenant's own.", needs=Scope.MODELS_WRITE)
    async def remove_model(self, info: Info, given: Input[RemoveModelInput]) -> RemoveModelResult:
        ref = given.model.ref(given.model.type)
        removed = await info.context.usecases.models.remove(info.context.actor, ref)
        return RemoveModelPayload(model=ModelName.of(removed.model.ref), credentials=removed.credentials)

    @mutation("Switch a model off for the whole tenant, or on again.", needs=Scope.MODELS_WRITE)
    async def set_model_enabled(self, info: Info, given: Input[SetModelEnabledInput]) -> SetModelEnabledResult:
        ref = given.model.ref(given.model.type)
        shown = await info.context.usecases.models.switch(info.context.actor, ref, on=given.enabled)
        return SetModelEnabledPayload(model=Model.of(shown))

    @mutation("Read the vendor's own list of models and store nothing.", needs=Scope.MODELS_WRITE)
    async def list_vendor_models(self, info: Info, given: Input[ListVendorModelsInput]) -> ListVendorModelsResult:
        imports = info.context.usecases.imports
        found = await imports.listed(info.context.actor, given.provider, given.credential_id())
        return ListVendorModelsPayload(models=[VendorModel.of(each) for each in found])

    @mutation("Make models of the vendor's own list known.", needs=Scope.MODELS_WRITE)
    async def import_models(self, info: Info, given: Input[ImportModelsInput]) -> ImportModelsResult:
        wanted = [Wanted(each.name, each.type) for each in given.models]
        imports = info.context.usecases.imports
        found = await imports.take_over(info.context.actor, given.provider, wanted, given.credential_id())
        return ImportModelsPayload(models=[Model.of(each) for each in found])
