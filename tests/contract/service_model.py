"""Whether a body satisfies a service model of AWS (botocore's service-2.json), shape by shape."""

import re
from collections.abc import Mapping
from typing import Any

from tests.contract import recordings as rec

Shapes = Mapping[str, Mapping[str, Any]]


def satisfies(provider: str, file: str, shape: str, body: Any) -> None:
    """Every member is known and of its type, every required one that travels in the body is there."""
    shapes: Shapes = rec.load(provider, file)["shapes"]
    _check(shapes, shape, body, shape)


def _check(shapes: Shapes, name: str, value: Any, at: str) -> None:
    shape = shapes[name]
    match shape["type"]:
        case "structure" if shape.get("document"):
            return
        case "structure":
            _structure(shapes, shape, value, at)
        case "list":
            assert isinstance(value, list), at
            assert shape.get("min", 0) <= len(value) <= shape.get("max", len(value)), at
            for item in value:
                _check(shapes, shape["member"]["shape"], item, at + "[]")
        case "map":
            assert isinstance(value, dict), at
        case "string" | "blob":
            assert isinstance(value, str), at
            assert value in shape.get("enum", [value]), at
            assert shape.get("min", 0) <= len(value) <= shape.get("max", len(value)), at
            assert "pattern" not in shape or re.fullmatch(shape["pattern"], value), at
        case "boolean":
            assert isinstance(value, bool), at
        case "integer" | "long":
            assert isinstance(value, int), at
        case "float" | "double":
            assert shape.get("min", value) <= value <= shape.get("max", value), at
        case other:
            raise AssertionError(f"{at}: a shape of type {other}")


def _structure(shapes: Shapes, shape: Mapping[str, Any], value: Any, at: str) -> None:
    members = {m.get("locationName", n): m for n, m in shape["members"].items() if "location" not in m}
    located = {name for name, member in shape["members"].items() if "location" in member}
    assert isinstance(value, dict), at
    assert value.keys() <= members.keys(), at
    assert set(shape.get("required", ())) - located <= value.keys(), at
    assert len(value) == 1 or not shape.get("union"), at
    for name, inner in value.items():
        _check(shapes, members[name]["shape"], inner, f"{at}.{name}")
