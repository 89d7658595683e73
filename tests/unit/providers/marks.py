"""The table of what every vendor is asked to do, read from the page that holds it (tests/data/marks.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.model.catalogue import Feature, ModelType

TABLE = Path(__file__).parents[2] / "data" / "marks.md"
COLUMNS = tuple(ModelType)
FEATURES: Mapping[str, Feature] = {"tools": Feature.TOOLS, "vision": Feature.VISION}


@dataclass(frozen=True, slots=True)
class Mark:
    """A model type of a vendor, or what its chat models can do besides."""

    provider: str
    type: ModelType
    feature: Feature | None = None

    def __str__(self) -> str:
        return f"{self.provider}-{self.feature.value if self.feature else self.type.value}"


def lines() -> list[list[str]]:
    """The table's cells, without its head."""
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


@cache
def marks() -> tuple[Mark, ...]:
    """Every mark once, those of a vendor with two rows together."""
    found = {mark: None for cells in lines() for mark in _marks(named(cells[0]), cells[1:])}
    return tuple(found)


def named(cell: str) -> str:
    """The id of a vendor in its cell."""
    found = re.search(r"\(`(\w+)`\)$", cell)
    assert found, cell
    return found[1]


def _marks(provider: str, cells: list[str]) -> list[Mark]:
    found = []
    for kind, cell in zip(COLUMNS, cells, strict=True):
        yes, *features = cell.split(" + ")
        assert yes in ("", "yes"), cell
        found += [Mark(provider, kind)] if yes else []
        found += [Mark(provider, kind, FEATURES[feature]) for feature in features]
    return found
