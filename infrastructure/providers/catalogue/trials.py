"""Reads the trials that every new tenant gets on the platform's keys."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.model.catalogue import Catalogue, ModelRef, ModelType
from domain.model.quota import POOL, Trial, Unit

FILE = Path(__file__).with_name("trials.toml")

_FACTS = frozenset({"unit", "granted", "type", "models"})
_ENTRY = frozenset({"name", "type", "weight"})


def trials(catalogue: Catalogue, file: Path = FILE) -> dict[str, Trial]:
    """By provider, or POOL. ValueError names the trial and what is wrong with it; OSError without a file."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _trial(name, facts, catalogue) for name, facts in found.items()}


def _trial(name: str, facts: Any, catalogue: Catalogue) -> Trial:
    try:
        _known(facts, _FACTS)
        unit, granted = Unit(facts["unit"]), _above_zero("granted", facts["granted"])
        provider = None if name == POOL else name
        listed = dict(_entries(provider, facts, catalogue))
        weights = {str(ref): weight for ref, weight in listed.items() if weight is not None}
        if not listed:
            raise ValueError("models is empty")
        if weights and unit is not Unit.CREDITS:
            raise ValueError("only credits have weights")
        return Trial(provider, unit, granted, tuple(listed), weights)
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"trial of {name}: {wrong}") from None


def _entries(
    provider: str | None, facts: Mapping[str, Any], catalogue: Catalogue
) -> Iterator[tuple[ModelRef, int | None]]:
    """Each listed model with its weight, if it has one."""
    for entry in facts["models"]:
        row = entry if isinstance(entry, dict) else {"name": entry}
        _known(row, _ENTRY)
        ref = _ref(provider, row["name"], ModelType(row.get("type") or facts["type"]))
        if catalogue.model(ref) is None:
            raise ValueError(f"{ref} has no row as {ref.type}")
        yield ref, _above_zero(f"weight of {ref}", row["weight"]) if "weight" in row else None


def _ref(provider: str | None, name: Any, kind: ModelType) -> ModelRef:
    if not isinstance(name, str):
        raise ValueError("models must be names or tables with one")
    if provider is not None:
        return ModelRef(provider, name, kind)
    at, _, model = name.partition("/")
    return ModelRef(at, model, kind)


def _known(facts: Mapping[str, Any], names: frozenset[str]) -> None:
    if not isinstance(facts, dict) or facts.keys() - names:
        raise ValueError(f"must be a table of {', '.join(sorted(names))}")


def _above_zero(name: str, value: Any) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"{name} must be a whole number above zero")
    return value
