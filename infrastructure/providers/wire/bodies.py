"""Bodies: JSON in and out, and the beginning of one that may be anything."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson

from infrastructure.providers.wire import Malformed

_PARTS = 250_000
"""Lists, objects and keys: more than the words of hours of speech with their times, or the models of any vendor."""
_NUMBERS = 4_000_000
"""As many as fit into 32 MiB of vectors, which write a number in eight bytes or more."""


async def beginning(pieces: AsyncGenerator[bytes, None], limit: int) -> bytes:
    """At most the first `limit` bytes, roughly; the rest is left unread."""
    parts: list[bytes] = []
    size = 0
    async with aclosing(pieces):
        async for piece in pieces:
            parts.append(piece)
            size += len(piece)
            if size >= limit:
                break
    return b"".join(parts)[:limit]


def parsed(body: bytes) -> Any:
    """The JSON value of a body; Malformed when it is none, or would hold up all other calls while it is read."""
    if _crowded(body):
        raise Malformed("the answer is made of too many parts")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("the answer is not JSON") from None


def _crowded(body: bytes) -> bool:
    """By the marks that come with lists, objects, keys and numbers, wherever they stand: audio and text have few."""
    return len(body) > _PARTS and (sum(map(body.count, (b"[", b"{", b":"))) > _PARTS or body.count(b",") > _NUMBERS)


def lenient(body: bytes) -> Any:
    """The JSON value of a body, or its text when it is none: refusals come in any form."""
    try:
        return parsed(body)
    except Malformed:
        return body.decode(errors="replace")


def rendered(value: Any) -> bytes:
    """JSON bytes; ValueError for what JSON cannot carry: lone surrogates, integers beyond 64 bits."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as refusal:
        raise ValueError(str(refusal)) from None
