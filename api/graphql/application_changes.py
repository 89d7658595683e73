"""Registering, restricting, suspending and removing applications, and taking back what they were let do."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, cast

import strawberry

from api.graphql.applications import Application, known_application
from api.graphql.context import Info
from api.graphql.fields import Input, mutation
from api.graphql.ids import known_uuid
from api.graphql.problems import InvalidRange, NotFound
from api.graphql.reach import ReachInput, scopes_of
from api.graphql.scalars import JSON
from domain.errors import InvalidRange as OutOfRange
from domain.model.access import EVERYWHERE, Client, ClientKind, Scope
from domain.model.ids import PersonId
from domain.model.registration import USUAL_OVERLAP
from domain.usecases.applications import ApplicationChange, Issued, NewApplication

OVERLAP = int(USUAL_OVERLAP.total_seconds())
OVERLAP_DESCRIPTION = "For how many seconds the one before stays good: 0 ends it at once; at most 604,800, seven days."
_URIS = (
    "Where people may be sent back to, at most 20: https; or http on localhost, 127.0.0.1 or [::1]; or, for a public "
    "one, a scheme of its own with a dot in it, as in com.example.app:/signed-in. They are compared letter by letter."
)
_JWKS = "The public keys by which it proves itself, as a key set: RSA of at least 2048 bits, P-256, P-384 or Ed25519."
_RESOURCE = "The https address of its own resource server, for which its access tokens are to be JWTs."


@strawberry.input(description="An application to register. Whoever registers it must have each of its scopes.")
class RegisterApplicationInput:
    name: str = strawberry.field(description="What to call it.")
    kind: ClientKind = strawberry.field(description="What it is: SERVICE or PARTNER.")
    scopes: list[str] = strawberry.field(description="The most that its tokens can allow; never an operator's scope.")
    redirect_uris: list[str] = strawberry.field(default_factory=list, description=f"{_URIS} Only for partners.")
    reach: ReachInput | None = strawberry.field(default=None, description="Which models; left out, all.")
    public: bool = strawberry.field(default=False, description="Whether it can keep no secret. Only for partners.")
    jwks: JSON | None = strawberry.field(default=None, description=f"{_JWKS} With them it is given no secret.")
    resource: str | None = strawberry.field(default=None, description=_RESOURCE)

    def new(self) -> NewApplication:
        return NewApplication(
            name=self.name,
            kind=self.kind,
            scopes=scopes_of(self.scopes),
            redirect_uris=tuple(self.redirect_uris),
            reach=self.reach.reach() if self.reach else EVERYWHERE,
            public=self.public,
            jwks=_key_set(self.jwks),
            resource=self.resource,
        )


@strawberry.input(
    description="What to change; what is left out stays. To give it more needs all of its scopes, to take away none."
)
class UpdateApplicationInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    name: str | None = strawberry.field(default=None, description="What to call it.")
    scopes: list[str] | None = strawberry.field(default=None, description="The most that its tokens can allow.")
    redirect_uris: list[str] | None = strawberry.field(default=None, description=_URIS)
    reach: ReachInput | None = strawberry.field(default=None, description="Which models.")
    jwks: JSON | None = strawberry.field(default=None, description=f"{_JWKS} They take the place of a secret.")
    resource: str | None = strawberry.field(default=None, description=f"{_RESOURCE} An empty text takes it away.")

    def change(self) -> ApplicationChange:
        return ApplicationChange(
            name=self.name,
            scopes=None if self.scopes is None else scopes_of(self.scopes),
            redirect_uris=None if self.redirect_uris is None else tuple(self.redirect_uris),
            reach=self.reach.reach() if self.reach else None,
            jwks=_key_set(self.jwks),
            resource=self.resource,
        )


@strawberry.input(description="Which application to suspend.")
class SuspendApplicationInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Which application to resume.")
class ResumeApplicationInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Which application to give another secret.")
class RotateApplicationSecretInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    overlap_seconds: int = strawberry.field(default=OVERLAP, description=OVERLAP_DESCRIPTION)


@strawberry.input(description="Which application to remove.")
class RemoveApplicationInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Whose consent to which application to take back.")
class RevokeConsentInput:
    application_id: strawberry.ID = strawberry.field(description="The application, by its global id.")
    member_id: strawberry.ID = strawberry.field(description="The member, by its global id.")


@strawberry.input(description="Which application's tokens to revoke.")
class RevokeApplicationTokensInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="The application is registered.")
class RegisterApplicationPayload:
    application: Application = strawberry.field(description="The new application.")
    client_secret: str | None = strawberry.field(
        description="Its secret. It is shown this once. Null for one that is public, or has keys."
    )


@strawberry.type(description="The application is changed.")
class UpdateApplicationPayload:
    application: Application = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The application is suspended: nothing that it holds is good.")
class SuspendApplicationPayload:
    application: Application = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The application is resumed.")
class ResumeApplicationPayload:
    application: Application = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The application has a new secret.")
class RotateApplicationSecretPayload:
    application: Application = strawberry.field(description="As it is from now on.")
    client_secret: str = strawberry.field(description="Its new secret. It is shown this once.")


@strawberry.type(description="The application is gone, with its consents, tokens and caps.")
class RemoveApplicationPayload:
    application: Application = strawberry.field(description="As it was.")


@strawberry.type(description="The consent is taken back, with all that came of it.")
class RevokeConsentPayload:
    application: Application = strawberry.field(description="The application.")


@strawberry.type(description="No token or code that the application held is good any more. JWTs end by themselves.")
class RevokeApplicationTokensPayload:
    application: Application = strawberry.field(description="The application.")


RegisterApplicationResult = Annotated[
    RegisterApplicationPayload | NotFound | InvalidRange,
    strawberry.union("RegisterApplicationResult", description="The application, or why it cannot be registered."),
]
UpdateApplicationResult = Annotated[
    UpdateApplicationPayload | NotFound | InvalidRange,
    strawberry.union("UpdateApplicationResult", description="The application, or why it cannot be changed so."),
]
SuspendApplicationResult = Annotated[
    SuspendApplicationPayload | NotFound,
    strawberry.union("SuspendApplicationResult", description="The application, or that there is no such one."),
]
ResumeApplicationResult = Annotated[
    ResumeApplicationPayload | NotFound | InvalidRange,
    strawberry.union("ResumeApplicationResult", description="The application, or why it cannot be resumed."),
]
RotateApplicationSecretResult = Annotated[
    RotateApplicationSecretPayload | NotFound | InvalidRange,
    strawberry.union("RotateApplicationSecretResult", description="The secret, or why there is no new one."),
]
RemoveApplicationResult = Annotated[
    RemoveApplicationPayload | NotFound,
    strawberry.union("RemoveApplicationResult", description="What was removed, or that there is no such one."),
]
RevokeConsentResult = Annotated[
    RevokeConsentPayload | NotFound,
    strawberry.union("RevokeConsentResult", description="The application, or that there is no such consent."),
]
RevokeApplicationTokensResult = Annotated[
    RevokeApplicationTokensPayload | NotFound,
    strawberry.union("RevokeApplicationTokensResult", description="The application, or that there is no such one."),
]


@strawberry.type
class ApplicationMutations:
    @mutation("Register an application of the tenant's own, or of a partner.", needs=Scope.APPLICATIONS_WRITE)
    async def register_application(
        self, info: Info, given: Input[RegisterApplicationInput]
    ) -> RegisterApplicationResult:
        issued = await info.context.usecases.applications.register(info.context.actor, given.new())
        return RegisterApplicationPayload(application=_shown(info, issued.client), client_secret=_revealed(issued))

    @mutation(
        "Restrict an application, or widen it. What it loses, tokens that exist lose within 2 seconds.",
        needs=Scope.APPLICATIONS_WRITE,
    )
    async def update_application(self, info: Info, given: Input[UpdateApplicationInput]) -> UpdateApplicationResult:
        update = info.context.usecases.applications.update
        client = await update(info.context.actor, known_application(given.id), given.change())
        return UpdateApplicationPayload(application=_shown(info, client))

    @mutation("Let nothing that an application holds be good, until it is resumed.", needs=Scope.APPLICATIONS_WRITE)
    async def suspend_application(self, info: Info, given: Input[SuspendApplicationInput]) -> SuspendApplicationResult:
        suspend = info.context.usecases.applications.suspend
        client = await suspend(info.context.actor, known_application(given.id))
        return SuspendApplicationPayload(application=_shown(info, client))

    @mutation("Let a suspended application go on. It needs all of its scopes.", needs=Scope.APPLICATIONS_WRITE)
    async def resume_application(self, info: Info, given: Input[ResumeApplicationInput]) -> ResumeApplicationResult:
        resume = info.context.usecases.applications.resume
        client = await resume(info.context.actor, known_application(given.id))
        return ResumeApplicationPayload(application=_shown(info, client))

    @mutation(
        "Give an application another secret. It needs all of the application's scopes.",
        needs=Scope.APPLICATIONS_WRITE,
    )
    async def rotate_application_secret(
        self, info: Info, given: Input[RotateApplicationSecretInput]
    ) -> RotateApplicationSecretResult:
        rotate, overlap = info.context.usecases.applications.rotate_secret, timedelta(seconds=given.overlap_seconds)
        issued = await rotate(info.context.actor, known_application(given.id), overlap)
        return RotateApplicationSecretPayload(
            application=_shown(info, issued.client), client_secret=_revealed(issued) or ""
        )

    @mutation("Remove an application, with its consents, tokens and caps.", needs=Scope.APPLICATIONS_WRITE)
    async def remove_application(self, info: Info, given: Input[RemoveApplicationInput]) -> RemoveApplicationResult:
        remove = info.context.usecases.applications.remove
        client = await remove(info.context.actor, known_application(given.id))
        return RemoveApplicationPayload(application=_shown(info, client))

    @mutation("Take back what a person let an application do.", needs=Scope.APPLICATIONS_WRITE)
    async def revoke_consent(self, info: Info, given: Input[RevokeConsentInput]) -> RevokeConsentResult:
        client_id = known_application(given.application_id)
        person_id = PersonId(known_uuid(given.member_id, "Member"))
        revoke = info.context.usecases.applications.revoke_consent
        return RevokeConsentPayload(application=_shown(info, await revoke(info.context.actor, client_id, person_id)))

    @mutation("Revoke all tokens and codes that an application holds.", needs=Scope.APPLICATIONS_WRITE)
    async def revoke_application_tokens(
        self, info: Info, given: Input[RevokeApplicationTokensInput]
    ) -> RevokeApplicationTokensResult:
        revoke = info.context.usecases.applications.revoke_tokens
        client = await revoke(info.context.actor, known_application(given.id))
        return RevokeApplicationTokensPayload(application=_shown(info, client))


def _shown(info: Info, client: Client) -> Application:
    return Application.alone(client, info.context)


def _revealed(issued: Issued) -> str | None:
    return issued.secret.reveal() if issued.secret else None


def _key_set(given: JSON | None) -> Mapping[str, Any] | None:
    if given is not None and not isinstance(given, dict):
        raise OutOfRange("jwks", 'must be {"keys": […]}')
    return cast(Mapping[str, Any] | None, given)
