"""The records of calls, in memory."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from domain.errors import InvalidRange, NotFound
from domain.model.catalogue import ModelRef
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.usage import CallRecord
from domain.model.usage_totals import MOST_TOTALS, CredentialUse, Dimension, Group, Place, UsageFilter, UsageTotal


@dataclass(frozen=True, slots=True)
class FakeRecords:
    """Over one tenant's records."""

    records: Mapping[CallId, CallRecord]

    async def uses(self, since: datetime) -> Mapping[ModelRef, int]:
        recent = (r for r in self.records.values() if r.at >= since)
        return Counter(r.model for r in recent if r.outcome is Outcome.SUCCEEDED)

    async def one(self, call_id: CallId) -> CallRecord:
        if call_id not in self.records:
            raise NotFound("call")
        return self.records[call_id]

    async def some(self, call_ids: Collection[CallId]) -> Sequence[CallRecord]:
        return [record for record in self.records.values() if record.id in call_ids]

    async def page(self, which: UsageFilter, *, first: int, after: Place | None = None) -> Sequence[CallRecord]:
        behind = (r for r in self._fitting(which) if after is None or r.place < after)
        return sorted(behind, key=lambda record: record.place, reverse=True)[:first]

    async def totals(
        self, which: UsageFilter, by: Collection[Dimension] = (), zone: tzinfo = UTC
    ) -> Sequence[UsageTotal]:
        groups: defaultdict[Group, list[CallRecord]] = defaultdict(list)
        for record in self._fitting(which):
            groups[group_of(record, by, zone)].append(record)
        if len(groups) > MOST_TOTALS:
            raise InvalidRange("by", "would give too many totals")
        return sorted((summed(*each) for each in groups.items()), key=lambda total: total.group.key)

    async def last_used(self, credential_ids: Collection[CredentialId]) -> Mapping[CredentialId, datetime]:
        last: dict[CredentialId, datetime] = {}
        for credential, record in self._sent(credential_ids):
            last[credential] = max(record.at, last.get(credential, record.at))
        return last

    async def users_of(
        self, credential_ids: Collection[CredentialId], since: datetime
    ) -> Mapping[CredentialId, Sequence[CredentialUse]]:
        times: defaultdict[CredentialId, defaultdict[ClientId, list[datetime]]] = defaultdict(lambda: defaultdict(list))
        for credential, record in self._sent(credential_ids):
            if record.at >= since:
                times[credential][record.client_id].append(record.at)
        return {
            credential: sorted(
                (CredentialUse(client, len(at), max(at)) for client, at in clients.items()),
                key=lambda use: (-use.last_at.timestamp(), use.client_id),
            )
            for credential, clients in times.items()
        }

    def _sent(self, credential_ids: Collection[CredentialId]) -> Iterator[tuple[CredentialId, CallRecord]]:
        for record in self.records.values():
            if record.credential_id in credential_ids and record.outcome is not Outcome.UNSENT:
                assert record.credential_id is not None
                yield record.credential_id, record

    def _fitting(self, which: UsageFilter) -> Iterable[CallRecord]:
        return (record for record in self.records.values() if fits(record, which))


def fits(record: CallRecord, which: UsageFilter) -> bool:
    return (
        which.span.since <= record.at < which.span.until
        and (not which.models or record.model in which.models)
        and (not which.providers or record.model.provider in which.providers)
        and which.client_id in (None, record.client_id)
        and which.paid_by in (None, record.paid_by)
        and which.credential_id in (None, record.credential_id)
        and (not which.jobs or record.job in which.jobs)
        and (not which.outcomes or record.outcome in which.outcomes)
    )


def group_of(record: CallRecord, by: Collection[Dimension], zone: tzinfo) -> Group:
    return Group(
        day=record.at.astimezone(zone).date() if Dimension.DAY in by else None,
        model=record.model if Dimension.MODEL in by else None,
        client_id=record.client_id if Dimension.APPLICATION in by else None,
        paid_by=record.paid_by if Dimension.CREDENTIAL in by else None,
        credential_id=record.credential_id if Dimension.CREDENTIAL in by else None,
        job=record.job if Dimension.JOB in by else None,
        outcome=record.outcome if Dimension.OUTCOME in by else None,
        currency=record.cost.currency if record.cost else None,
    )


def summed(group: Group, records: Sequence[CallRecord]) -> UsageTotal:
    return UsageTotal(
        group,
        calls=len(records),
        succeeded=sum(record.outcome is Outcome.SUCCEEDED for record in records),
        input_tokens=sum(record.input_tokens or 0 for record in records),
        output_tokens=sum(record.output_tokens or 0 for record in records),
        audio_ms=sum(record.audio_ms or 0 for record in records),
        characters=sum(record.characters or 0 for record in records),
        cost_nanos=sum(record.cost.nanos for record in records if record.cost),
        latency_ms=sum(record.latency_ms for record in records),
    )
