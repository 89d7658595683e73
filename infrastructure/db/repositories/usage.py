"""What calls left behind, read one by one and in sums. The ledger writes it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Label,
    Row,
    Uuid,
    case,
    column,
    func,
    literal,
    select,
    tuple_,
    values,
)

from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CallId, ClientId, CredentialId, TenantId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.usage import CallRecord, Cost, Job
from domain.model.usage_totals import (
    MOST_TOTALS,
    CredentialUse,
    Day,
    Dimension,
    Group,
    Place,
    UsageFilter,
    UsageTotal,
)
from infrastructure.db.columns import Instant
from infrastructure.db.fence import Rows
from infrastructure.db.tables import call_records

_RECORD = call_records.c
_SENT = _RECORD.outcome != Outcome.UNSENT
_MODEL = (_RECORD.provider, _RECORD.model, _RECORD.type)
_SUMMED = (_RECORD.input_tokens, _RECORD.output_tokens, _RECORD.audio_ms, _RECORD.characters, _RECORD.cost_nanos)
_SUMS = (
    func.count().label("calls"),
    func.count().filter(_RECORD.outcome == Outcome.SUCCEEDED).label("succeeded"),
    *(func.coalesce(func.sum(counted), 0).label(counted.name) for counted in (*_SUMMED, _RECORD.latency_ms)),
)
_COLUMNS: Mapping[Dimension, Sequence[Column[Any]]] = {
    Dimension.MODEL: _MODEL,
    Dimension.APPLICATION: (_RECORD.client_id,),
    Dimension.CREDENTIAL: (_RECORD.credential_id,),
    Dimension.JOB: (_RECORD.job,),
    Dimension.OUTCOME: (_RECORD.outcome,),
}


@dataclass(frozen=True, slots=True)
class SqlRecords:
    rows: Rows

    async def uses(self, since: datetime) -> Mapping[ModelRef, int]:
        query = (
            select(*_MODEL, func.count().label("calls"))
            .where(self.rows.mine(call_records), _RECORD.at >= since)
            .where(_RECORD.outcome == Outcome.SUCCEEDED)
            .group_by(*_MODEL)
        )
        return {_model(row): row.calls for row in await self.rows.all(query)}

    async def one(self, call_id: CallId) -> CallRecord:
        return _record(await self.rows.one(call_records, "call", id=call_id))

    async def some(self, call_ids: Collection[CallId]) -> Sequence[CallRecord]:
        query = select(call_records).where(self.rows.mine(call_records), _RECORD.id.in_(call_ids))
        return [_record(row) for row in await self.rows.all(query)]

    async def page(self, which: UsageFilter, *, first: int, after: Place | None = None) -> Sequence[CallRecord]:
        query = select(call_records).where(self.rows.mine(call_records), *_fitting(which))
        if after is not None:
            query = query.where(tuple_(_RECORD.at, _RECORD.id) < tuple_(literal(after[0], Instant), literal(after[1])))
        query = query.order_by(_RECORD.at.desc(), _RECORD.id.desc()).limit(first)
        return [_record(row) for row in await self.rows.all(query)]

    async def totals(
        self, which: UsageFilter, by: Collection[Dimension] = (), zone: tzinfo = UTC
    ) -> Sequence[UsageTotal]:
        groups: list[Column[Any] | Label[Any]] = [
            _RECORD.currency,
            *(part for dimension in by for part in _COLUMNS.get(dimension, ())),
        ]
        if Dimension.DAY in by:
            groups.append(_day(which.span.days(zone)).label("day"))
        query = (
            select(*groups, *_SUMS)
            .where(self.rows.mine(call_records), *_fitting(which))
            .group_by(*(group.name for group in groups))
            .limit(MOST_TOTALS + 1)
        )
        found = await self.rows.all(query)
        if len(found) > MOST_TOTALS:
            raise InvalidRange(
                "by", f"would give more than {MOST_TOTALS} totals; ask for less time or fewer dimensions"
            )
        return sorted((_total(row, by) for row in found), key=lambda total: total.group.key)

    async def last_used(self, credential_ids: Collection[CredentialId]) -> Mapping[CredentialId, datetime]:
        if not credential_ids:
            return {}
        wanted = values(column("id", Uuid), name="wanted").data([(i,) for i in credential_ids]).cte("wanted")
        last = (
            select(_RECORD.at)
            .where(self.rows.mine(call_records), _RECORD.credential_id == wanted.c.id, _SENT)
            .order_by(_RECORD.at.desc())
            .limit(1)
            .scalar_subquery()
        )
        found = await self.rows.all(select(wanted.c.id, last.label("at")))
        return {CredentialId(row.id): row.at for row in found if row.at is not None}

    async def users_of(
        self, credential_ids: Collection[CredentialId], since: datetime
    ) -> Mapping[CredentialId, Sequence[CredentialUse]]:
        who, last = (_RECORD.credential_id, _RECORD.client_id), func.max(_RECORD.at).label("last_at")
        query = (
            select(*who, func.count().label("calls"), last)
            .where(self.rows.mine(call_records), _RECORD.credential_id.in_(credential_ids))
            .where(_RECORD.at >= since, _SENT)
            .group_by(*who)
            .order_by(last.desc(), _RECORD.client_id)
        )
        users: dict[CredentialId, list[CredentialUse]] = {}
        for row in await self.rows.all(query):
            use = CredentialUse(ClientId(row.client_id), row.calls, row.last_at)
            users.setdefault(CredentialId(row.credential_id), []).append(use)
        return users


def _fitting(which: UsageFilter) -> Iterator[ColumnElement[bool]]:
    yield _RECORD.at >= which.span.since
    yield _RECORD.at < which.span.until
    if which.models:
        yield tuple_(*_MODEL).in_([(m.provider, m.name, m.type) for m in which.models])
    if which.providers:
        yield _RECORD.provider.in_(which.providers)
    if which.client_id is not None:
        yield _RECORD.client_id == which.client_id
    if which.paid_by is not None:
        platform = _RECORD.credential_id.is_(None)
        yield platform if which.paid_by is KeySource.PLATFORM else ~platform
    if which.credential_id is not None:
        yield _RECORD.credential_id == which.credential_id
    if which.jobs:
        yield _RECORD.job.in_(which.jobs)
    if which.outcomes:
        yield _RECORD.outcome.in_(which.outcomes)


def _day(days: Sequence[Day]) -> ColumnElement[date]:
    """On which of these a call was made, found by halving: neither store has to know time zones, or to join."""
    if len(days) == 1:
        return literal(days[0].date, Date)
    half = len(days) // 2
    return case((_RECORD.at < days[half].starts, _day(days[:half])), else_=_day(days[half:]))


def _total(row: Row[Any], by: Collection[Dimension]) -> UsageTotal:
    sums = {counted.name: int(getattr(row, counted.name)) for counted in (*_SUMMED, _RECORD.latency_ms)}
    return UsageTotal(_group(row, by), row.calls, row.succeeded, **sums)


def _group(row: Row[Any], by: Collection[Dimension]) -> Group:
    own = row.credential_id if Dimension.CREDENTIAL in by else None
    return Group(
        day=row.day if Dimension.DAY in by else None,
        model=_model(row) if Dimension.MODEL in by else None,
        client_id=ClientId(row.client_id) if Dimension.APPLICATION in by else None,
        paid_by=(KeySource.OWN if own else KeySource.PLATFORM) if Dimension.CREDENTIAL in by else None,
        credential_id=CredentialId(own) if own else None,
        job=Job(row.job) if Dimension.JOB in by else None,
        outcome=Outcome(row.outcome) if Dimension.OUTCOME in by else None,
        currency=row.currency,
    )


def _model(row: Row[Any]) -> ModelRef:
    return ModelRef(row.provider, row.model, ModelType(row.type))


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(
        tenant_id=TenantId(row.tenant_id),
        id=CallId(row.id),
        at=row.at,
        client_id=ClientId(row.client_id),
        credential_id=CredentialId(row.credential_id) if row.credential_id else None,
        model=_model(row),
        outcome=Outcome(row.outcome),
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        latency_ms=row.latency_ms,
        job=Job(row.job),
        audio_ms=row.audio_ms,
        characters=row.characters,
        cost=Cost(row.cost_nanos, row.currency) if row.currency else None,
    )
