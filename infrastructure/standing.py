"""A tenant's standing, read in one unit of work and remembered for a short lease."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.model.catalogue import ModelRef
from domain.model.ids import TenantId
from domain.model.selection import Standing
from domain.ports import Begin, Clock, Work

LEASE = timedelta(seconds=2)
USES_LEASE = timedelta(minutes=1)
RECENT = timedelta(days=30)
CREDENTIALS = 1_000

Uses = Mapping[ModelRef, int]


@dataclass(slots=True)
class _Leased:
    """A reading, under way or done, and the counted uses that later readings may repeat."""

    reading: asyncio.Task[Standing]
    until: datetime
    uses_until: datetime

    def fresh(self, now: datetime) -> bool:
        return now < self.until and not self.failed()

    def failed(self) -> bool:
        return self.reading.done() and (self.reading.cancelled() or self.reading.exception() is not None)

    def uses(self, now: datetime) -> Uses | None:
        usable = self.reading.done() and not self.failed() and now < self.uses_until
        return self.reading.result().uses if usable else None


@dataclass(slots=True)
class LeasedStanding:
    """At most `LEASE` old (uses: `USES_LEASE`), for at most `room` tenants. Readers at one moment share a reading."""

    begin: Begin
    clock: Clock
    room: int = 10_000
    _kept: OrderedDict[TenantId, _Leased] = field(default_factory=OrderedDict)

    async def __call__(self, tenant_id: TenantId) -> Standing:
        now = self.clock()
        leased = self._kept.get(tenant_id)
        if leased is None or not leased.fresh(now):
            leased = self._kept[tenant_id] = self._lease(tenant_id, now, leased)
            if len(self._kept) > self.room:
                self._kept.popitem(last=False)
        self._kept.move_to_end(tenant_id)
        return await asyncio.shield(leased.reading)

    def forget(self, tenant_id: TenantId) -> None:
        self._kept.pop(tenant_id, None)

    def _lease(self, tenant_id: TenantId, now: datetime, before: _Leased | None) -> _Leased:
        uses = before.uses(now) if before else None
        reading = asyncio.create_task(self._read(tenant_id, now, uses))
        uses_until = before.uses_until if before and uses is not None else now + USES_LEASE
        return _Leased(reading, now + LEASE, uses_until)

    async def _read(self, tenant_id: TenantId, now: datetime, uses: Uses | None) -> Standing:
        async with self.begin(tenant_id) as work:
            standing = await _chosen(work, now)
            return replace(standing, uses=await work.records.uses(now - RECENT) if uses is None else uses)


async def _chosen(work: Work, now: datetime) -> Standing:
    return Standing(
        credentials=tuple(await work.credentials.page(first=CREDENTIALS)),
        pots=tuple(await work.pots.all(now)),
        preferred=await work.choices.preferred(),
        chosen=await work.choices.defaults(),
        custom={model.ref: model for model in await work.models.custom()},
        disabled=await work.models.disabled(),
        caps=tuple(await work.caps.all()),
        coolings={cooling.credential_id: cooling for cooling in await work.coolings.all()},
    )
