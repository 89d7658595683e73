"""Digging takes what is there and never trips."""

from typing import Any

import pytest

from infrastructure.providers.wire.digging import count, dig, rows, table, tally, text


def test_a_path_leads_to_what_lies_there() -> None:
    assert dig({"a": [{"b": 3}]}, "a", 0, "b") == 3
    assert dig(5) == 5


@pytest.mark.parametrize("value", [None, 1, "a", [], {}, {"a": None}, {"a": []}, {"a": {"0": 1}}], ids=str)
def test_a_path_that_breaks_off_leads_to_none(value: Any) -> None:
    assert dig(value, "a", 0, "b") is None


@pytest.mark.parametrize("value", [None, 1, 1.5, True], ids=str)
def test_an_odd_value_reads_as_an_empty_one(value: Any) -> None:
    assert (dict(table(value)), list(rows(value)), text(value)) == ({}, [], "")


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (-3, -3), (0, 0), (True, None), (3.0, None), ("3", None), (None, None), (2**53, None), (-(2**63), None)],
)
def test_a_count_is_a_whole_number_or_nothing(value: Any, number: int | None) -> None:
    assert count(value) == number


@pytest.mark.parametrize(("value", "number"), [(0, 0), (7, 7), (-1, None), (10**12, None), (7.0, None), ("7", None)])
def test_a_tally_is_no_number_below_zero_or_beyond_belief(value: Any, number: int | None) -> None:
    assert tally(value) == number
