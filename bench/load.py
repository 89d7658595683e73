"""A bounded load from many clients, and what it saw."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import aiohttp


@dataclass(frozen=True, slots=True)
class Shot:
    """One request to repeat. `events` is how many streamed events an answer has at least, 0 when it is no stream."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    expects: bytes
    events: int = 0


@dataclass(slots=True)
class Seen:
    """Latencies in seconds (`firsts`: to the first streamed event), and the wall time of all."""

    latencies: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    wall: float = 0.0

    def rate(self) -> float:
        return len(self.latencies) / self.wall

    def quantile(self, percent: int) -> float:
        """In milliseconds."""
        return 1_000 * statistics.quantiles(self.latencies, n=100)[percent - 1]


async def fire(shot: Shot, *, clients: int, requests: int) -> Seen:
    """RuntimeError when an answer is not the expected one: a fast refusal is not a result."""
    seen = Seen()
    left = iter(range(requests))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False) as session:
        started = time.perf_counter()
        await asyncio.gather(*(_client(session, shot, left, seen) for _ in range(clients)))
        seen.wall = time.perf_counter() - started
    return seen


async def _client(session: aiohttp.ClientSession, shot: Shot, left: Iterator[int], seen: Seen) -> None:
    for _ in left:
        began = time.perf_counter()
        async with session.post(shot.url, data=shot.body, headers=shot.headers) as answer:
            if shot.events:
                await _read_stream(answer, shot, seen, began)
            else:
                body = await answer.read()
                if shot.expects not in body:
                    raise RuntimeError(f"unexpected answer {answer.status}: {body[:300]!r}")
        seen.latencies.append(time.perf_counter() - began)


async def _read_stream(answer: aiohttp.ClientResponse, shot: Shot, seen: Seen, began: float) -> None:
    count, first = 0, 0.0
    async for line in answer.content:
        if shot.expects in line:
            first = first or time.perf_counter() - began
            count += 1
    if count < shot.events:
        raise RuntimeError(f"a stream of {count} events instead of {shot.events}")
    seen.firsts.append(first)
