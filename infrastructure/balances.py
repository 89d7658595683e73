"""Watching balances: one poll per tenant and process, shared by all who watch, and none when nobody does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from domain.model.ids import TenantId
from domain.model.quota import Pot
from domain.ports import Begin, Clock

INTERVAL = 1.0
"""Seconds between two readings."""

_log = structlog.get_logger()


@dataclass(slots=True)
class _Poll:
    """What is known of one tenant: its last reading, None before the first, and who waits for the next."""

    pots: tuple[Pot, ...] | None = None
    watchers: int = 0
    read: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Wake all who wait now; those who come later wait for the next reading."""
        self.read.set()
        self.read = asyncio.Event()


@dataclass(frozen=True, slots=True)
class PolledBalances:
    """A reading that fails is left out: the next one tells. `sleep` waits for so many seconds."""

    begin: Begin
    clock: Clock
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _polls: dict[TenantId, _Poll] = field(default_factory=dict)

    @asynccontextmanager
    async def __call__(self, tenant_id: TenantId) -> AsyncIterator[AsyncIterator[Sequence[Pot]]]:
        poll = self._polls.setdefault(tenant_id, _Poll())
        poll.watchers += 1
        if poll.task is None:
            poll.task = asyncio.create_task(self._run(tenant_id, poll))
        try:
            yield self._changes(poll)
        finally:
            poll.watchers -= 1
            if not poll.watchers:
                del self._polls[tenant_id]  # its task ends with its present rest

    async def _changes(self, poll: _Poll) -> AsyncIterator[Sequence[Pot]]:
        told: tuple[Pot, ...] | None = None
        while True:
            read = poll.read
            if poll.pots is not None and poll.pots != told:
                told = poll.pots
                yield told
            else:
                await read.wait()

    async def _run(self, tenant_id: TenantId, poll: _Poll) -> None:
        while poll.watchers:
            await self._look(tenant_id, poll)
            await self.sleep(INTERVAL)

    async def _look(self, tenant_id: TenantId, poll: _Poll) -> None:
        try:
            async with self.begin(tenant_id) as work:
                poll.pots = tuple(await work.pots.all(self.clock()))
        except Exception as failure:
            _log.warning("balances could not be read", failure=type(failure).__name__)
        poll.tell()
