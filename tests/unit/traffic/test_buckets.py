"""Buckets are kept as long as they are not full, and never more than there is room for."""

import math
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from api.traffic.buckets import Buckets
from api.traffic.shares import Shares, Throttle
from domain.model.access import Actor
from domain.model.allowance import Allowance
from domain.model.ids import ClientId, TenantId
from tests.fakes import FakeSeconds


def actor(tenant: int, client: int) -> Actor:
    return Actor(TenantId(UUID(int=tenant)), ClientId(UUID(int=client)), frozenset(), datetime.max.replace(tzinfo=UTC))


def test_each_key_has_its_own() -> None:
    buckets = Buckets[str](Allowance(3, 1), FakeSeconds())
    assert [buckets.take("a", 2), buckets.take("a", 2), buckets.take("b", 2)] == [0, 1, 0]
    assert (buckets.left("a"), buckets.left("b"), buckets.left("c")) == (1, 1, 3)


def test_what_is_put_back_does_not_overflow() -> None:
    buckets = Buckets[str](Allowance(3, 1), FakeSeconds())
    buckets.take("a", 1)
    buckets.put("a", 7)
    assert buckets.left("a") == 3
    assert len(buckets) == 0


def test_full_ones_are_forgotten_as_others_come() -> None:
    clock = FakeSeconds()
    buckets = Buckets[int](Allowance(1, 1), clock)
    for key in range(100):
        buckets.take(key, 1)
        clock.now += 0.5
    assert len(buckets) <= 3


def test_there_is_never_one_more_than_room_and_the_one_used_longest_ago_goes() -> None:
    buckets = Buckets[int](Allowance(1, 1), FakeSeconds(), room=3)
    for key in (1, 2, 3):
        buckets.take(key, 0.25)
    buckets.take(1, 0.25)
    buckets.take(4, 0.25)
    assert [buckets.left(key) for key in (1, 2, 3, 4)] == [0.5, 1, 0.75, 0.75]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 3)), max_size=200))
def test_nobody_gets_more_than_the_bucket_and_its_rate_give(events: list[tuple[int, int, int]]) -> None:
    clock = FakeSeconds(0)
    buckets = Buckets[int](Allowance(5, 1), clock)
    taken = dict.fromkeys(range(10), 0)
    for key, amount, later in events:
        clock.now += later
        if not buckets.take(key, amount):
            taken[key] += amount
    assert max(taken.values()) <= 5 + clock.now


def test_a_client_takes_from_its_tenant_too_or_from_neither() -> None:
    shares = Shares(Allowance(10, 1), Allowance(12, 4), FakeSeconds())
    assert shares.take(actor(1, 1), 9) == 0
    assert shares.take(actor(1, 2), 5) == 0.5
    assert shares.throttle(actor(1, 2)) == Throttle(maximum=12, left=3, restored=4)
    assert shares.throttle(actor(1, 1)) == Throttle(maximum=10, left=1, restored=1)
    assert shares.take(actor(1, 1), 3) == 2
    assert shares.take(actor(2, 1), 9) == 0
    shares.give_back(actor(1, 1), 9)
    assert shares.take(actor(1, 2), 10) == 0


def test_more_than_a_bucket_holds_is_never_given() -> None:
    shares = Shares(Allowance(10, 1), Allowance(5, 4), FakeSeconds())
    assert shares.take(actor(1, 1), 6) == math.inf
    assert shares.take(actor(1, 1), 5) == 0
