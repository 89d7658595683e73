"""The way into one process, for every request and every operation of a WebSocket."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial

from api.traffic import stays
from api.traffic.buckets import Seconds
from api.traffic.refusals import Throttled
from api.traffic.shares import Shares, keys
from api.traffic.stays import Stay
from api.traffic.turns import CURRENT, Turns
from domain.model.access import Actor
from domain.model.allowance import Allowance


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one process. Allowances count cost points of GraphQL, and requests; the rest is explained at Turns."""

    client_cost: Allowance
    tenant_cost: Allowance
    client_rate: Allowance
    tenant_rate: Allowance
    client_concurrency: int
    tenant_concurrency: int
    places: int
    waiting: int
    waiting_seconds: float


class Gate:
    """What one process lets each client and tenant do; applications that are given the same are bounded together."""

    def __init__(self, limits: Limits, clock: Seconds = time.monotonic) -> None:
        self.limits = limits
        self.cost = Shares(limits.client_cost, limits.tenant_cost, clock)
        self._rate = Shares(limits.client_rate, limits.tenant_rate, clock)
        self._turns = Turns(places=limits.places, waiting=limits.waiting, seconds=limits.waiting_seconds)
        self._under_way: dict[Hashable, int] = {}

    async def through(self, actor: Actor, work: Callable[[], Awaitable[None]]) -> None:
        """Does the work when its turn comes; Throttled, before it begins, when there is too much of it."""
        wait = self._rate.take(actor, 1)
        if wait:
            raise Throttled("Too many requests a second; slow down.", wait)
        client, tenant = keys(actor)
        self._check_room(client, self.limits.client_concurrency, "client")
        self._check_room(tenant, self.limits.tenant_concurrency, "tenant")
        stay = Stay(partial(self._count, client, tenant, -1))
        self._count(client, tenant, 1)
        stay.join()
        before = stays.CURRENT.set(stay)
        try:
            await self._in_turn(actor, work)
        finally:
            stays.CURRENT.reset(before)
            stay.leave()

    async def _in_turn(self, actor: Actor, work: Callable[[], Awaitable[None]]) -> None:
        turn = await self._turns.take(actor)
        before = CURRENT.set(turn)
        try:
            await work()
        finally:
            turn.leave()
            CURRENT.reset(before)

    def _check_room(self, whose: Hashable, most: int, kind: str) -> None:
        if self._under_way.get(whose, 0) >= most:
            raise Throttled(f"This {kind} has {most} requests under way; wait for one to end.")

    def _count(self, client: Hashable, tenant: Hashable, more: int) -> None:
        for whose in (client, tenant):
            count = self._under_way.get(whose, 0) + more
            if count:
                self._under_way[whose] = count
            else:
                del self._under_way[whose]
