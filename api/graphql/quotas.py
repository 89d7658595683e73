"""Quotas on the platform's keys, as they are and as they change, and whose key goes first."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Self

import strawberry

from api.graphql.connections import LARGEST, After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation, subscription
from api.graphql.ids import node_id, parsed
from api.graphql.model_names import ModelName
from api.graphql.nodes import Node
from api.graphql.problems import NotFound
from api.graphql.scalars import BigInt
from domain.errors import InvalidRange
from domain.model import quota
from domain.model.access import Scope
from domain.model.quota import Pot, PotKind, Unit
from domain.model.selection import KeySource


@strawberry.type(description="How many credits a call of a model costs.")
class ModelWeight:
    model: str = strawberry.field(description="The model, as provider/name; its successors weigh the same.")
    weight: int = strawberry.field(description="The credits.")


@strawberry.type(description="What a quota is good for.")
class QuotaTerms:
    models: list[ModelName] | None = strawberry.field(
        description="The models it pays for, each with its successors; null is every model."
    )
    weights: list[ModelWeight] = strawberry.field(
        description="What calls cost, where it counts credits: 1 for a model that is not named."
    )

    @classmethod
    def of(cls, terms: quota.Terms) -> Self:
        return cls(
            models=None if terms.models is None else [ModelName.of(ref) for ref in terms.models],
            weights=[ModelWeight(model=name, weight=weight) for name, weight in terms.weights.items()],
        )


@strawberry.type(description="What the tenant may spend on the platform's key, at one provider or at all.")
class Quota(Node):
    kind: PotKind = strawberry.field(description="Where it comes from.")
    provider: str | None = strawberry.field(description="The name of the provider; null is every provider.")
    unit: Unit = strawberry.field(description="What it counts.")
    granted: BigInt | None = strawberry.field(description="How much there was; null is unlimited.")
    used: BigInt = strawberry.field(description="How much is spent.")
    held: BigInt = strawberry.field(description="How much is held for calls that are running.")
    free: BigInt | None = strawberry.field(description="How much a new call may ask for; null is unlimited.")
    opened_at: datetime = strawberry.field(description="Since when it can be spent.")
    closes_at: datetime | None = strawberry.field(description="When what is left of it is gone; null is never.")
    terms: QuotaTerms = strawberry.field(description="What it is good for.")

    @classmethod
    def of(cls, pot: Pot) -> Self:
        return cls(
            id=node_id("Quota", pot.id),
            kind=pot.kind,
            provider=pot.provider,
            unit=pot.unit,
            granted=big(pot.granted),
            used=BigInt(pot.used),
            held=BigInt(pot.held),
            free=big(pot.free),
            opened_at=pot.opened_at,
            closes_at=pot.closes_at,
            terms=QuotaTerms.of(pot.terms),
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
Watched = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description=f"Only these quotas, at most {LARGEST}; unknown ones are left out."),
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


@strawberry.type
class QuotaSubscriptions:
    @subscription(
        "The tenant's quotas at once, then again whenever one of them changes, about a second later. Ends when the "
        "token expires.",
        needs=Scope.QUOTAS_READ,
    )
    async def quota_balance(self, info: Info, ids: Watched = None) -> AsyncIterator[list[Quota]]:
        if ids is not None and len(ids) > LARGEST:
            raise InvalidRange("ids", f"must have at most {LARGEST} entries")
        only = None if ids is None else {key for kind, key in map(parsed, ids) if kind == "Quota"}
        async with info.context.usecases.quotas.watch(info.context.actor, only) as changes:
            async for pots in changes:
                yield [Quota.of(pot) for pot in pots]


def big(count: int | None) -> BigInt | None:
    return None if count is None else BigInt(count)
