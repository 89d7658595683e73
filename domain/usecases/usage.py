"""What a tenant's calls used: one by one, in sums, and as a whole to take along."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from domain.model.access import Actor, Scope
from domain.model.ids import CallId, ClientId
from domain.model.usage import CallRecord
from domain.model.usage_totals import Dimension, Place, Span, UsageFilter, UsageTotal
from domain.ports import Begin, Clock

CHUNK = 1_000

Exported = AsyncGenerator[tuple[Sequence[CallRecord], Mapping[ClientId, str]], None]
"""Pieces of an export: calls, and the names of their clients."""


@dataclass(frozen=True, slots=True)
class Usage:
    begin: Begin
    clock: Clock

    def span(self, since: datetime | None = None, until: datetime | None = None) -> Span:
        """The time that is asked for: the last 30 days unless said. InvalidRange for more than 400 days."""
        return Span.of(since, until, self.clock())

    async def totals(
        self, actor: Actor, which: UsageFilter, by: Collection[Dimension] = (), zone: tzinfo = UTC
    ) -> Sequence[UsageTotal]:
        """Sums by these dimensions and by currency, in the order of their groups' keys; InvalidRange beyond 10,000."""
        actor.require(Scope.USAGE_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.records.totals(which, frozenset(by), zone)

    async def call(self, actor: Actor, call_id: CallId) -> CallRecord:
        """NotFound when there is no such call, or it has not ended."""
        actor.require(Scope.USAGE_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.records.one(call_id)

    async def some(self, actor: Actor, call_ids: Collection[CallId]) -> Sequence[CallRecord]:
        """Those of these calls that have ended, in no order; unknown ones are left out."""
        actor.require(Scope.USAGE_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.records.some(call_ids)

    async def page(
        self, actor: Actor, which: UsageFilter, *, first: int, after: Place | None = None
    ) -> Sequence[CallRecord]:
        """Up to `first` calls, newest first, from behind `after`."""
        actor.require(Scope.USAGE_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.records.page(which, first=first, after=after)

    async def export(self, actor: Actor, which: UsageFilter) -> Exported:
        """All calls, newest first, at most 1,000 at a time.

        Each piece is a transaction of its own, so none is open while the reader takes its time.
        """
        actor.require(Scope.USAGE_READ)
        after, more = None, True
        while more:
            async with self.begin(actor.tenant_id) as work:
                records = await work.records.page(which, first=CHUNK, after=after)
                names = await work.clients.names({record.client_id for record in records})
            if records:
                yield records, names
                after = records[-1].place
            more = len(records) == CHUNK

    async def names(self, actor: Actor, client_ids: Collection[ClientId]) -> Mapping[ClientId, str]:
        """What these clients are called; those that are gone are left out."""
        actor.require(Scope.USAGE_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.clients.names(client_ids)
