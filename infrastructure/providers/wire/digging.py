"""Takes what it can from JSON that may be of any shape: a missing, null or odd value reads as an empty one."""

from collections.abc import Mapping, Sequence
from typing import Any

_EXACT = 2**53
_BELIEVED = 10**12


def table(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> Sequence[Any]:
    """The array, or an empty one."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """The whole number, negative ones too; None for anything else, and beyond what JSON numbers carry exactly."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -_EXACT < value < _EXACT else None


def tally(value: object) -> int | None:
    """What a vendor counted; None for no whole number, one below zero, and one beyond belief."""
    number = count(value)
    return number if number is not None and 0 <= number < _BELIEVED else None


def dig(value: object, *keys: str | int) -> Any:
    """What lies at the end of a path of object keys and array positions; None when the path breaks off."""
    for key in keys:
        value = table(value).get(key) if isinstance(key, str) else _nth(rows(value), key)
    return value


def _nth(items: Sequence[Any], place: int) -> Any:
    return items[place] if len(items) > place else None
