"""The windows of caps: which period a moment falls into, and when the next one begins."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.cap import Period
from domain.model.quota import PotKind
from tests.unit.domain.samples import NOW, a_cap

DAILY = a_cap(5, UUID(int=9))
MONTHLY = replace(DAILY, period=Period.MONTH)
FOREVER = replace(DAILY, period=Period.NEVER)


def utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
TICK = timedelta(microseconds=1)


@given(MOMENTS, st.sampled_from([DAILY, MONTHLY]))
def test_windows_hold_their_moment_and_follow_one_another_without_gap(moment: datetime, cap: object) -> None:
    assert cap in (DAILY, MONTHLY)
    of = DAILY.window if cap == DAILY else MONTHLY.window
    window = of(moment)
    assert window.closes_at is not None
    assert window.opened_at <= moment < window.closes_at
    assert of(window.opened_at).id == window.id == of(window.closes_at - TICK).id
    following = of(window.closes_at)
    assert following.opened_at == window.closes_at
    assert following.id != window.id
    assert of(window.opened_at - TICK).closes_at == window.opened_at


@given(MOMENTS)
def test_a_cap_for_all_time_has_one_window(moment: datetime) -> None:
    assert FOREVER.window(moment) == FOREVER.window(NOW)
    assert FOREVER.window(moment).closes_at is None


@pytest.mark.parametrize(
    ("moment", "opened", "closes"),
    [
        ("2028-02-29T23:59:59", "2028-02-01", "2028-03-01"),
        ("2026-02-28T23:59:59", "2026-02-01", "2026-03-01"),
        ("2100-02-28T00:00:00", "2100-02-01", "2100-03-01"),
        ("2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
        ("2026-01-31T00:00:00", "2026-01-01", "2026-02-01"),
    ],
)
def test_a_month_ends_where_the_calendar_says(moment: str, opened: str, closes: str) -> None:
    window = MONTHLY.window(utc(moment))
    assert (window.opened_at, window.closes_at) == (utc(opened), utc(closes))


def test_a_leap_day_is_a_day() -> None:
    window = DAILY.window(datetime(2028, 2, 29, 12, tzinfo=UTC))
    assert window.opened_at == datetime(2028, 2, 29, tzinfo=UTC)
    assert window.closes_at == datetime(2028, 3, 1, tzinfo=UTC)


def test_a_moment_is_looked_at_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert DAILY.window(datetime(2026, 11, 24, 8, tzinfo=tokyo)) == DAILY.window(datetime(2026, 11, 23, 23, tzinfo=UTC))


def test_a_new_window_is_empty_and_grants_the_amount() -> None:
    window = DAILY.window(NOW)
    assert (window.kind, window.granted, window.used, window.held, window.free) == (PotKind.CAP, 5, 0, 0, 5)
    assert (window.cap_id, window.unit, window.provider) == (DAILY.id, DAILY.unit, None)
