"""A tenant's standing, read in one unit of work and remembered for a short lease."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.model.ids import TenantId
from domain.model.selection import Standing
from domain.ports import Begin, Clock

LEASE = timedelta(seconds=2)
RECENT = timedelta(days=30)
CREDENTIALS = 1_000


@dataclass(slots=True)
class LeasedStanding:
    """At most `LEASE` old and at most `room` tenants; readers of one tenant at the same moment share one read."""

    begin: Begin
    clock: Clock
    room: int = 10_000
    _kept: OrderedDict[TenantId, tuple[datetime, asyncio.Task[Standing]]] = field(default_factory=OrderedDict)

    async def __call__(self, tenant_id: TenantId) -> Standing:
        now = self.clock()
        kept = self._kept.get(tenant_id)
        if kept is None or kept[0] <= now or _failed(kept[1]):
            kept = (now + LEASE, asyncio.create_task(self._read(tenant_id, now)))
            self._kept[tenant_id] = kept
            if len(self._kept) > self.room:
                self._kept.popitem(last=False)
        return await asyncio.shield(kept[1])

    def forget(self, tenant_id: TenantId) -> None:
        self._kept.pop(tenant_id, None)

    async def _read(self, tenant_id: TenantId, now: datetime) -> Standing:
        async with self.begin(tenant_id) as work:
            return Standing(
                credentials=tuple(await work.credentials.page(first=CREDENTIALS)),
                pots=tuple(await work.pots.all()),
                preferred=await work.choices.preferred(),
                chosen=await work.choices.defaults(),
                uses=await work.records.uses(now - RECENT),
            )


def _failed(read: asyncio.Task[Standing]) -> bool:
    return read.done() and (read.cancelled() or read.exception() is not None)
