"""Reads the rules of a model's parameters: what vendors share, then what one vendor and one model do differently."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from domain.model.parameters import ParameterKind, ParameterRule, objection
from infrastructure.providers.catalogue.words import checked_keys, text, word

FILE = Path(__file__).with_name("parameters.toml")
_SAID = frozenset({"kind", "label", "help", "required", "default", "min", "max", "precision", "options"})
_CHOSEN = frozenset({"of", "needs", "listed", "told"})  # which models take it, for scripts/model_rows.py
_OWN = "max_output"


@cache
def shared() -> Mapping[str, Mapping[str, Any]]:
    """The rules that vendors share, by name, as they are written."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def rules(row: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> tuple[ParameterRule, ...]:
    """The rules that a row names, `own` being its vendor's. ValueError for one that cannot be kept."""
    found = tuple(_rule(entry, own, row.get(_OWN)) for entry in row.get("parameters", ()))
    if len({rule.name for rule in found}) < len(found):
        raise ValueError("a parameter is named twice")
    return found


def _rule(entry: str | Mapping[str, Any], own: Mapping[str, Mapping[str, Any]], most: int | None) -> ParameterRule:
    said = {"name": entry} if isinstance(entry, str) else entry
    name = word(said["name"])
    facts = {**shared().get(name, {}), **own.get(name, {}), **said}
    checked_keys(facts, _SAID | _CHOSEN | {"name"})
    if "kind" not in facts:
        raise ValueError(f"{name} is not a parameter that is known")
    rule = ParameterRule(
        name,
        text(facts["label"]),
        ParameterKind(facts["kind"]),
        required=bool(facts.get("required", False)),
        default=facts.get("default"),
        min=facts.get("min"),
        max=most if facts.get("max") == _OWN else facts.get("max"),
        precision=facts.get("precision"),
        options=tuple(map(word, facts.get("options", ()))),
        help=text(facts["help"]) if "help" in facts else None,
    )
    _check(rule)
    return rule


def _check(rule: ParameterRule) -> None:
    """ValueError when no value, or not its own default, can satisfy it."""
    numbers = [n for n in (rule.min, rule.max, rule.precision) if n is not None]
    if not all(isinstance(n, int | float) for n in numbers):
        raise ValueError(f"the bounds of {rule.name} are no numbers")
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        raise ValueError(f"{rule.name} has no value between its bounds")
    if rule.default is not None and objection(rule, rule.default):
        raise ValueError(f"the default of {rule.name} {objection(rule, rule.default)}")
