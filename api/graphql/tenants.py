"""The tenant, who is asking, and opening and closing tenants."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.context import Context, Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.keys import TenantKey
from api.graphql.nodes import Node
from api.graphql.problems import InvalidRange, NotFound
from domain.model import tenant
from domain.model.access import Actor, Scope
from domain.model.ids import TenantId
from domain.model.tokens import Kind, mint


@strawberry.type(description="A customer: everything else in this schema belongs to one and is seen by it alone.")
class Tenant(Node):
    row: strawberry.Private[tenant.Tenant]
    name: str = strawberry.field(description="What it is called.")
    opened_at: datetime = strawberry.field(description="Since when it exists.")

    @field("Its key pairs, oldest first; more than one while a rotation is under way.", needs=Scope.TENANT_READ)
    async def keys(self, info: Info) -> list[TenantKey]:
        found = await info.context.usecases.rotation.keys(info.context.actor, self.row.id)
        return [TenantKey.of(key) for key in found]

    @classmethod
    def of(cls, row: tenant.Tenant) -> Self:
        return cls(id=node_id("Tenant", row.id), row=row, name=row.name, opened_at=row.opened_at)


@strawberry.type(description="Who is asking: the client behind the access token.")
class Viewer(Node):
    client_id: str = strawberry.field(description="The OAuth client id.")
    scopes: list[str] = strawberry.field(description="What the token allows.")
    token_expires_at: datetime = strawberry.field(description="When the token ends.")

    @field("The tenant it acts for.", needs=Scope.TENANT_READ)
    async def tenant(self, info: Info) -> Tenant | None:
        return await current_tenant(info.context)

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls(
            id=node_id("Viewer", actor.client_id),
            client_id=mint(Kind.CLIENT_ID, actor.tenant_id, actor.client_id.bytes),
            scopes=sorted(actor.scopes),
            token_expires_at=actor.expires_at,
        )


@strawberry.input(description="A tenant to open.")
class OpenTenantInput:
    name: str = strawberry.field(description="What to call it.")


@strawberry.type(description="The tenant, and a client that can act for it.")
class OpenTenantPayload:
    tenant: Tenant = strawberry.field(description="The new tenant.")
    client_id: str = strawberry.field(description="The OAuth client id of its first client.")
    client_secret: str = strawberry.field(description="That client's secret. It is shown this once.")


@strawberry.input(description="A tenant to close, named twice so that it is no other by accident.")
class CloseTenantInput:
    tenant_id: strawberry.ID = strawberry.field(description="Its global id.")
    name: str = strawberry.field(description="Its name, exactly.")


@strawberry.type(description="The tenant is gone with all that it had. Its keys are shredded.")
class CloseTenantPayload:
    tenant_id: strawberry.ID = strawberry.field(description="The global id that it had.")
    name: str = strawberry.field(description="The name that it had.")


OpenTenantResult = Annotated[
    OpenTenantPayload | InvalidRange,
    strawberry.union("OpenTenantResult", description="The new tenant, or why it was not opened."),
]
CloseTenantResult = Annotated[
    CloseTenantPayload | NotFound,
    strawberry.union("CloseTenantResult", description="What was closed, or that there is no such tenant."),
]


@strawberry.type
class TenantQueries:
    @field("Who is asking.", authenticated=True)
    def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.actor)

    @field("The tenant that the caller acts for.", needs=Scope.TENANT_READ)
    async def tenant(self, info: Info) -> Tenant | None:
        return await current_tenant(info.context)


@strawberry.type
class TenantMutations:
    @mutation("Open a tenant, with its key pair, its trials and a first client.", needs=Scope.TENANTS_OPEN)
    async def open_tenant(self, info: Info, given: Input[OpenTenantInput]) -> OpenTenantResult:
        opened = await info.context.usecases.tenants.open(info.context.actor, given.name)
        return OpenTenantPayload(
            tenant=Tenant.of(opened.tenant),
            client_id=opened.client_id,
            client_secret=opened.client_secret.reveal(),
        )

    @mutation("Delete a tenant, for ever, with all that it has and its keys.", needs=Scope.TENANTS_CLOSE)
    async def close_tenant(self, info: Info, given: Input[CloseTenantInput]) -> CloseTenantResult:
        tenant_id = TenantId(known_uuid(given.tenant_id, "Tenant"))
        closed = await info.context.usecases.tenants.close(info.context.actor, tenant_id, given.name)
        return CloseTenantPayload(tenant_id=node_id("Tenant", closed.id), name=closed.name)


async def current_tenant(context: Context) -> Tenant:
    """NotFound when the caller's tenant was never opened."""
    return Tenant.of(await context.usecases.tenants.tenant(context.actor))
