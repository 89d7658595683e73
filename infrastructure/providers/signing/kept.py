"""Answers between the first request of a call and its last, which the client would read whole and unpack."""

from collections.abc import AsyncGenerator
from typing import cast

import httpx2

from infrastructure.providers.wire.bodies import beginning

SMALL = 2**16
"""Bytes, many times what a token or a ticket takes."""


async def kept(response: httpx2.Response, limit: int = SMALL) -> bytes:
    """At most `limit` bytes of the body, as they came; it can be read once more."""
    source = cast(httpx2.AsyncByteStream, response.stream)
    try:
        body = await beginning(_pieces(source), limit)
    finally:
        await source.aclose()
    response.headers.pop("content-encoding", None)
    response.stream = httpx2.ByteStream(body)
    return body


async def _pieces(source: httpx2.AsyncByteStream) -> AsyncGenerator[bytes, None]:
    async for piece in source:
        yield piece
