"""Removing what has been over for long enough, a little at a time, in every tenant and above them."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from domain.model.ids import TenantId
from domain.model.leftovers import KEPT, OF_TENANT, Leftover
from domain.ports import Begin, BeginDirectory, Clock, RollCall

MOST = 1_000
"""Rows of one kind that one unit of work removes: it locks no more, and none for long."""

PAGE = 100

Step = Callable[[], Awaitable[Mapping[Leftover, int]]]


@dataclass(slots=True)
class Pruned:
    """How many of what are gone, and in how many places they could not be removed now."""

    removed: Counter[Leftover] = field(default_factory=Counter)
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Pruning:
    """Any number of processes may prune at once: what one has locked the others leave to it."""

    begin: Begin
    directory: BeginDirectory
    roll_call: RollCall
    clock: Clock

    async def run(self, over: Callable[[], bool] = lambda: False) -> Pruned:
        """Once through all tenants, until nothing is left to remove or it is `over`.

        By the operator's own process, where there is no actor to ask. A tenant that fails is left for the next time.
        """
        pruned = Pruned()
        async for step in self._places():
            try:
                await _emptied(step, pruned.removed, over)
            except Exception:  # whatever it is, it is no reason to leave out all other tenants
                pruned.failed += 1
            if over():
                break
        return pruned

    async def _places(self) -> AsyncIterator[Step]:
        yield self._above
        after = None
        while page := await self.roll_call(first=PAGE, after=after):
            for tenant_id in page:
                yield partial(self._within, tenant_id)
            after = page[-1]

    async def _above(self) -> Mapping[Leftover, int]:
        async with self.directory() as book:
            return {
                Leftover.SESSIONS: await book.sessions.sweep(self._before(Leftover.SESSIONS), most=MOST),
                Leftover.RESETS: await book.resets.sweep(self._before(Leftover.RESETS), most=MOST),
                Leftover.FAILURES: await book.failures.sweep(self._before(Leftover.FAILURES), most=MOST),
            }

    async def _within(self, tenant_id: TenantId) -> Mapping[Leftover, int]:
        async with self.begin(tenant_id) as work:
            return {what: await work.leftovers.remove(what, self._before(what), most=MOST) for what in OF_TENANT}

    def _before(self, what: Leftover) -> datetime:
        return self.clock() - KEPT[what]


async def _emptied(step: Step, removed: Counter[Leftover], over: Callable[[], bool]) -> None:
    more = True
    while more and not over():
        gone = await step()
        removed.update(gone)
        more = MOST in gone.values()
