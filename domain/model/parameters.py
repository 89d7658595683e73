"""What a model lets its callers tune, and whether what they set is within it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.errors import FieldProblem, InvalidForm
from domain.model.labels import Text


class ParameterKind(StrEnum):
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"


Value = float | int | str | bool


@dataclass(frozen=True, slots=True)
class ParameterRule:
    """One parameter under the vendor's own name; `min` and `max` are inclusive, `precision` counts decimals."""

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
        if value is not None and name in known and (reason := _objection(known[name], value))
    ]
    problems += [FieldProblem(n, "is not a parameter of this model") for n in closed if n in given and n not in known]
    missing = [r.name for r in rules if r.required and r.default is None and given.get(r.name) is None]
    problems += [FieldProblem(name, "is required") for name in missing]
    if problems:
        raise InvalidForm(tuple(problems))


def _objection(rule: ParameterRule, value: Any) -> str | None:
    if rule.kind is ParameterKind.BOOLEAN:
        return None if isinstance(value, bool) else "must be true or false"
    if rule.kind is ParameterKind.STRING:
        if not isinstance(value, str):
            return "must be a text"
        return f"must be one of {', '.join(rule.options)}" if rule.options and value not in rule.options else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if rule.kind is ParameterKind.INTEGER and value != int(value):
        return "must be a whole number"
    return _out_of_range(rule, value)


def _out_of_range(rule: ParameterRule, value: float) -> str | None:
    if rule.min is not None and value < rule.min:
        return f"must be at least {rule.min:g}"
    if rule.max is not None and value > rule.max:
        return f"must be at most {rule.max:g}"
    if rule.precision is not None and round(value, rule.precision) != value:
        return f"must have at most {rule.precision} decimals"
    return None
