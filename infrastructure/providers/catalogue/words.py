"""Reads words for people, and names, from the catalogue's files."""

from collections.abc import Mapping
from typing import Any

from domain.model.labels import Text

_LANGUAGES = frozenset({"en", "ja", "zh"})


def text(written: object) -> Text:
    """A text in one language (English), or a table of up to three."""
    if isinstance(written, str):
        return Text(word(written))
    if not isinstance(written, Mapping):
        raise ValueError("a text is none")
    checked_keys(written, _LANGUAGES)
    others = {language: word(written[language]) for language in ("ja", "zh") if language in written}
    return Text(word(written["en"]), **others)


def word(value: object) -> str:
    """ValueError for what is no text, or blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a name or amount is no text")
    return value


def checked_keys(row: Mapping[str, Any], known: frozenset[str]) -> None:
    """ValueError names the keys that are not known."""
    if unknown := row.keys() - known:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
