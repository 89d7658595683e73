"""OpenAI's embeddings, whose vectors travel as base64 of little-endian 32-bit floats or as lists of numbers."""

import base64
import math
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import count, dig, rows, table, tally

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Embed:
    """POST embeddings. `encoding` None leaves the choice to the server, `prefix` goes before every text,
    `dimensions` is the name of the length that is asked for; `extras` goes into every body.

    `texts` is the most that one request carries; OpenAI's own bound is 2,048 texts and 300,000 tokens together.
    """

    encoding: str | None = "base64"
    prefix: str = ""
    dimensions: str = "dimensions"
    extras: Mapping[str, Any] = field(default_factory=dict)
    texts: int = 512
    path: str = "embeddings"

    def suited(self, target: Target, call: EmbedCall) -> Self:  # noqa: ARG002 - a seam: some vendors look at them
        """This dialect as one model, or the form of one credential, wants it."""
        return self

    def model(self, target: Target) -> str:
        """The name under which the vendor knows the model."""
        return target.model.name

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts

    def render(self, target: Target, call: EmbedCall) -> Request:
        return self.suited(target, call).written(self.model(target), call)

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        return embeddings(body, count)

    def written(self, model: str, call: EmbedCall) -> Request:
        """The request for a model under the vendor's name of it."""
        body: dict[str, Any] = {"model": model, "input": [self.prefix + text for text in call.texts]}
        if self.encoding:
            body["encoding_format"] = self.encoding
        if call.dimensions is not None:
            body[self.dimensions] = call.dimensions
        return Request(self.path, body | {**self.extras})


def embeddings(body: object, expected: int) -> Embeddings:
    """Vectors by their `index`, where the server gives one to each; BadRequestUpstream if they do not fit the texts."""
    data = rows(dig(body, "data"))
    if len(data) != expected:
        raise not_understood(f"{len(data)} vectors came for {expected} texts")
    places = [count(dig(row, "index")) for row in data]
    if sorted(place for place in places if place is not None) == list(range(expected)):
        data = [row for _, row in sorted(zip(places, data, strict=True), key=lambda pair: pair[0] or 0)]
    elif any(place is not None for place in places):
        raise not_understood("the vectors' indices do not fit the texts")
    vectors = tuple(vector(dig(row, "embedding")) for row in data)
    return Embeddings(vectors, _usage(dig(body, "usage")))


def in_order(found: object, expected: int) -> tuple[Vector, ...]:
    """Vectors in a bare list, in the order of the texts; BadRequestUpstream if there are more or fewer."""
    if len(rows(found)) != expected:
        raise not_understood(f"{len(rows(found))} vectors came for {expected} texts")
    return tuple(map(vector, rows(found)))


def averaged(found: object, expected: int) -> tuple[Vector, ...]:
    """As `in_order`, where a model that is not pooled gives a vector per token: a text's is their mean."""
    texts = [_bare(item) for item in rows(found)]
    pooled = [_mean(in_order(text, len(rows(text)))) if isinstance(dig(text, 0), list) else text for text in texts]
    return in_order(pooled, expected)


def _bare(item: object) -> object:
    """Without the dimension of one that some servers put around a text's tokens."""
    return dig(item, 0) if isinstance(dig(item, 0, 0), list) and len(rows(item)) == 1 else item


def _mean(vectors: tuple[Vector, ...]) -> list[float]:
    if len({len(each) for each in vectors}) != 1:
        raise not_understood("the vectors of a text differ in length")
    return [math.fsum(column) / len(vectors) for column in zip(*vectors, strict=True)]


def vector(value: object) -> Vector:
    """A list of numbers, or base64 of little-endian float32 (RFC 4648); BadRequestUpstream if it is neither."""
    try:
        numbers = _unpacked(value) if isinstance(value, str) else tuple(map(float, rows(value)))
    except (ValueError, TypeError, OverflowError):
        raise not_understood("a vector is neither numbers nor base64 of them") from None
    if not numbers or not math.isfinite(sum(numbers)):
        raise not_understood("a vector is empty or holds what is no number")
    return numbers


def _unpacked(value: str) -> Vector:
    packed = array("f", base64.b64decode(value, validate=True))
    if sys.byteorder == "big":
        packed.byteswap()
    return tuple(packed)


def _usage(counts: object) -> Usage:
    """Embeddings have no output; some servers give only the total."""
    tokens = tally(dig(counts, "prompt_tokens"))
    tokens = tokens if tokens is not None else tally(dig(counts, "total_tokens"))
    return Usage(tokens, None if tokens is None else 0, raw=table(counts))
