"""Credentials as they are shown: secrets masked, with what became of them since they were stored."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.catalogue import OfProvider
from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Context, Info
from api.graphql.fields import field
from api.graphql.ids import known_uuid, node_id
from api.graphql.model_names import ModelName, TypedModelInput
from api.graphql.nodes import Node, or_none
from api.graphql.once import Once
from api.graphql.scalars import BigInt
from domain.model import credential
from domain.model.access import Scope
from domain.model.credential import Cooling, CredentialStatus
from domain.model.ids import CredentialId, TenantId
from domain.model.tokens import Kind, mint
from domain.usecases import credential_states

Reaching = Annotated[TypedModelInput | None, strawberry.argument(description="Only those that reach this model.")]
Active = Annotated[
    bool | None, strawberry.argument(description="Only those that serve calls, or only those that do not.")
]
OneId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Its global id.")]


class Shelf:
    """What became of the credentials of one page: each kind of it is read at most once, and only if asked for."""

    def __init__(self, context: Context, ids: Collection[CredentialId]) -> None:
        states, actor = context.usecases.credential_states, context.actor
        self.now = states.clock()
        self.coolings: Once[Mapping[CredentialId, Cooling]] = Once(lambda: states.coolings(actor))
        self.last_used: Once[Mapping[CredentialId, datetime]] = Once(lambda: states.last_used(actor, ids))
        self.users: Once[Mapping[CredentialId, credential_states.UsedBy]] = Once(lambda: states.users(actor, ids))


@strawberry.type(description="One field of a stored credential.")
class CredentialField:
    name: str = strawberry.field(description="The vendor's name for it.")
    value: str = strawberry.field(description="What was entered; of a secret at most its last four characters.")
    secret: bool = strawberry.field(description="Whether the value is masked.")


@strawberry.type(description="An application that called with a credential within the last 30 days.")
class CredentialApplication:
    client_id: str = strawberry.field(description="Its OAuth client id.")
    name: str | None = strawberry.field(description="What it is called; null when it is gone.")
    calls: BigInt = strawberry.field(description="How many calls it sent with this credential in that time.")
    last_used_at: datetime = strawberry.field(description="When it sent the latest.")

    @classmethod
    def of(cls, row: credential_states.Application, tenant_id: TenantId) -> Self:
        public_id = mint(Kind.CLIENT_ID, tenant_id, row.client_id.bytes)
        return cls(client_id=public_id, name=row.name, calls=BigInt(row.calls), last_used_at=row.last_at)


@strawberry.type(description="What depends on a credential.")
class CredentialUse:
    defaults: list[ModelName] = strawberry.field(
        description="The default models whose calls it serves now, alone or with others."
    )
    applications: list[CredentialApplication] = strawberry.field(
        description="Who called with it within the last 30 days, the latest first."
    )

    @classmethod
    def of(cls, row: credential_states.UsedBy, tenant_id: TenantId) -> Self:
        applications = [CredentialApplication.of(each, tenant_id) for each in row.applications]
        return cls(defaults=[ModelName.of(ref) for ref in row.defaults], applications=applications)


@strawberry.type(description="A key of the tenant's own at a provider.")
class Credential(Node):
    shelf: strawberry.Private[Shelf]
    row: strawberry.Private[credential.Credential]
    name: str = strawberry.field(description="The name that the tenant gave it.")
    provider: str = strawberry.field(description="The name of its provider.")
    model: ModelName | None = strawberry.field(description="The one model it reaches, at a hosted provider.")
    fields: list[CredentialField] = strawberry.field(description="What was entered, secrets masked.")
    endpoint: str = strawberry.field(description="Where it was proved; it is never sent to another host.")
    version: int = strawberry.field(description="Grows when the form changes.")
    active: bool = strawberry.field(description="Whether it may serve calls.")
    weight: int = strawberry.field(
        description="Its share of the calls among the active ones that reach a model; 0 stands by until others fail."
    )
    created_at: datetime = strawberry.field(description="When it was added.")
    proved_at: datetime = strawberry.field(description="When the vendor last accepted it on being asked.")

    @field("Whether it serves calls now.", needs=Scope.CREDENTIALS_READ)
    async def status(self) -> CredentialStatus:
        return self.row.status(await self._cooling(), self.shelf.now)

    @field("Until when it rests after its vendor refused it; null when it does not.", needs=Scope.CREDENTIALS_READ)
    async def resting_until(self) -> datetime | None:
        cooling = await self._cooling()
        return cooling.until if cooling else None

    @field("Why it rests, as the code of the vendor's refusal; null when it does not.", needs=Scope.CREDENTIALS_READ)
    async def resting_reason(self) -> str | None:
        cooling = await self._cooling()
        return cooling.reason if cooling else None

    @field("When a call was last sent with it; null when none ever was.", needs=Scope.CREDENTIALS_READ)
    async def last_used_at(self) -> datetime | None:
        return (await self.shelf.last_used.value()).get(self.row.id)

    @field("What depends on it.", needs=Scope.CREDENTIALS_READ)
    async def used_by(self) -> CredentialUse:
        found = (await self.shelf.users.value()).get(self.row.id, credential_states.UsedBy((), ()))
        return CredentialUse.of(found, self.row.tenant_id)

    async def _cooling(self) -> Cooling | None:
        return (await self.shelf.coolings.value()).get(self.row.id)

    @classmethod
    def of(cls, row: credential.Credential, shelf: Shelf) -> Self:
        public = [CredentialField(name=n, value=v, secret=False) for n, v in row.public.items()]
        masked = [CredentialField(name=n, value=v, secret=True) for n, v in row.masked.items()]
        return cls(
            id=node_id("Credential", row.id),
            shelf=shelf,
            row=row,
            name=row.name,
            provider=row.provider,
            model=ModelName.of(row.model) if row.model else None,
            fields=public + masked,
            endpoint=row.endpoint,
            version=row.version,
            active=row.active,
            weight=row.weight,
            created_at=row.created_at,
            proved_at=row.proved_at,
        )

    @classmethod
    def alone(cls, row: credential.Credential, context: Context) -> Self:
        """One that is on no page with others."""
        return cls.of(row, Shelf(context, (row.id,)))


@strawberry.type
class CredentialQueries:
    @field("A credential; null when it is unknown.", needs=Scope.CREDENTIALS_READ)
    async def credential(self, info: Info, credential_id: OneId) -> Credential | None:
        return await or_none(shown(info.context, credential_id))

    @field("The tenant's credentials, oldest first.", needs=Scope.CREDENTIALS_READ)
    async def credentials(
        self,
        info: Info,
        provider: OfProvider = None,
        model: Reaching = None,
        active: Active = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Credential]:
        ref = model.ref(model.type) if model else None
        cut = Cut(info.context, f"credentials {provider} {ref and (ref, ref.type)} {active}", first, after)
        behind = CredentialId(UUID(cut.position)) if cut.position else None
        rows = await info.context.usecases.credentials.page(
            info.context.actor, first=first + 1, after=behind, provider=provider, model=ref, active=active
        )
        shelf = Shelf(info.context, [row.id for row in rows])
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), lambda row: Credential.of(row, shelf)))


async def shown(context: Context, global_id: str) -> Credential:
    """NotFound when it is unknown, or another tenant's."""
    wanted = CredentialId(known_uuid(global_id, "Credential"))
    return Credential.alone(await context.usecases.credentials.one(context.actor, wanted), context)
