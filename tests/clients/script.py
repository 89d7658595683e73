"""A Node script of a client that others wrote, and the conversation with it."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LINE = 1 << 20
PATIENCE = 60
"""Seconds that a script may take over what it tells next."""


@dataclass(frozen=True, slots=True)
class Script:
    process: Process

    async def tell(self, **facts: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(facts).encode() + b"\n")
        await self.process.stdin.drain()

    async def hear(self) -> Any:
        """What it tells next; AssertionError, with what it complained of, when it ended instead."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert line, await self._complaint()
        return json.loads(line)

    async def _complaint(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def script(name: str, **given: Any) -> AsyncIterator[Script]:
    """`node/<name>` at work. On the way out it has nothing more to hear, and must end well."""
    process = await asyncio.create_subprocess_exec(
        "node", str(HERE / "node" / name), stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LINE
    )
    try:
        running = Script(process)
        await running.tell(**given)
        yield running
        _, complaint = await process.communicate(b"")
        assert process.returncode == 0, complaint.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
