"""Credentials: listed with masked secrets, added when the vendor has accepted them, removed."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.catalogue import OfProvider
from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.model_names import HostedModelInput, ModelName
from api.graphql.nodes import Node
from api.graphql.problems import DuplicateName, InvalidForm, InvalidRange, NotFound, Unreached
from domain import errors
from domain.model import credential
from domain.model.access import Scope
from domain.model.ids import CredentialId
from domain.model.secret import Secret
from domain.usecases.credentials import NewCredential
from domain.usecases.credentials import Proof as Proved


@strawberry.type(description="One field of a stored credential.")
class CredentialField:
    name: str = strawberry.field(description="The vendor's name for it.")
    value: str = strawberry.field(description="What was entered; of a secret at most its last four characters.")
    secret: bool = strawberry.field(description="Whether the value is masked.")


@strawberry.type(description="A key of the tenant's own at a provider.")
class Credential(Node):
    name: str = strawberry.field(description="The name that the tenant gave it.")
    provider: str = strawberry.field(description="The name of its provider.")
    model: ModelName | None = strawberry.field(description="The one model it reaches, at a hosted provider.")
    fields: list[CredentialField] = strawberry.field(description="What was entered, secrets masked.")
    endpoint: str = strawberry.field(description="Where it was proved; it is never sent to another host.")
    version: int = strawberry.field(description="Grows when the secret changes.")
    created_at: datetime = strawberry.field(description="When it was added.")
    proved_at: datetime = strawberry.field(description="When the vendor last accepted it on being asked.")

    @classmethod
    def of(cls, row: credential.Credential) -> Self:
        public = [CredentialField(name=n, value=v, secret=False) for n, v in row.public.items()]
        masked = [CredentialField(name=n, value=v, secret=True) for n, v in row.masked.items()]
        return cls(
            id=node_id("Credential", row.id),
            name=row.name,
            provider=row.provider,
            model=ModelName.of(row.model) if row.model else None,
            fields=public + masked,
            endpoint=row.endpoint,
            version=row.version,
            created_at=row.created_at,
            proved_at=row.proved_at,
        )


@strawberry.input(description="One field of a credential form, filled in.")
class FormFieldInput:
    name: str = strawberry.field(description="The field's name, as the provider's form has it.")
    value: Secret = strawberry.field(description="What to enter, secret or not.")


@strawberry.input(description="A credential form, filled in. The secrets go to the provider it names and nowhere else.")
class CheckCredentialInput:
    provider: str = strawberry.field(description="The name of the provider.")
    fields: list[FormFieldInput] = strawberry.field(description="The form.")
    model: HostedModelInput | None = strawberry.field(
        default=None, description="At a hosted provider: the model that this credential reaches."
    )

    def new(self, name: str = "") -> NewCredential:
        """InvalidForm when a field comes twice."""
        values = {f.name: f.value for f in self.fields}
        twice = [field for field, times in Counter(f.name for f in self.fields).items() if times > 1]
        if twice:
            raise errors.InvalidForm(tuple(errors.FieldProblem(n, "is given more than once") for n in twice))
        model = self.model.ref(self.provider) if self.model else None
        return NewCredential(self.provider, name, values, model)


@strawberry.input(description="A credential form, filled in, and a name for it.")
class AddCredentialInput(CheckCredentialInput):
    name: str = strawberry.field(description="What to call it; unique per provider.")


@strawberry.input(description="Which credential to remove.")
class RemoveCredentialInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="The credential, stored.")
class AddCredentialPayload:
    credential: Credential = strawberry.field(description="As it will be shown from now on.")


@strawberry.type(description="The vendor accepts the credential; nothing was stored.")
class CheckCredentialPayload:
    endpoint: str = strawberry.field(description="The origin that accepted it.")
    proved_at: datetime = strawberry.field(description="When it did.")

    @classmethod
    def of(cls, proof: Proved) -> Self:
        return cls(endpoint=proof.endpoint, proved_at=proof.at)


@strawberry.type(description="The credential is gone, and so is its sealed form.")
class RemoveCredentialPayload:
    credential: Credential = strawberry.field(description="As it was.")


AddCredentialResult = Annotated[
    AddCredentialPayload | InvalidForm | InvalidRange | NotFound | DuplicateName | Unreached,
    strawberry.union("AddCredentialResult", description="The stored credential, or why nothing was stored."),
]
CheckCredentialResult = Annotated[
    CheckCredentialPayload | InvalidForm | InvalidRange | NotFound | Unreached,
    strawberry.union("CheckCredentialResult", description="The proof, or what the vendor or the form objects to."),
]
RemoveCredentialResult = Annotated[
    RemoveCredentialPayload | NotFound,
    strawberry.union("RemoveCredentialResult", description="The removed credential, or why there was none to remove."),
]


@strawberry.type
class CredentialQueries:
    @field("The tenant's credentials, oldest first.", needs=Scope.CREDENTIALS_READ)
    async def credentials(
        self, info: Info, provider: OfProvider = None, first: First = 50, after: After = None
    ) -> Connection[Credential]:
        cut = Cut(info.context, f"credentials {provider}", first, after)
        behind = CredentialId(UUID(cut.position)) if cut.position else None
        page = info.context.usecases.credentials.page
        rows = await page(info.context.actor, first=first + 1, after=behind, provider=provider)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), Credential.of))


@strawberry.type
class CredentialMutations:
    @mutation("Prove a key at its vendor and store it sealed.", needs=Scope.CREDENTIALS_WRITE)
    async def add_credential(self, info: Info, given: Input[AddCredentialInput]) -> AddCredentialResult:
        added = await info.context.usecases.credentials.add(info.context.actor, given.new(given.name))
        return AddCredentialPayload(credential=Credential.of(added))

    @mutation("Prove a key at its vendor and store nothing.", needs=Scope.CREDENTIALS_WRITE)
    async def check_credential(self, info: Info, given: Input[CheckCredentialInput]) -> CheckCredentialResult:
        proof = await info.context.usecases.credentials.check(info.context.actor, given.new())
        return CheckCredentialPayload.of(proof)

    @mutation("Forget a key and its sealed form.", needs=Scope.CREDENTIALS_WRITE)
    async def remove_credential(self, info: Info, given: Input[RemoveCredentialInput]) -> RemoveCredentialResult:
        credential_id = CredentialId(known_uuid(given.id, "Credential"))
        removed = await info.context.usecases.credentials.remove(info.context.actor, credential_id)
        return RemoveCredentialPayload(credential=Credential.of(removed))
