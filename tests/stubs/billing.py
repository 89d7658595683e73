"""A vendor in a process of its own that writes its bill, a call at a time, where no killed worker can touch it."""

import asyncio
import logging
import os
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.stubs import asgi, shapes
from tests.stubs.asgi import JSON, Receive, Scope, Send
from tests.stubs.misbehaviour import FAILURES
from tests.stubs.serve import serving

_THINKS = 0.8
_LINE = 33


@dataclass(frozen=True, slots=True)
class BillingVendor:
    """An ASGI application whose prompts are call ids in hex, which it bills before a byte of the answer leaves.

    One call in ten is refused and not billed, one in thirty is billed and its answer broken off.
    """

    bill: int
    dice: random.Random

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = orjson.loads(await asgi.read(receive))
        await asyncio.sleep(self.dice.uniform(0, _THINKS))
        luck = self.dice.random()
        if luck < 0.1:
            await FAILURES["fail-400" if luck < 0.05 else "fail-503"](scope, receive, send)
            return
        os.write(self.bill, body["messages"][-1]["content"].encode() + b"\n")
        await asyncio.sleep(self.dice.uniform(0, _THINKS))
        if luck < 0.13:
            await asgi.start(send, 200, JSON, {"content-length": "1000"})
            await asgi.body(send, b'{"choices":[')
            return
        await asgi.json(send, 200, shapes.completion(body, 2))


def serve(bill: Path, address: Path, seed: int) -> None:
    """Serve until the process is ended; `address` then holds the base URL."""

    async def serving_for_ever() -> None:
        async with serving(BillingVendor(descriptor, random.Random(seed))) as url:
            address.with_suffix(".new").write_text(url)
            address.with_suffix(".new").rename(address)
            await asyncio.Event().wait()

    logging.disable()  # a broken answer is an error to the server
    descriptor = os.open(bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(serving_for_ever())


def billed(bill: Path) -> int:
    """How many calls are on the bill now."""
    return bill.stat().st_size // _LINE


def read(bill: Path) -> Counter[str]:
    """How often each call is on it."""
    return Counter(bill.read_text().split())
