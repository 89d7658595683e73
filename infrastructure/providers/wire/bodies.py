"""Bodies: JSON in and out, and the beginning of one that may be anything."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson

from infrastructure.providers.wire import Malformed


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
    """The JSON value of a body; Malformed when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("the answer is not JSON") from None


def lenient(body: bytes) -> Any:
    """The JSON value of a body, or its text when it is none: refusals come in any form."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def rendered(value: Any) -> bytes:
    """JSON bytes; ValueError for what JSON cannot carry: lone surrogates, integers beyond 64 bits."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as refusal:
        raise ValueError(str(refusal)) from None
