"""Reads the trials that every new tenant gets on the platform's keys."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.model.catalogue import Catalogue, ModelRef, ModelType
from domain.model.quota import Trial, Unit

FILE = Path(__file__).with_name("trials.toml")


def trials(catalogue: Catalogue, file: Path = FILE) -> dict[str, Trial]:
    """By provider. ValueError for a provider or model without a row, or nothing granted."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    return {provider: _trial(provider, facts, catalogue) for provider, facts in found.items()}


def _trial(provider: str, facts: Mapping[str, Any], catalogue: Catalogue) -> Trial:
    models = tuple(ModelRef(provider, name, ModelType(facts["type"])) for name in facts["models"])
    unknown = [str(ref) for ref in models if catalogue.model(ref) is None]
    granted = facts["granted"]
    if unknown or not models or type(granted) is not int or granted <= 0:
        raise ValueError(f"trial of {provider}: granted {granted}, {len(models)} models, without a row: {unknown}")
    return Trial(provider, Unit(facts["unit"]), granted, models)
