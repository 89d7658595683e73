"""Reads what each vendor's own codes and texts mean when it refuses, from the TOML file beside this module."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from domain import errors
from infrastructure.providers.catalogue.words import checked_keys, word
from infrastructure.providers.dialects.refusals import Meaning, Phrase, Refusals

FILE = Path(__file__).with_name("refusals.toml")
_KEYS = frozenset({"rules", "code", "message"})
_RULE_KEYS = frozenset({"means", "status", "words", "like", "says"})
_KINDS = (
    errors.CredentialRejected,
    errors.UpstreamPaymentRequired,
    errors.UpstreamRateLimited,
    errors.ContextTooLong,
    errors.ContentRefused,
    errors.BadRequestUpstream,
    errors.ModelNotFoundUpstream,
    errors.UpstreamUnavailable,
)
_MEANINGS: Mapping[str, type[errors.UpstreamError]] = {kind.code: kind for kind in _KINDS}


def refusals(provider: str, file: Path = FILE) -> Refusals:
    """Of a vendor that is in the file; KeyError for others. ValueError names the vendor whose rules are wrong."""
    written = _read(file)[provider]
    try:
        checked_keys(written, _KEYS)
        rules = written["rules"]
        for rule in rules:
            checked_keys(rule, _RULE_KEYS)
        phrases = tuple(_phrase(rule) for rule in rules if not rule.keys() & {"words", "like"})
        places = (tuple(map(word, written.get(place, ()))) for place in ("code", "message"))
        return Refusals(_meanings(rules, "words"), _meanings(rules, "like"), phrases, *places)
    except (ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"{file.name}: {provider}: {wrong}") from wrong


@cache
def _read(file: Path) -> Mapping[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _meanings(rules: Iterable[Mapping[str, Any]], key: str) -> Mapping[str, Meaning]:
    """Those that mean the same stand in one string, parted by spaces."""
    return {said: (_MEANINGS[rule["means"]], rule["status"]) for rule in rules for said in rule.get(key, "").split()}


def _phrase(rule: Mapping[str, Any]) -> Phrase:
    return Phrase(_MEANINGS[rule["means"]], rule.get("says", ""), rule.get("status"))
