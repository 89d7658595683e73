"""A vendor that minds no rule of HTTP, JSON or good manners: it says byte by byte what a habit makes it say."""

import asyncio
import gzip
import itertools
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

from tests.stubs.serve import conversing, request_read

HANG_UP = b""
"""A piece that ends the connection; without it, the vendor waits for the next request, or for the caller to leave."""

Habit = Callable[[], Iterable[bytes]]
"""The pieces of an answer, often without end."""

SPAN = 2**14


@dataclass(slots=True)
class Hostile:
    """`heads` are those of the requests that came, `sent` the bytes that were said; `busy` counts answers under way.

    `pause` is in seconds, before each piece but the first.
    """

    habit: Habit
    pause: float = 0.0
    heads: list[bytes] = field(default_factory=list)
    sent: int = 0
    busy: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        going_on = True
        while going_on:
            self.heads.append(await request_read(reader))
            self.busy += 1
            try:
                going_on = await self._answered(writer)
            finally:
                self.busy -= 1

    async def _answered(self, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow."""
        for piece in self.habit():
            if piece is HANG_UP:
                return False
            writer.write(piece)
            self.sent += len(piece)
            await writer.drain()
            await asyncio.sleep(self.pause)
        return True

    async def rested(self) -> None:
        """Once it says no more: an answer without end has only ended when its connection has."""
        while self.busy:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def hostile(habit: Habit, pause: float = 0.0) -> AsyncIterator[tuple[Hostile, str]]:
    """A vendor with this habit, and its address."""
    vendor = Hostile(habit, pause)
    async with conversing(vendor) as url:
        yield vendor, url


def head(status: int = 200, media_type: str = "application/json", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {media_type}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def whole(body: bytes, media_type: str = "application/json", status: int = 200, *headers: str) -> Habit:
    """An answer with its true length."""
    said = head(status, media_type, f"content-length: {len(body)}", *headers) + body
    return lambda: [said]


def cut(body: bytes, media_type: str, status: int = 200) -> Habit:
    """One that ends with its connection, in the middle of a chunk."""
    opening = head(status, media_type, "transfer-encoding: chunked")
    return lambda: [opening, b"%x\r\n%s" % (len(body) + 9, body), HANG_UP]


def endless(piece: bytes, media_type: str, status: int = 200, first: bytes = b"") -> Habit:
    """One piece again and again, a length never being told."""
    times = max(1, SPAN // max(len(piece), 1))
    return lambda: itertools.chain([head(status, media_type) + first], itertools.repeat(piece * times))


def dripping(body: bytes, media_type: str, status: int = 200) -> Habit:
    """A byte at a time, for ever."""
    drops = [body[at : at + 1] for at in range(len(body))] or [b" "]
    return lambda: itertools.chain([head(status, media_type)], itertools.cycle(drops))


@cache
def packed(body: bytes, media_type: str, encoding: str, status: int = 200) -> Habit:
    said = gzip.compress(body) if encoding.endswith("gzip") else zlib.compress(body)
    return whole(said, media_type, status, f"content-encoding: {encoding}")


HTML = b"<!doctype html><title>Oops</title><h1>Bad gateway</h1>"
XML = b'<?xml version="1.0"?><error><code>42</code></error>'
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
ZEROS = b"0" * 2**23

NO_HTTP: dict[str, Habit] = {
    "another protocol": lambda: [b"SSH-2.0-OpenSSH_9.9\r\n", HANG_UP],
    "zeros": lambda: [bytes(4096), HANG_UP],
    "a status line without end": lambda: itertools.chain([b"HTTP/1.1 200 "], itertools.repeat(b"a" * SPAN)),
    "a header without end": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nx: "], itertools.repeat(b"a" * SPAN)),
    "headers without end": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"x-a: b\r\n" * 512)),
    "a status of letters": lambda: [b"HTTP/1.1 OK 200\r\n\r\n", HANG_UP],
    "two lengths": lambda: [head(200, "application/json", "content-length: 2", "content-length: 3") + b"{}"],
    "a length below zero": lambda: [head(200, "application/json", "content-length: -2") + b"{}"],
    "a length and chunks": lambda: [
        head(200, "application/json", "content-length: 2", "transfer-encoding: chunked") + b"{}"
    ],
    "NUL in a header": lambda: [head(200, "application/json", "x: a\0b", "content-length: 2") + b"{}"],
}
"""What is refused before its body is read."""

SLOW: dict[str, Habit] = {
    "silence": list,
    "a head that drips": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nx: "], itertools.repeat(b"a")),
    "interim answers without end": lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hints without end": lambda: itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    "a head and no more": lambda: [head(200, "application/json", "content-length: 9")],
}
"""What ends only when the time is over; one piece at a time, with pauses."""

NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "garbage": b"\0\1 this is no JSON",
    "a page": HTML,
    "XML": XML,
    "an image": PNG,
    "bad UTF-8": b'{"choices":[{"message":{"content":"\xff\xfe"}}]}',
    "a mark of byte order": b'\xef\xbb\xbf{"data":[]}',
    "UTF-16": '{"data":[]}'.encode("utf-16"),
    "lists in lists": b"[" * 100_000,
    "objects in objects": b'{"a":' * 100_000,
    "closed lists in lists": b"[" * 100_000 + b"]" * 100_000,
    "a million digits": b'{"data":' + b"9" * 10**6 + b"}",
    "half a character": b'{"a":"\\ud800"}',
    "a bare NUL": b'{"a":"\0"}',
    "NaN": b'{"data":[{"index":0,"embedding":[NaN]}]}',
    "Infinity": b'{"embeddings":[[-Infinity]]}',
    "beyond all numbers": b'{"results":[{"index":0,"relevance_score":1e999}]}',
    "half of it": b'{"choices":[{"message":{"conte',
    "two of it": b'{"data":[]}{"data":[]}',
    "gzip untold": gzip.compress(ZEROS),
}
"""Bodies of a 200 that are no JSON."""

OTHER_TYPES = {"a page": ("text/html", HTML), "XML": ("application/xml", XML), "an image": ("image/png", PNG)}

WORDS: dict[str, tuple[str, bytes]] = {
    "nothing": ("application/json", b""),
    "a page": ("text/html", HTML),
    "bad UTF-8": ("application/json", b'{"error":{"message":"\xff\xfe\xc0\x80"}}'),
    "half a character": ("application/json", b'{"error":{"message":"\\ud800"}}'),
    "NUL": ("application/json", b'{"error":{"message":"a\\u0000b","code":"\\u0000"}}'),
    "lists in lists": ("application/json", b"[" * 100_000),
    "a million digits": ("application/json", b'{"error":{"code":' + b"9" * 10**6 + b"}}"),
    "odd types": ("application/json", b'{"error":{"message":[1],"code":{"a":[]},"type":-1e308},"detail":{}}'),
    "a list": ("application/json", b"[[[1]]]"),
    "an image": ("image/png", PNG),
    "long words": ("text/plain", b"very " * 10_000),
}
"""What may stand in a refusal: its status says enough."""
