"""Quotas on the platform's keys, and whose key goes first."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import node_id
from api.graphql.nodes import Node
from api.graphql.problems import NotFound
from api.graphql.scalars import BigInt
from domain.model.access import Scope
from domain.model.quota import Pot, PotKind, Unit
from domain.model.selection import KeySource


@strawberry.type(description="What the tenant may spend on the platform's key at one provider.")
class Quota(Node):
    kind: PotKind = strawberry.field(description="Where it comes from.")
    provider: str | None = strawberry.field(description="The name of the provider; null is every provider.")
    unit: Unit = strawberry.field(description="What it counts.")
    granted: BigInt | None = strawberry.field(description="How much there was; null is unlimited.")
    used: BigInt = strawberry.field(description="How much is spent.")
    held: BigInt = strawberry.field(description="How much is held for calls that are running.")
    free: BigInt | None = strawberry.field(description="How much a new call may ask for; null is unlimited.")
    opened_at: datetime = strawberry.field(description="Since when it can be spent.")

    @classmethod
    def of(cls, pot: Pot) -> Self:
        return cls(
            id=node_id("Quota", pot.id),
            kind=pot.kind,
            provider=pot.provider,
            unit=pot.unit,
            granted=None if pot.granted is None else BigInt(pot.granted),
            used=BigInt(pot.used),
            held=BigInt(pot.held),
            free=None if pot.free is None else BigInt(pot.free),
            opened_at=pot.opened_at,
        )


@strawberry.input(description="Whose key goes first at a provider.")
class SetPreferredSourceInput:
    provider: str = strawberry.field(description="The name of the provider.")
    source: KeySource = strawberry.field(
        description="Whose key goes first; the other one takes over when it is used up."
    )


@strawberry.type(description="The preference holds.")
class SetPreferredSourcePayload:
    provider: str = strawberry.field(description="The name of the provider.")
    source: KeySource = strawberry.field(description="Whose key goes first there from now on.")


SetPreferredSourceResult = Annotated[
    SetPreferredSourcePayload | NotFound,
    strawberry.union("SetPreferredSourceResult", description="The preference, or why it cannot be set."),
]


@strawberry.type
class QuotaQueries:
    @field("The tenant's quotas in the order they are spent.", needs=Scope.QUOTAS_READ)
    async def quotas(self, info: Info, first: First = 50, after: After = None) -> Connection[Quota]:
        cut = Cut(info.context, "quotas", first, after)
        pots = await info.context.usecases.quotas.all(info.context.actor)
        return Connection(page=cut.of(pots, lambda pot: str(pot.id), Quota.of))


@strawberry.type
class QuotaMutations:
    @mutation("Choose whose key goes first at a provider.", needs=Scope.QUOTAS_WRITE)
    async def set_preferred_source(self, info: Info, given: Input[SetPreferredSourceInput]) -> SetPreferredSourceResult:
        await info.context.usecases.quotas.prefer(info.context.actor, given.provider, given.source)
        return SetPreferredSourcePayload(provider=given.provider, source=given.source)
