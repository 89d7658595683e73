"""`python -m bench.holdups`: how long all else waits while a process reads the largest answers a vendor may send.

The vendor is a process of its own. Beside each call another task comes back as often as it can: the longest time that
it was away is what a request of any other tenant would have waited. An ordinary answer is the measure.
"""

import asyncio
import gc
import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from domain.errors import UpstreamError
from domain.model.catalogue import ModelType
from infrastructure.http import egress
from infrastructure.providers.exchange import Limits
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS
from tests.gateways import LOOPBACK
from tests.stubs.hostile import Habit, head, hostile, whole
from tests.ways import CALLS, KINDS, SSE, chosen, sse

BYTES = Limits()
PIECE = 2**18


class Flood(NamedTuple):
    """What is said to an operation of a provider's model."""

    name: str
    operation: str
    habit: Callable[[], Habit]
    provider: str = "openai"
    model: str = "some-model"


def filled(first: bytes, piece: bytes, last: bytes, size: int = BYTES.whole) -> Habit:
    """One JSON of nearly this size."""
    return whole(first + piece * ((size - len(first + last)) // len(piece)) + last)


def flood(event: bytes) -> Habit:
    """An event again and again."""
    many = event * max(1, PIECE // len(event))
    return lambda: itertools.chain([head(200, SSE)], itertools.repeat(many))


def fragments(*said: dict[str, Any], times: int = 1) -> bytes:
    """A chunk with these fragments of tool calls."""
    return sse({"choices": [{"index": 0, "delta": {"tool_calls": list(said) * times}}]})


def opened() -> Habit:
    """One call after another."""
    numbers = itertools.count()
    chunks = (
        fragments(*({"id": f"{next(numbers):x}", "function": {"name": "a"}} for _ in range(5_000)))
        for _ in itertools.count()
    )
    return lambda: itertools.chain([head(200, SSE)], chunks)


LETTER = sse({"choices": [{"index": 0, "delta": {"content": "a"}}]})
WRITTEN = fragments({"index": 0, "function": {"arguments": "a"}}, times=1_000)
VECTOR = b'{"index":0,"embedding":[' + b"0.12345678," * 1535 + b"0.12345678]},"

FLOODS = (
    Flood("an ordinary answer", "chat", lambda: whole(chosen(1))),
    Flood("a text", "chat", lambda: filled(b'{"choices":[{"message":{"content":"', b"word ", b'"}}]}')),
    Flood("lists, refused", "chat", lambda: filled(b"[", b"[],", b"0]")),
    Flood("lists, as many as are read", "chat", lambda: filled(b"[", b"[],", b"0]", 740_000)),
    Flood(
        "calls",
        "chat",
        lambda: filled(b'{"choices":[{"message":{"tool_calls":[', b'{"id":"a"},', b"{}]}}]}", 1_300_000),
    ),
    Flood(
        "numbers, as many as are read", "embed", lambda: filled(b'{"data":[{"embedding":[', b"0,", b"0]}]}", 7_999_000)
    ),
    Flood("vectors", "embed", lambda: filled(b'{"data":[', VECTOR, b"{}]}")),
    Flood("models", "models", lambda: filled(b'{"data":[', b'{"id":"a"},', b"{}]}", 1_300_000)),
    Flood("events without end", "chat stream", lambda: flood(LETTER)),
    Flood("empty events without end", "chat stream", lambda: flood(sse({}))),
    Flood("signs of life without end", "chat stream", lambda: flood(b":\n")),
    Flood("lines without end", "chat stream", lambda: flood(b"data:\n")),
    Flood("large events without end", "chat stream", lambda: flood(b"data: [" + b"[]," * 240_000 + b"0]\n\n")),
    Flood("fragments of a call without end", "chat stream", lambda: flood(WRITTEN)),
    Flood("calls without end", "chat stream", opened),
    Flood("pieces of text, folded", "chat", lambda: flood(sse({"text_output": "a"})), "nvidia_triton"),
)
"""The largest that are read, and the smallest beyond."""


async def held_up(flood: Flood, url: str) -> tuple[float, float, str]:
    """Seconds for which all else waited at most, those of processor time, and how the call ended."""
    form = FORMS[flood.provider]
    target = rec.target(flood.provider, flood.model, form, KINDS.get(flood.operation, ModelType.LLM))
    adapters = {flood.provider: replace(ADAPTERS[flood.provider], base_url=lambda _: url)}
    async with egress(LOOPBACK, connect=10, read=60) as client:
        gateway = HttpGateway(adapters, client, BYTES)
        gaps = [0.0]
        ticking = asyncio.create_task(ticks(gaps))
        await asyncio.sleep(0.01)
        before, end = time.process_time(), "answered"
        try:
            await CALLS[flood.operation](gateway, target)
        except UpstreamError as failure:
            end = f"{type(failure).__name__}: {failure.detail}"
        used = time.process_time() - before
        await asyncio.sleep(0)
        ticking.cancel()
    return max(gaps), used, end


async def ticks(gaps: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now


@contextmanager
def vendor(at: int) -> Iterator[str]:
    """The address of a process that floods."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=serve, args=(at, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def serve(at: int, told: Any) -> None:
    async def run() -> None:
        async with hostile(FLOODS[at].habit()) as (_, url):
            told.send(url)
            await asyncio.Event().wait()

    asyncio.run(run())


def main() -> None:
    print(f"  {'answer':<34}{'operation':<13}{'others wait, ms':>16}{'CPU s':>8}   ended")
    for at, flood in enumerate(FLOODS):
        with vendor(at) as url:
            gc.collect()
            wait, used, end = asyncio.run(held_up(flood, url))
        print(f"  {flood.name:<34}{flood.operation:<13}{1_000 * wait:16.0f}{used:8.1f}   {end}", flush=True)


if __name__ == "__main__":
    main()
