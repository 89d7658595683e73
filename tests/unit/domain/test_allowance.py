"""What is taken from a bucket comes back at its rate, and never more than it holds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.allowance import Allowance, Level

BUCKET = Allowance(10, 2)


def test_a_bucket_is_full_at_first() -> None:
    assert BUCKET.left(None, 5) == 10
    assert BUCKET.wait(10, BUCKET.left(None, 5)) == 0


@pytest.mark.parametrize(("later", "left"), [(0, 3), (0.5, 4), (3, 9), (3.5, 10), (1_000, 10)])
def test_what_was_taken_comes_back_evenly(later: float, left: float) -> None:
    assert BUCKET.left(Level(3, 100), 100 + later) == left


@pytest.mark.parametrize(("amount", "wait"), [(0, 0), (3, 0), (4, 0.5), (10, 3.5), (11, math.inf)])
def test_the_wait_is_until_enough_came_back(amount: float, wait: float) -> None:
    assert BUCKET.wait(amount, 3) == wait


@given(left=st.integers(0, 10), amount=st.integers(0, 10), restored=st.integers(1, 9))
def test_after_the_wait_there_is_enough(left: int, amount: int, restored: int) -> None:
    bucket = Allowance(10, restored)
    wait = bucket.wait(amount, left)
    assert bucket.left(Level(left, 0), wait) >= amount - 1e-9
