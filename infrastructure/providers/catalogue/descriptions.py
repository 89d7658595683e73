"""Reads what each vendor offers, in the words that a settings page shows."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from domain.model.labels import Text
from infrastructure.providers.catalogue.words import text

FILE = Path(__file__).with_name("descriptions.toml")


@cache
def descriptions() -> Mapping[str, Text]:
    """By provider."""
    return {provider: text(words) for provider, words in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}
