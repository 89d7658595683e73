"""Reads how each vendor is shown on a settings page: its name, its page of keys, and what it offers."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from domain.model.labels import Text
from infrastructure.providers.catalogue.words import checked_keys, text, word

FILE = Path(__file__).with_name("vendors.toml")
_KEYS = frozenset({"label", "description", "key_page"})


@dataclass(frozen=True, slots=True)
class Shown:
    """`key_page` is where the vendor hands out keys, None for software that a tenant runs."""

    label: Text
    description: Text
    key_page: str | None = None


@cache
def shown() -> Mapping[str, Shown]:
    """By provider. ValueError or KeyError names what is wrong in the file."""
    return {provider: _shown(row) for provider, row in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}


def _shown(row: Mapping[str, Any]) -> Shown:
    checked_keys(row, _KEYS)
    page = word(row["key_page"]) if "key_page" in row else None
    return Shown(text(row["label"]), text(row["description"]), page)
