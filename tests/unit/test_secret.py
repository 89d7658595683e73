"""A secret does not travel by accident."""

import copy
import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest

from domain.model.secret import Secret

CANARY = "sk-canary-0123456789"


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        "%s".__mod__,
        lambda s: f"{s}",
        lambda s: repr([s, {1: s}]),
    ],
)
def test_no_way_of_printing_shows_it(shown: Callable[[Secret], str]) -> None:
    assert "••••" in shown(Secret(CANARY))
    assert CANARY not in shown(Secret(CANARY))


def test_a_dataclass_and_an_exception_that_hold_it_do_not_show_it() -> None:
    assert CANARY not in repr(Holder(Secret(CANARY)))
    assert CANARY not in str(ValueError("refused", Secret(CANARY)))


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("%s %r", Secret(CANARY), Secret(CANARY))
    assert caplog.messages == ["Secret(••••) Secret(••••)"]


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, orjson.dumps, vars])
def test_it_is_not_carried_away(carry: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as refusal:
        carry(Secret(CANARY))
    assert CANARY not in str(refusal.value)


def test_reveal_gives_it() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(("value", "masked"), [("", "••••"), ("12345678901", "••••"), ("123456789012", "••••9012")])
def test_the_mask_shows_four_characters_of_long_secrets_only(value: str, masked: str) -> None:
    assert Secret(value).masked() == masked


def test_secrets_are_equal_by_value_and_to_nothing_else() -> None:
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
