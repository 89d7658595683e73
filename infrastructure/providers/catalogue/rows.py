"""Reads the rows of one provider's models from the TOML file beside this module, and refuses what they cannot mean."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from domain.model.catalogue import Feature, Limits, Model, ModelRef, ModelType, Price, PriceUnit, Voice
from domain.model.labels import Text
from infrastructure.providers.catalogue.rules import rules
from infrastructure.providers.catalogue.words import checked_keys, text, word

FOLDER = Path(__file__).parent
_SIZES = frozenset({"context", "max_output", "dimensions"})
_LISTS = frozenset({"features", "voices", "parameters"})
_KEYS = _SIZES | _LISTS | {"name", "type", "label", "limits", "price", "retires", "successor", "deprecated", "rank"}
_PRICE_KEYS = frozenset({"input", "output", "per", "currency", "unit"})
_LIMIT_KEYS = frozenset({"texts", "characters", "bytes", "formats", "other_voices"})
_VOICE_KEYS = frozenset({"id", "label", "languages"})


def rows(provider: str, folder: Path = FOLDER) -> tuple[Model, ...]:
    """The models of a provider; none when it has no file. ValueError names the row that is wrong, and how."""
    path = folder / f"{provider}.toml"
    if not path.exists():
        return ()
    models = []
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    for row in file.get("models", ()):
        try:
            models.append(_model(provider, row, file))
        except (ValueError, KeyError, TypeError) as wrong:
            raise ValueError(f"{path.name}: {row.get('name')}: {wrong}") from wrong
    _check_together(path.name, models)
    return tuple(models)


def _model(provider: str, row: Mapping[str, Any], file: Mapping[str, Any]) -> Model:
    """A row, on top of what the file says of all its vendor's models."""
    checked_keys(row, _KEYS)
    retires = row.get("retires")
    if retires is not None and type(retires) is not date:
        raise ValueError("retires is no date")
    return Model(
        ref=ModelRef(provider, word(row["name"]), ModelType(row["type"])),
        label=text(row.get("label", row["name"])),
        features=frozenset(map(Feature, row.get("features", ()))),
        context=_size(row, "context"),
        max_output=_size(row, "max_output"),
        dimensions=_size(row, "dimensions"),
        price=_price(row["price"]) if "price" in row else None,
        retires=retires,
        successor=word(row["successor"]) if "successor" in row else None,
        rank=int(row.get("rank", 0)),
        limits=_limits({**file.get("limits", {}).get(row["type"], {}), **row.get("limits", {})}),
        voices=tuple(map(_voice, row.get("voices", ()))),
        parameters=rules(row, file.get("parameters", {})),
        deprecated=row.get("deprecated", False) is True,
    )


def _limits(limits: Mapping[str, Any]) -> Limits:
    checked_keys(limits, _LIMIT_KEYS)
    formats = tuple(map(word, limits.get("formats", ())))
    other_voices = limits.get("other_voices", False) is True
    return Limits(_size(limits, "texts"), _size(limits, "characters"), _size(limits, "bytes"), formats, other_voices)


def _voice(voice: str | Mapping[str, Any]) -> Voice:
    """A voice with a label and languages, or one that is called by its id and speaks any."""
    if isinstance(voice, str):
        return Voice(word(voice), Text(voice.capitalize()))
    checked_keys(voice, _VOICE_KEYS)
    return Voice(word(voice["id"]), text(voice["label"]), tuple(map(word, voice.get("languages", ()))))


def _price(price: Mapping[str, Any]) -> Price:
    checked_keys(price, _PRICE_KEYS)
    currency = word(price["currency"])
    if len(currency) != 3 or not currency.isupper():
        raise ValueError("currency is no ISO 4217 code")
    per = _size(price, "per")
    if per is None:
        raise ValueError("price has no per")
    unit = PriceUnit(price["unit"]) if "unit" in price else None
    return Price(_amount(price, "input"), _amount(price, "output"), per, currency, unit)


def _amount(price: Mapping[str, Any], key: str) -> Decimal | None:
    if key not in price:
        return None
    try:
        amount = Decimal(word(price[key]))
    except InvalidOperation:
        raise ValueError(f"{key} is no decimal") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{key} is no amount of money")
    return amount


def _size(row: Mapping[str, Any], key: str) -> int | None:
    size = row.get(key)
    if size is not None and (type(size) is not int or size <= 0):
        raise ValueError(f"{key} is no size")
    return size


def _check_together(file: str, models: Sequence[Model]) -> None:
    """Each model once, and successors among them, of the same type."""
    refs = Counter(model.ref for model in models)
    twice = [str(ref) for ref, times in refs.items() if times > 1]
    heirs = {ModelRef(m.ref.provider, m.successor, m.ref.type) for m in models if m.successor}
    lost = [str(ref) for ref in sorted(heirs - refs.keys())]
    if twice or lost:
        raise ValueError(f"{file}: rows that occur twice: {twice}; successors without a row: {lost}")
