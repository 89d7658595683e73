"""Asking for call records: which ones, and by what their sums are told apart."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource
from domain.model.usage import Cost, Job

LONGEST = timedelta(days=400)
USUAL = timedelta(days=30)
MOST_TOTALS = 10_000

Place = tuple[datetime, CallId]
"""Where a record stands among those of its tenant, which are read newest first: its time, then its id."""


class Dimension(StrEnum):
    """What sums can be told apart by, beside the currency, by which they always are."""

    DAY = "day"
    MODEL = "model"
    APPLICATION = "application"
    CREDENTIAL = "credential"
    JOB = "job"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, and the moment at which it begins."""

    date: date
    starts: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to right before `until`. InvalidRange unless that is a time of at most 400 days."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        _check("from", self.since)
        _check("to", self.until)
        if not timedelta(0) < self.until - self.since <= LONGEST:
            raise InvalidRange("to", f"must be later than from, by at most {LONGEST.days} days")

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None, now: datetime) -> Self:
        """The span that is asked for: up to now unless said, and of 30 days unless said."""
        until = now if until is None else until
        _check("to", until)
        return cls(until - USUAL if since is None else since, until)

    def days(self, zone: tzinfo = UTC) -> tuple[Day, ...]:
        """The days of `zone` that it touches, in order."""
        first, last = (moment.astimezone(zone).date() for moment in (self.since, self.until))
        dates = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(Day(day, _midnight(day, zone)) for day in dates)


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which records: those of the span that fit everything given. An empty set asks for nothing in particular."""

    span: Span
    models: frozenset[ModelRef] = frozenset()
    providers: frozenset[str] = frozenset()
    client_id: ClientId | None = None
    paid_by: KeySource | None = None
    credential_id: CredentialId | None = None
    jobs: frozenset[Job] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """What the records of one total have in common. What was not asked for is None.

    Told apart by credential, the platform's key is `paid_by` without a `credential_id`. `currency` is None for records
    without a cost: money is never added across currencies.
    """

    day: date | None = None
    model: ModelRef | None = None
    client_id: ClientId | None = None
    paid_by: KeySource | None = None
    credential_id: CredentialId | None = None
    job: Job | None = None
    outcome: Outcome | None = None
    currency: str | None = None

    @property
    def key(self) -> str:
        """A name for it among the totals of one question; they are told in its order."""
        return "|".join(_written(getattr(self, f.name)) for f in fields(self))


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The sums over a group's records. What a record did not count is counted as none."""

    group: Group
    calls: int
    succeeded: int
    input_tokens: int
    output_tokens: int
    audio_ms: int
    characters: int
    cost_nanos: int
    latency_ms: int

    @property
    def failed(self) -> int:
        """Calls that ended in any other way than success."""
        return self.calls - self.succeeded

    @property
    def cost(self) -> Cost | None:
        return None if self.group.currency is None else Cost(self.cost_nanos, self.group.currency)

    @property
    def mean_latency_ms(self) -> int:
        return round(self.latency_ms / self.calls)


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """That a client called with a credential: how often, and when last."""

    client_id: ClientId
    calls: int
    last_at: datetime


def time_zone(name: str) -> tzinfo:
    """The IANA time zone of this name; InvalidRange when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidRange("timeZone", "must be the name of an IANA time zone, such as Europe/Berlin") from None


def _check(name: str, moment: datetime) -> None:
    if moment.utcoffset() is None:
        raise InvalidRange(name, "must say its offset from UTC, as in 2026-11-23T00:00:00Z")
    if not 2000 <= moment.year < 3000:
        raise InvalidRange(name, "must be a year of this millennium")


def _midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins; where clocks skip its midnight, that is when they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value.provider}:{value.name}:{value.type}" if isinstance(value, ModelRef) else str(value)
