"""Times that can be asked for, and the days in them."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRange
from domain.model.usage_totals import Span, time_zone

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given


def test_without_a_word_it_is_the_last_thirty_days() -> None:
    assert Span.of(None, None, NOW) == Span(NOW - 30 * DAY, NOW)
    assert Span.of(None, NOW - 5 * DAY, NOW) == Span(NOW - 35 * DAY, NOW - 5 * DAY)
    assert Span.of(NOW - 3 * DAY, None, NOW) == Span(NOW - 3 * DAY, NOW)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (NOW, NOW, "to"),
        (NOW + DAY, NOW, "to"),
        (NOW - 400 * DAY - timedelta(microseconds=1), NOW, "to"),
        (NOW.replace(tzinfo=None), None, "from"),
        (None, NOW.replace(tzinfo=None), "to"),
        (NOW, NOW.replace(tzinfo=None), "to"),
        (datetime.min.replace(tzinfo=UTC), None, "from"),
        (None, datetime.min.replace(tzinfo=UTC), "to"),
        (NOW, datetime.max.replace(tzinfo=UTC), "to"),
    ],
)
def test_other_times_are_refused_by_the_name_they_are_sent_under(
    since: datetime | None, until: datetime | None, field: str
) -> None:
    with pytest.raises(InvalidRange) as refusal:
        Span.of(since, until, NOW)
    assert refusal.value.field == field


def test_four_hundred_days_are_not_too_many() -> None:
    assert len(Span(NOW - 400 * DAY, NOW).days()) == 401


@given(
    start=MOMENTS,
    length=st.timedeltas(timedelta(seconds=1), 40 * DAY),
    zone=ZONES,
    at=st.floats(0, 1, exclude_max=True),
)
def test_a_moment_lies_in_the_last_day_that_began_by_then(
    start: datetime, length: timedelta, zone: tzinfo, at: float
) -> None:
    """In every time zone, whatever its clocks do at midnight."""
    days = Span(start, start + length).days(zone)
    moment = start + length * at
    assert [day for day in days if day.starts <= moment][-1].date == moment.astimezone(zone).date()


def test_a_day_without_a_midnight_begins_when_the_clocks_jump() -> None:
    """Santiago went from 23:59:59 to 01:00:00 on the 6th of September 2026."""
    zone = time_zone("America/Santiago")
    days = Span(datetime(2026, 9, 5, 12, tzinfo=UTC), datetime(2026, 9, 7, 12, tzinfo=UTC)).days(zone)
    assert [(day.date, day.starts) for day in days][1:] == [
        (date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        (date(2026, 9, 7), datetime(2026, 9, 7, 3, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("name", ["", "Europe", "../x", "/etc/passwd", "x\0", "ü", "a" * 300, "zone.tab", "+01:00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidRange, match="IANA"):
        time_zone(name)
