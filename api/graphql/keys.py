"""The key pairs that a tenant's credentials are sealed under, and their rotation."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.context import Info
from api.graphql.fields import Input, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.nodes import Node
from api.graphql.problems import NotFound
from domain.model.access import Scope
from domain.model.ids import KeyId
from domain.model.tenant import KeyInUse
from domain.usecases.rotation import Rotated


@strawberry.type(description="A key pair of the tenant. Its private half never leaves Portunus.")
class TenantKey(Node):
    created_at: datetime = strawberry.field(description="When it was made.")
    newest: bool = strawberry.field(description="Whether new credentials are sealed under it.")
    credentials: int = strawberry.field(description="How many credentials are sealed under it.")

    @classmethod
    def of(cls, key: KeyInUse) -> Self:
        return cls(
            id=node_id("TenantKey", key.id), created_at=key.made_at, newest=key.newest, credentials=key.credentials
        )


@strawberry.input(description="Which key to replace.")
class RotateTenantKeyInput:
    replacing: strawberry.ID | None = strawberry.field(
        default=None,
        description="The key to replace, by its global id: a new one is made only while this one is the newest, so "
        "that repeating the call does no harm. Without it the newest is replaced.",
    )


@strawberry.type(description="The new key is in use. Call again while credentials remain under an older one.")
class RotateTenantKeyPayload:
    key: TenantKey = strawberry.field(description="The newest key, under which new credentials are sealed.")
    created: bool = strawberry.field(
        description="Whether this call made it; false when it went on with a rotation that was under way."
    )
    resealed: int = strawberry.field(description="How many credentials were sealed under it anew so far.")
    remaining: int = strawberry.field(
        description="How many are still under older keys. They keep working, and the work goes on by itself."
    )

    @classmethod
    def of(cls, rotated: Rotated) -> Self:
        return cls(
            key=TenantKey.of(rotated.key),
            created=rotated.created,
            resealed=rotated.resealed,
            remaining=rotated.remaining,
        )


RotateTenantKeyResult = Annotated[
    RotateTenantKeyPayload | NotFound,
    strawberry.union("RotateTenantKeyResult", description="How far the rotation has come, or why there is none."),
]


@strawberry.type
class KeyMutations:
    @mutation("Seal every credential under a new key pair and shred the old one. Calls go on.", needs=Scope.KEYS_ROTATE)
    async def rotate_tenant_key(self, info: Info, given: Input[RotateTenantKeyInput]) -> RotateTenantKeyResult:
        replacing = KeyId(known_uuid(given.replacing, "TenantKey")) if given.replacing else None
        rotated = await info.context.usecases.rotation.rotate_tenant_key(info.context.actor, replacing)
        return RotateTenantKeyPayload.of(rotated)
