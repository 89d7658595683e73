"""Parameters are held against their rules, with a reason for each that breaks one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidForm
from domain.model.labels import Language, Text
from domain.model.parameters import ParameterKind, ParameterRule, check_parameters, objection

RULES = (
    ParameterRule("temperature", Text("Temperature"), ParameterKind.FLOAT, min=0, max=2, precision=2),
    ParameterRule("max_tokens", Text("Max tokens"), ParameterKind.INTEGER, min=1, max=1_048_576),
    ParameterRule("effort", Text("Effort"), ParameterKind.STRING, options=("low", "high")),
    ParameterRule("user", Text("User"), ParameterKind.STRING),
    ParameterRule("stop", Text("Stop"), ParameterKind.STRINGS, max=2),
    ParameterRule("think", Text("Think"), ParameterKind.BOOLEAN),
)


def problems(given: dict[str, Any], **more: Any) -> dict[str, str]:
    try:
        check_parameters(RULES, given, **more)
    except InvalidForm as refused:
        return {problem.field: problem.reason for problem in refused.problems}
    return {}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"temperature": 0},
        {"temperature": 2.0, "max_tokens": 1, "effort": "low", "user": "", "stop": ("a", "b"), "think": False},
        {"max_tokens": 1_048_576.0},
        {"stop": []},
        {"temperature": None, "max_tokens": None},
        {"unknown": "is the gateway's to drop"},
    ],
)
def test_what_the_rules_allow_passes(given: dict[str, Any]) -> None:
    assert problems(given) == {}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("temperature", 2.01, "must be at most 2"),
        ("temperature", -0.5, "must be at least 0"),
        ("temperature", 0.125, "must have at most 2 decimals"),
        ("temperature", "1", "must be a number"),
        ("temperature", True, "must be a number"),
        ("temperature", float("nan"), "must be a number"),
        ("temperature", float("inf"), "must be a number"),
        ("temperature", 10**400, "must be at most 2"),
        ("max_tokens", 1_048_577, "must be at most 1048576"),
        ("max_tokens", 1.5, "must be a whole number"),
        ("effort", "most", "must be one of low, high"),
        ("effort", 1, "must be a text"),
        ("stop", "a", "must be a list of texts"),
        ("stop", [1], "must be a list of texts"),
        ("stop", ["a", "b", "c"], "must have at most 2 entries"),
        ("think", "yes", "must be true or false"),
        ("think", 1, "must be true or false"),
    ],
)
def test_what_breaks_a_rule_is_named_with_the_reason(name: str, value: Any, reason: str) -> None:
    assert problems({name: value}) == {name: reason}


def test_every_problem_is_named_at_once() -> None:
    assert problems({"temperature": 3, "effort": "most", "think": 0}).keys() == {"temperature", "effort", "think"}


def test_a_closed_name_without_a_rule_is_refused() -> None:
    found = problems({"top_k": 5, "temperature": 1}, closed=["top_k", "temperature", "not sent"])
    assert found == {"top_k": "is not a parameter of this model"}


def test_a_required_parameter_without_a_default_must_be_given() -> None:
    needed = ParameterRule("budget", Text("Budget"), ParameterKind.INTEGER, required=True)
    usual = ParameterRule("mode", Text("Mode"), ParameterKind.STRING, required=True, default="fast")
    with pytest.raises(InvalidForm, match="budget"):
        check_parameters((needed, usual), {})
    check_parameters((needed, usual), {"budget": 1})


LIMITS = st.none() | st.integers(-(10**6), 10**6)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3)


@given(st.sampled_from(ParameterKind), LIMITS, LIMITS, st.none() | st.integers(0, 6), ANYTHING)
def test_any_rule_has_an_answer_to_any_value(
    kind: ParameterKind, least: int | None, most: int | None, precision: int | None, value: Any
) -> None:
    rule = ParameterRule("x", Text("X"), kind, min=least, max=most, precision=precision)
    reason = objection(rule, value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if reason is None and kind in (ParameterKind.FLOAT, ParameterKind.INTEGER):
        assert number
        assert least is None or value >= least
        assert most is None or value <= most
    if kind is ParameterKind.FLOAT and number and least is most is precision is None:
        assert (reason is None) is (value - value == 0)


def test_a_text_without_a_translation_is_english() -> None:
    text = Text("Doors", ja="扉")
    assert [text.within(language) for language in Language] == ["Doors", "扉", "Doors"]
