"""What calls used and cost: one by one, and in sums."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.applications import Application, ApplicationShelf
from api.graphql.connections import After, Connection, Cut, First, Page
from api.graphql.context import Context, Info
from api.graphql.fields import field
from api.graphql.ids import known_uuid, node_id
from api.graphql.model_names import ModelName
from api.graphql.nodes import Node, or_none
from api.graphql.scalars import BigInt
from api.graphql.usage_filter import From, OfUsage, To, asked
from domain.model import usage, usage_totals
from domain.model.access import Scope
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.usage import CallRecord, Job
from domain.model.usage_totals import Dimension, Place, UsageFilter

By = Annotated[
    list[Dimension],
    strawberry.argument(description="What to tell the sums apart by, beside the currency; may be empty."),
]
Zone = Annotated[str, strawberry.argument(description="The IANA time zone whose days `DAY` means.")]
OfCall = Annotated[str, strawberry.argument(description="The call, as its receipt named it in `callId`.")]


@dataclass(frozen=True, slots=True)
class Callers:
    """Who made the calls of one page: what they are called, and where the rest of it is read when asked for."""

    names: Mapping[ClientId, str]
    shelf: ApplicationShelf

    @classmethod
    async def of(cls, context: Context, client_ids: Collection[ClientId]) -> Self:
        names = await context.usecases.usage.names(context.actor, client_ids) if client_ids else {}
        return cls(names, ApplicationShelf(context, client_ids))

    def one(self, client_id: ClientId) -> Application:
        return Application.named(client_id, self.names.get(client_id), self.shelf)


@strawberry.type(description="Money at the models' list prices, exact.")
class Cost:
    amount: Decimal = strawberry.field(description="How much, in whole units of the currency.")
    currency: str = strawberry.field(description="The currency (ISO 4217).")

    @classmethod
    def of(cls, cost: usage.Cost | None) -> Self | None:
        return cls(amount=cost.amount, currency=cost.currency) if cost else None


@strawberry.type(description="A call that ended, and what it used.")
class Call(Node):
    call_id: str = strawberry.field(description="The call, as its receipt named it.")
    at: datetime = strawberry.field(description="When it began.")
    application: Application = strawberry.field(description="Who made it.")
    model: ModelName = strawberry.field(description="The model that was called.")
    job: Job = strawberry.field(description="What it was for.")
    paid_by: KeySource = strawberry.field(description="Whose key paid.")
    credential_id: strawberry.ID | None = strawberry.field(description="The tenant's credential, if it was that.")
    outcome: Outcome = strawberry.field(description="How it ended.")
    input_tokens: BigInt | None = strawberry.field(description="Tokens read; null where the vendor did not say.")
    output_tokens: BigInt | None = strawberry.field(description="Tokens written; null where the vendor did not say.")
    audio_seconds: float | None = strawberry.field(description="Seconds of audio heard; null where nobody counted.")
    characters: BigInt | None = strawberry.field(description="Characters spoken; null where nobody counted.")
    cost: Cost | None = strawberry.field(description="What it cost; null without a price or a count.")
    latency_ms: int = strawberry.field(description="Milliseconds from its admission to the last byte.")

    @classmethod
    def of(cls, record: CallRecord, callers: Callers) -> Self:
        return cls(
            id=node_id("Call", record.id),
            call_id=str(record.id),
            at=record.at,
            application=callers.one(record.client_id),
            model=ModelName.of(record.model),
            job=record.job,
            paid_by=record.paid_by,
            credential_id=_credential_id(record.credential_id),
            outcome=record.outcome,
            input_tokens=_big(record.input_tokens),
            output_tokens=_big(record.output_tokens),
            audio_seconds=None if record.audio_ms is None else record.audio_ms / 1_000,
            characters=_big(record.characters),
            cost=Cost.of(record.cost),
            latency_ms=record.latency_ms,
        )


@strawberry.type(
    description="Sums over calls. What they have in common is here if it was asked for with `by`, and null if not. "
    "Sums are never taken across currencies: calls without a cost have a sum of their own."
)
class UsageTotal:
    day: date | None = strawberry.field(description="The day on which they began.")
    model: ModelName | None = strawberry.field(description="The model that was called.")
    application: Application | None = strawberry.field(description="Who made them.")
    paid_by: KeySource | None = strawberry.field(description="By CREDENTIAL: whose key paid.")
    credential_id: strawberry.ID | None = strawberry.field(
        description="By CREDENTIAL: the tenant's credential, null for the platform's key."
    )
    job: Job | None = strawberry.field(description="What they were for.")
    outcome: Outcome | None = strawberry.field(description="How they ended.")
    cost: Cost | None = strawberry.field(description="What they cost together; null for calls without a cost.")
    calls: BigInt = strawberry.field(description="How many there were.")
    succeeded: BigInt = strawberry.field(description="How many of them succeeded.")
    failed: BigInt = strawberry.field(description="How many ended in any other way.")
    input_tokens: BigInt = strawberry.field(description="Tokens read, as far as vendors counted.")
    output_tokens: BigInt = strawberry.field(description="Tokens written, as far as vendors counted.")
    audio_seconds: float = strawberry.field(description="Seconds of audio heard.")
    characters: BigInt = strawberry.field(description="Characters spoken.")
    mean_latency_ms: int = strawberry.field(description="Milliseconds that a call took on average.")

    @classmethod
    def of(cls, total: usage_totals.UsageTotal, callers: Callers) -> Self:
        group = total.group
        return cls(
            day=group.day,
            model=ModelName.of(group.model) if group.model else None,
            application=callers.one(group.client_id) if group.client_id else None,
            paid_by=group.paid_by,
            credential_id=_credential_id(group.credential_id),
            job=group.job,
            outcome=group.outcome,
            cost=Cost.of(total.cost),
            calls=BigInt(total.calls),
            succeeded=BigInt(total.succeeded),
            failed=BigInt(total.failed),
            input_tokens=BigInt(total.input_tokens),
            output_tokens=BigInt(total.output_tokens),
            audio_seconds=total.audio_ms / 1_000,
            characters=BigInt(total.characters),
            mean_latency_ms=total.mean_latency_ms,
        )


@strawberry.type
class UsageQueries:
    @field(
        "What calls used, in sums of at most 10,000 groups, by day, model, application, credential, job, outcome and "
        "currency in this order. Calls that still run are not in it.",
        needs=Scope.USAGE_READ,
    )
    async def usage(
        self,
        info: Info,
        by: By,
        since: From = None,
        to: To = None,
        which: OfUsage = None,
        time_zone: Zone = "UTC",
        first: First = 50,
        after: After = None,
    ) -> Connection[UsageTotal]:
        cut = Cut(info.context, f"usage {sorted(set(by))} {since} {to} {which} {time_zone}", first, after)
        wanted, zone = asked(info.context, since, to, which), usage_totals.time_zone(time_zone)
        totals = await info.context.usecases.usage.totals(info.context.actor, wanted, by, zone)
        return Connection(page=await _totals(info.context, cut, totals))

    @field("The calls that ended, newest first.", needs=Scope.USAGE_READ)
    async def calls(
        self,
        info: Info,
        since: From = None,
        to: To = None,
        which: OfUsage = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Call]:
        cut = Cut(info.context, f"calls {since} {to} {which}", first, after)
        return Connection(page=await _calls(info.context, cut, asked(info.context, since, to, which)))

    @field("The call of a receipt; null while it runs, and for one that is unknown.", needs=Scope.USAGE_READ)
    async def call(self, info: Info, call_id: OfCall) -> Call | None:
        return await or_none(known_call(info.context, node_id("Call", call_id)))


async def known_call(context: Context, global_id: str) -> Call:
    """The call of this global id; NotFound when there is none."""
    call_id = CallId(known_uuid(global_id, "Call"))
    record = await context.usecases.usage.call(context.actor, call_id)
    return Call.of(record, await Callers.of(context, {record.client_id}))


async def _totals(context: Context, cut: Cut, totals: Sequence[usage_totals.UsageTotal]) -> Page:
    """A page behind the group at which the one before ended, whether that group is still there or not."""
    behind = cut.position or ""
    rows = [total for total in totals if total.group.key > behind][: cut.first + 1]
    callers = await Callers.of(context, {total.group.client_id for total in rows if total.group.client_id})
    return cut.of_rows(rows, lambda total: total.group.key, partial(UsageTotal.of, callers=callers))


async def _calls(context: Context, cut: Cut, which: UsageFilter) -> Page:
    behind = _place(cut.position) if cut.position else None
    records = await context.usecases.usage.page(context.actor, which, first=cut.first + 1, after=behind)
    callers = await Callers.of(context, {record.client_id for record in records})
    shown = partial(Call.of, callers=callers)
    return cut.of_rows(records, lambda record: f"{record.at.isoformat()} {record.id}", shown)


def _place(position: str) -> Place:
    at, _, call_id = position.partition(" ")
    return datetime.fromisoformat(at), CallId(UUID(call_id))


def _credential_id(credential_id: CredentialId | None) -> strawberry.ID | None:
    return node_id("Credential", credential_id) if credential_id else None


def _big(count: int | None) -> BigInt | None:
    return None if count is None else BigInt(count)
