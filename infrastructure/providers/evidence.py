"""What holds each thing that an adapter says and hears: the evidence of the contract that its tests compare with."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from infrastructure.providers.catalogue.words import checked_keys, word

FOLDER = Path(__file__).parent / "catalogue" / "evidence"
_KEYS = frozenset({"kind", "source"})


class Kind(StrEnum):
    """From the strongest to the weakest; only the last two are not the vendor's own bytes or schema."""

    SDK = "sdk"
    SPEC = "spec"
    VECTOR = "vector"
    RECORDED = "recorded"
    DOCUMENTED = "documented"
    INFERRED = "inferred"


MEANINGS: Mapping[Kind, str] = {
    Kind.SDK: "a recording of the official SDK",
    Kind.SPEC: "the official specification or service model",
    Kind.VECTOR: "published or recomputed byte vectors",
    Kind.RECORDED: "recorded answers of a real server",
    Kind.DOCUMENTED: "the vendor's guides, no bytes",
    Kind.INFERRED: "inferred, from what clients and imitations do",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    kind: Kind
    source: str


Held = Mapping[str, Mapping[str, Evidence]]
"""By model type, or `provider` for what is common to all, and by mark: request, answer, stream, errors, …"""


def evidence(provider: str, folder: Path = FOLDER) -> Held:
    """What holds the marks of a provider. OSError without a file; ValueError names the mark that is wrong, and how."""
    path = folder / f"{provider}.toml"
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        kind: {mark: _read(path, f"{kind}.{mark}", row) for mark, row in rows.items()} for kind, rows in file.items()
    }


def _read(path: Path, mark: str, row: Mapping[str, Any]) -> Evidence:
    try:
        checked_keys(row, _KEYS)
        return Evidence(Kind(row["kind"]), word(row["source"]))
    except (ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"{path.name}: {mark}: {wrong}") from wrong
