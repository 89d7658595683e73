"""What the operator grants tenants and takes back, and the tenant's own list of it."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.model_names import ModelInput, TypedModelInput
from api.graphql.problems import ChangedMeanwhile, InvalidRange, NotFound
from api.graphql.quotas import Quota, big
from api.graphql.scalars import BigInt
from domain import errors
from domain.model import quota
from domain.model.access import Scope
from domain.model.ids import GrantId, PotId, TenantId
from domain.model.quota import PotKind, Terms, Unit
from domain.usecases.grants import NewGrant

_REASON = "Why, for the tenant to read: 3 to 300 characters."


@strawberry.type(description="The operator changed one of the tenant's quotas.")
class Grant:
    quota_id: strawberry.ID = strawberry.field(description="The quota.")
    amount: BigInt | None = strawberry.field(
        description="How much was added; below zero, what was taken back; null made it unlimited, 0 no longer so."
    )
    reason: str = strawberry.field(description="Why.")
    at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, grant: quota.Grant) -> Self:
        return cls(quota_id=node_id("Quota", grant.pot_id), amount=big(grant.amount), reason=grant.reason, at=grant.at)


@strawberry.input(description="How many credits a call of a model costs.")
class ModelWeightInput(ModelInput):
    weight: int = strawberry.field(description="The credits, above zero; its successors weigh the same.")


@strawberry.input(description="What to give to a tenant. What is granted on the same terms adds up in one quota.")
class GrantQuotaInput:
    tenant_id: strawberry.ID = strawberry.field(description="The tenant, by its global id.")
    kind: PotKind = strawberry.field(description="PAID or FREE.")
    provider: str | None = strawberry.field(
        default=None, description="The name of the provider; left out, it is good at every provider."
    )
    unit: Unit = strawberry.field(description="What it counts.")
    amount: BigInt | None = strawberry.field(default=None, description="How much to add, above zero.")
    unlimited: bool = strawberry.field(default=False, description="In place of an amount: make it unlimited.")
    models: list[TypedModelInput] | None = strawberry.field(
        default=None, description="The models it pays for, each with its successors; left out, every model."
    )
    weights: list[ModelWeightInput] = strawberry.field(
        default_factory=list, description="What calls cost, where it counts credits: 1 for a model that is not named."
    )
    reason: str = strawberry.field(description=_REASON)

    def new(self) -> NewGrant:
        """NotFound for what is no tenant's id; InvalidRange unless there is either an amount, or none to limit it."""
        models = None if self.models is None else tuple(model.ref(model.type) for model in self.models)
        return NewGrant(
            tenant_id=TenantId(known_uuid(self.tenant_id, "Tenant")),
            kind=self.kind,
            provider=self.provider,
            unit=self.unit,
            amount=_amount(self.amount, self.unlimited, "unlimited"),
            reason=self.reason,
            terms=Terms(models, {f"{w.provider}/{w.name}": w.weight for w in self.weights}),
        )


@strawberry.input(description="What to take back from a tenant.")
class RevokeQuotaInput:
    tenant_id: strawberry.ID = strawberry.field(description="The tenant, by its global id.")
    quota_id: strawberry.ID = strawberry.field(description="The quota, by its global id.")
    amount: BigInt | None = strawberry.field(default=None, description="How much, above zero; at most what is free.")
    everything: bool = strawberry.field(
        default=False, description="In place of an amount: all that is free, and that it is unlimited, if it is."
    )
    reason: str = strawberry.field(description=_REASON)


@strawberry.type(description="The grant is made.")
class GrantQuotaPayload:
    quota: Quota = strawberry.field(description="The quota as it is now.")


@strawberry.type(description="The revocation is made.")
class RevokeQuotaPayload:
    quota: Quota = strawberry.field(description="The quota as it is now.")


GrantQuotaResult = Annotated[
    GrantQuotaPayload | NotFound | InvalidRange,
    strawberry.union("GrantQuotaResult", description="The quota, or why nothing was granted."),
]
RevokeQuotaResult = Annotated[
    RevokeQuotaPayload | NotFound | InvalidRange | ChangedMeanwhile,
    strawberry.union("RevokeQuotaResult", description="The quota, or why nothing was taken back."),
]


@strawberry.type
class GrantQueries:
    @field("What the operator granted the tenant and took back, newest first.", needs=Scope.QUOTAS_READ)
    async def grants(self, info: Info, first: First = 50, after: After = None) -> Connection[Grant]:
        cut = Cut(info.context, "grants", first, after)
        behind = GrantId(UUID(cut.position)) if cut.position else None
        rows = await info.context.usecases.grants.page(info.context.actor, first=first + 1, after=behind)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), Grant.of))


@strawberry.type
class GrantMutations:
    @mutation("Give a tenant more on the platform's keys, as the operator.", needs=Scope.QUOTAS_GRANT)
    async def grant_quota(self, info: Info, given: Input[GrantQuotaInput]) -> GrantQuotaResult:
        granted = await info.context.usecases.grants.grant(info.context.actor, given.new())
        return GrantQuotaPayload(quota=Quota.of(granted))

    @mutation("Take back from a tenant what it has not spent, as the operator.", needs=Scope.QUOTAS_GRANT)
    async def revoke_quota(self, info: Info, given: Input[RevokeQuotaInput]) -> RevokeQuotaResult:
        tenant_id = TenantId(known_uuid(given.tenant_id, "Tenant"))
        pot_id = PotId(known_uuid(given.quota_id, "Quota"))
        amount = _amount(given.amount, given.everything, "everything")
        revoke = info.context.usecases.grants.revoke
        return RevokeQuotaPayload(
            quota=Quota.of(await revoke(info.context.actor, tenant_id, pot_id, amount, given.reason))
        )


def _amount(amount: BigInt | None, without: bool, name: str) -> int | None:
    """None where `without` stands in place of an amount; left out by mistake, it must not."""
    if (amount is None) != without:
        raise errors.InvalidRange("amount", f"must be given, or else {name} be true")
    return amount
