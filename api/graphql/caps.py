"""Caps on applications and keys: listed with what is left of them, set and removed."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.nodes import Node
from api.graphql.problems import ChangedMeanwhile, InvalidRange, NotFound
from api.graphql.quotas import big
from api.graphql.scalars import BigInt
from domain import errors
from domain.model.access import Scope
from domain.model.cap import CapSubject, Period
from domain.model.ids import CapId, TenantId
from domain.model.quota import Pot, Unit
from domain.model.tokens import Kind, mint, parse
from domain.usecases.caps import Capped, NewCap


@strawberry.type(description="What was spent of a cap in its present period.")
class CapWindow:
    used: BigInt = strawberry.field(description="How much is spent.")
    held: BigInt = strawberry.field(description="How much is held for calls that are running.")
    free: BigInt | None = strawberry.field(description="How much a new call may ask for.")
    opened_at: datetime = strawberry.field(description="When the period began.")
    closes_at: datetime | None = strawberry.field(description="When the next one begins; null is never.")

    @classmethod
    def of(cls, window: Pot) -> Self:
        return cls(
            used=BigInt(window.used),
            held=BigInt(window.held),
            free=big(window.free),
            opened_at=window.opened_at,
            closes_at=window.closes_at,
        )


@strawberry.type(
    description="The most that an application may use, or a key may be used, in one period. It pays for nothing and "
    "adds to no quota: it bounds what may be spent of them, and of the tenant's own keys."
)
class Cap(Node):
    client_id: str | None = strawberry.field(description="The application it is on: its OAuth client id.")
    credential_id: strawberry.ID | None = strawberry.field(description="The tenant's credential it is on.")
    unit: Unit = strawberry.field(
        description="What it counts; of credits, a call on a key of the tenant's own costs 1."
    )
    amount: BigInt = strawberry.field(description="How much of it; 0 blocks.")
    period: Period = strawberry.field(description="How often it starts anew.")
    created_at: datetime = strawberry.field(description="When it was set first.")
    window: CapWindow = strawberry.field(description="The present period.")

    @classmethod
    def of(cls, capped: Capped) -> Self:
        cap = capped.cap
        on_client = cap.subject is CapSubject.APPLICATION
        return cls(
            id=node_id("Cap", cap.id),
            client_id=mint(Kind.CLIENT_ID, cap.tenant_id, cap.subject_id.bytes) if on_client else None,
            credential_id=None if on_client else node_id("Credential", cap.subject_id),
            unit=cap.unit,
            amount=BigInt(cap.amount),
            period=cap.period,
            created_at=cap.created_at,
            window=CapWindow.of(capped.window),
        )


@strawberry.input(one_of=True, description="What is capped, one of these.")
class CapSubjectInput:
    client_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="An application of the tenant: its OAuth client id."
    )
    credential_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A credential of the tenant, by its global id."
    )


@strawberry.input(description="The most that an application may use, or a key may be used, in one period.")
class SetCapInput:
    subject: CapSubjectInput = strawberry.field(description="What is capped.")
    unit: Unit = strawberry.field(description="What is counted.")
    amount: BigInt = strawberry.field(description="How much of it; 0 blocks.")
    period: Period = strawberry.field(description="How often it starts anew.")

    def new(self, tenant_id: TenantId) -> NewCap:
        """NotFound for an id that is none of the tenant's."""
        on = self.subject
        if on.client_id:
            parsed = parse(Kind.CLIENT_ID, on.client_id)
            if parsed is None or parsed.tenant_id != tenant_id:
                raise errors.NotFound("client")
            return NewCap(CapSubject.APPLICATION, UUID(bytes=parsed.rest), self.unit, self.amount, self.period)
        credential_id = known_uuid(on.credential_id or "", "Credential")
        return NewCap(CapSubject.CREDENTIAL, credential_id, self.unit, self.amount, self.period)


@strawberry.input(description="Which cap to remove.")
class RemoveCapInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="The cap holds.")
class SetCapPayload:
    cap: Cap = strawberry.field(description="As it is from now on.")


@strawberry.type(description="The cap is lifted.")
class RemoveCapPayload:
    cap: Cap = strawberry.field(description="As it was.")


SetCapResult = Annotated[
    SetCapPayload | NotFound | InvalidRange | ChangedMeanwhile,
    strawberry.union("SetCapResult", description="The cap, or why it cannot be set."),
]
RemoveCapResult = Annotated[
    RemoveCapPayload | NotFound,
    strawberry.union("RemoveCapResult", description="The removed cap, or why there was none to remove."),
]


@strawberry.type
class CapQueries:
    @field("The caps that the tenant put on its applications and keys, oldest first.", needs=Scope.QUOTAS_READ)
    async def caps(self, info: Info, first: First = 50, after: After = None) -> Connection[Cap]:
        cut = Cut(info.context, "caps", first, after)
        found = await info.context.usecases.caps.all(info.context.actor)
        return Connection(page=cut.of(found, lambda capped: str(capped.cap.id), Cap.of))


@strawberry.type
class CapMutations:
    @mutation(
        "Cap an application or a key, or change the amount of its cap of this unit and period; what is spent already "
        "in the present period counts.",
        needs=Scope.QUOTAS_WRITE,
    )
    async def set_cap(self, info: Info, given: Input[SetCapInput]) -> SetCapResult:
        actor = info.context.actor
        return SetCapPayload(cap=Cap.of(await info.context.usecases.caps.put(actor, given.new(actor.tenant_id))))

    @mutation("Lift a cap.", needs=Scope.QUOTAS_WRITE)
    async def remove_cap(self, info: Info, given: Input[RemoveCapInput]) -> RemoveCapResult:
        cap_id = CapId(known_uuid(given.id, "Cap"))
        return RemoveCapPayload(cap=Cap.of(await info.context.usecases.caps.remove(info.context.actor, cap_id)))
