"""What a model lets its callers tune, and whether what they set is within it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

from domain.errors import FieldProblem, InvalidForm
from domain.model.labels import Text


class ParameterKind(StrEnum):
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    STRINGS = "strings"
    BOOLEAN = "boolean"


Value = float | int | str | bool


@dataclass(frozen=True, slots=True)
class ParameterRule:
    """One parameter under the vendor's own name, or under ours where all vendors have it (`Knobs`).

    `min` and `max` are inclusive; of strings they count how many. `precision` counts decimals. `default` is what the
    vendor takes when nothing is said.
    """

    name: str
    label: Text
    kind: ParameterKind
    required: bool = False
    default: Value | None = None
    min: float | None = None
    max: float | None = None
    precision: int | None = None
    options: tuple[str, ...] = ()
    help: Text | None = None


def check_parameters(rules: Sequence[ParameterRule], given: Mapping[str, Any], *, closed: Iterable[str] = ()) -> None:
    """InvalidForm names every parameter that breaks its rule.

    A name of `closed` without a rule is refused; another one without a rule is the gateway's to drop with a warning.
    """
    known = {rule.name: rule for rule in rules}
    problems = [
        FieldProblem(name, reason)
        for name, value in given.items()
        if value is not None and name in known and (reason := objection(known[name], value))
    ]
    problems += [FieldProblem(n, "is not a parameter of this model") for n in closed if n in given and n not in known]
    missing = [r.name for r in rules if r.required and r.default is None and given.get(r.name) is None]
    problems += [FieldProblem(name, "is required") for name in missing]
    if problems:
        raise InvalidForm(tuple(problems))


def objection(rule: ParameterRule, value: Any) -> str | None:
    """Why the rule does not allow the value; None when it does."""
    match rule.kind:
        case ParameterKind.BOOLEAN:
            return None if isinstance(value, bool) else "must be true or false"
        case ParameterKind.STRING:
            return _unlike_a_text(rule, value)
        case ParameterKind.STRINGS:
            return _unlike_texts(rule, value)
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and isfinite(value))):
        return "must be a number"
    if rule.kind is ParameterKind.INTEGER and value != int(value):
        return "must be a whole number"
    return _out_of_range(rule, value)


def _unlike_a_text(rule: ParameterRule, value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    return f"must be one of {', '.join(rule.options)}" if rule.options and value not in rule.options else None


def _unlike_texts(rule: ParameterRule, value: Any) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(each, str) for each in value):
        return "must be a list of texts"
    if rule.min is not None and len(value) < rule.min:
        return f"must have at least {_plain(rule.min)} entries"
    return f"must have at most {_plain(rule.max)} entries" if rule.max is not None and len(value) > rule.max else None


def _out_of_range(rule: ParameterRule, value: float) -> str | None:
    if rule.min is not None and value < rule.min:
        return f"must be at least {_plain(rule.min)}"
    if rule.max is not None and value > rule.max:
        return f"must be at most {_plain(rule.max)}"
    if rule.precision is not None and round(value, rule.precision) != value:
        return f"must have at most {rule.precision} decimals"
    return None


def _plain(number: float) -> str:
    """Without an exponent, or a fraction that is none."""
    return str(int(number)) if number == int(number) else str(number)
