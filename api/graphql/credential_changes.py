"""Changing credentials: each is proved at its vendor before anything is stored."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.context import Info
from api.graphql.credentials import Credential
from api.graphql.fields import Input, mutation
from api.graphql.ids import known_uuid
from api.graphql.model_names import HostedModelInput
from api.graphql.problems import (
    ChangedMeanwhile,
    CredentialUnreadable,
    DuplicateName,
    InvalidForm,
    InvalidRange,
    NotFound,
    Unreached,
)
from domain import errors
from domain.model.access import Scope
from domain.model.credential_change import CredentialChange, GivenFields
from domain.model.ids import CredentialId
from domain.model.secret import Secret
from domain.usecases.credentials import NewCredential
from domain.usecases.credentials import Proof as Proved

_WEIGHT = "Its share of the calls among the active ones, from 0 to 100; 0 stands by until others fail."


@strawberry.input(description="One field of a credential form, filled in.")
class FormFieldInput:
    name: str = strawberry.field(description="The field's name, as the provider's form has it.")
    value: Secret = strawberry.field(description="What to enter, secret or not.")


@strawberry.input(description="One field of a credential form, entered anew.")
class FormFieldChangeInput:
    name: str = strawberry.field(description="The field's name, as the provider's form has it.")
    value: Secret | None = strawberry.field(
        default=None, description="What to enter, secret or not; null clears the field."
    )


@strawberry.input(description="A credential form, filled in. The secrets go to the provider it names and nowhere else.")
class CheckCredentialInput:
    provider: str = strawberry.field(description="The name of the provider.")
    fields: list[FormFieldInput] = strawberry.field(description="The form.")
    model: HostedModelInput | None = strawberry.field(
        default=None, description="At a hosted provider: the model that this credential reaches."
    )

    def new(self, name: str = "", active: bool | None = None, weight: int = 1) -> NewCredential:
        """InvalidForm when a field comes twice."""
        _check_once(f.name for f in self.fields)
        values = {f.name: f.value for f in self.fields}
        model = self.model.ref(self.provider) if self.model else None
        return NewCredential(self.provider, name, values, model, active, weight)


@strawberry.input(description="A credential form, filled in, and a name for it.")
class AddCredentialInput(CheckCredentialInput):
    name: str = strawberry.field(description="What to call it; unique per provider, or per hosted model.")
    active: bool | None = strawberry.field(
        default=None,
        description="Whether it may serve calls. Left out, it does if no other of this provider, or model, does.",
    )
    weight: int = strawberry.field(default=1, description=_WEIGHT)


@strawberry.input(description="A stored credential, and which fields of its form to enter anew.")
class CheckCredentialUpdateInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    fields: list[FormFieldChangeInput] = strawberry.field(
        default_factory=list,
        description="What to enter anew; other fields keep what is stored. Secrets are kept only while the host, and "
        "whom the text fields name, stay the same: elsewhere they must be entered again.",
    )

    @property
    def credential_id(self) -> CredentialId:
        return CredentialId(known_uuid(self.id, "Credential"))

    def changes(self) -> GivenFields:
        """InvalidForm when a field comes twice."""
        _check_once(f.name for f in self.fields)
        return {f.name: f.value for f in self.fields}


@strawberry.input(description="A stored credential, and what to change of it. What is left out stays as it is.")
class UpdateCredentialInput(CheckCredentialUpdateInput):
    name: str | None = strawberry.field(default=None, description="What to call it from now on.")
    active: bool | None = strawberry.field(default=None, description="Whether it may serve calls.")
    weight: int | None = strawberry.field(default=None, description=_WEIGHT)

    def change(self) -> CredentialChange:
        return CredentialChange(self.name, self.weight, self.active, self.changes())


@strawberry.input(description="Which credential to switch to.")
class SwitchCredentialInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Which stored credential to prove again.")
class VerifyCredentialInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Which credential to remove, and which one takes its place.")
class RemoveCredentialInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    successor: strawberry.ID | None = strawberry.field(
        default=None,
        description="The global id of another of the same provider, or hosted model, to become active in its place. "
        "Left out, and when the last active one goes, it is the one that was proved most recently.",
    )


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


@strawberry.type(description="The vendor would accept the credential with this change; nothing was stored.")
class CheckCredentialUpdatePayload(CheckCredentialPayload):
    pass


@strawberry.type(description="The credential, changed.")
class UpdateCredentialPayload:
    credential: Credential = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The credential is the only active one of its provider, or of its hosted model.")
class SwitchCredentialPayload:
    credential: Credential = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The vendor still accepts the credential; it rests no longer.")
class VerifyCredentialPayload:
    credential: Credential = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The credential is gone, and so are its sealed form and its caps.")
class RemoveCredentialPayload:
    credential: Credential = strawberry.field(description="As it was.")
    successor: Credential | None = strawberry.field(description="The one that became active in its place, if any.")


AddCredentialResult = Annotated[
    AddCredentialPayload | InvalidForm | InvalidRange | NotFound | DuplicateName | Unreached,
    strawberry.union("AddCredentialResult", description="The stored credential, or why nothing was stored."),
]
CheckCredentialResult = Annotated[
    CheckCredentialPayload | InvalidForm | InvalidRange | NotFound | Unreached,
    strawberry.union("CheckCredentialResult", description="The proof, or what the vendor or the form objects to."),
]
CheckCredentialUpdateResult = Annotated[
    CheckCredentialUpdatePayload | InvalidForm | InvalidRange | NotFound | CredentialUnreadable | Unreached,
    strawberry.union("CheckCredentialUpdateResult", description="The proof, or what speaks against the change."),
]
UpdateCredentialResult = Annotated[
    UpdateCredentialPayload
    | InvalidForm
    | InvalidRange
    | NotFound
    | DuplicateName
    | ChangedMeanwhile
    | CredentialUnreadable
    | Unreached,
    strawberry.union("UpdateCredentialResult", description="The changed credential, or why it is as it was."),
]
SwitchCredentialResult = Annotated[
    SwitchCredentialPayload | NotFound,
    strawberry.union("SwitchCredentialResult", description="The active credential, or why there is none to switch to."),
]
VerifyCredentialResult = Annotated[
    VerifyCredentialPayload | NotFound | ChangedMeanwhile | CredentialUnreadable | Unreached,
    strawberry.union("VerifyCredentialResult", description="The proved credential, or how its vendor refused it."),
]
RemoveCredentialResult = Annotated[
    RemoveCredentialPayload | InvalidRange | NotFound,
    strawberry.union("RemoveCredentialResult", description="The removed credential, or why nothing was removed."),
]


@strawberry.type
class CredentialMutations:
    @mutation("Prove a key at its vendor and store it sealed.", needs=Scope.CREDENTIALS_WRITE)
    async def add_credential(self, info: Info, given: Input[AddCredentialInput]) -> AddCredentialResult:
        new = given.new(given.name, given.active, given.weight)
        added = await info.context.usecases.credentials.add(info.context.actor, new)
        return AddCredentialPayload(credential=Credential.alone(added, info.context))

    @mutation("Prove a key at its vendor and store nothing.", needs=Scope.CREDENTIALS_WRITE)
    async def check_credential(self, info: Info, given: Input[CheckCredentialInput]) -> CheckCredentialResult:
        proof = await info.context.usecases.credentials.check(info.context.actor, given.new())
        return CheckCredentialPayload.of(proof)

    @mutation("Prove a stored key with some of its form changed, and store nothing.", needs=Scope.CREDENTIALS_WRITE)
    async def check_credential_update(
        self, info: Info, given: Input[CheckCredentialUpdateInput]
    ) -> CheckCredentialUpdateResult:
        updates = info.context.usecases.credential_updates
        proof = await updates.check(info.context.actor, given.credential_id, given.changes())
        return CheckCredentialUpdatePayload.of(proof)

    @mutation("Change a key: a form that changes is proved at its vendor first.", needs=Scope.CREDENTIALS_WRITE)
    async def update_credential(self, info: Info, given: Input[UpdateCredentialInput]) -> UpdateCredentialResult:
        updates = info.context.usecases.credential_updates
        changed = await updates.update(info.context.actor, given.credential_id, given.change())
        return UpdateCredentialPayload(credential=Credential.alone(changed, info.context))

    @mutation("Let one key serve in place of all others of its kind.", needs=Scope.CREDENTIALS_WRITE)
    async def switch_credential(self, info: Info, given: Input[SwitchCredentialInput]) -> SwitchCredentialResult:
        credential_id = CredentialId(known_uuid(given.id, "Credential"))
        chosen = await info.context.usecases.credentials.switch(info.context.actor, credential_id)
        return SwitchCredentialPayload(credential=Credential.alone(chosen, info.context))

    @mutation("Prove a stored key at its vendor again.", needs=Scope.CREDENTIALS_WRITE)
    async def verify_credential(self, info: Info, given: Input[VerifyCredentialInput]) -> VerifyCredentialResult:
        credential_id = CredentialId(known_uuid(given.id, "Credential"))
        proved = await info.context.usecases.credential_updates.prove(info.context.actor, credential_id)
        return VerifyCredentialPayload(credential=Credential.alone(proved, info.context))

    @mutation("Forget a key, its sealed form and its caps.", needs=Scope.CREDENTIALS_WRITE)
    async def remove_credential(self, info: Info, given: Input[RemoveCredentialInput]) -> RemoveCredentialResult:
        credential_id = CredentialId(known_uuid(given.id, "Credential"))
        successor = CredentialId(known_uuid(given.successor, "Credential")) if given.successor else None
        removed = await info.context.usecases.credentials.remove(info.context.actor, credential_id, successor)
        return RemoveCredentialPayload(
            credential=Credential.alone(removed.credential, info.context),
            successor=Credential.alone(removed.successor, info.context) if removed.successor else None,
        )


def _check_once(names: Iterable[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise errors.InvalidForm(tuple(errors.FieldProblem(name, "is given more than once") for name in twice))
