"""A client's bucket within its tenant's: what is taken by one is taken from both, or from neither."""

import time
from dataclasses import dataclass

from api.traffic.buckets import Buckets, Seconds
from domain.model.access import Actor
from domain.model.allowance import Allowance


@dataclass(frozen=True, slots=True)
class Throttle:
    """Of the two buckets the one that has less left."""

    maximum: float
    left: float
    restored: float
    """Per second."""


class Shares:
    def __init__(self, client: Allowance, tenant: Allowance, clock: Seconds = time.monotonic) -> None:
        self._clients = Buckets[tuple[int, int]](client, clock)
        self._tenants = Buckets[int](tenant, clock)

    def take(self, actor: Actor, amount: float) -> float:
        """Seconds until it could be taken: 0 when it was, infinite when that much can never be."""
        client, tenant = keys(actor)
        mine, ours = self._clients.left(client), self._tenants.left(tenant)
        wait = max(self._clients.allowance.wait(amount, mine), self._tenants.allowance.wait(amount, ours))
        if not wait:
            self._clients.put(client, mine - amount)
            self._tenants.put(tenant, ours - amount)
        return wait

    def give_back(self, actor: Actor, amount: float) -> None:
        """What was taken and not needed."""
        client, tenant = keys(actor)
        self._clients.put(client, self._clients.left(client) + amount)
        self._tenants.put(tenant, self._tenants.left(tenant) + amount)

    def throttle(self, actor: Actor) -> Throttle:
        client, tenant = keys(actor)
        mine, ours = self._clients.left(client), self._tenants.left(tenant)
        of = self._clients.allowance if mine <= ours else self._tenants.allowance
        return Throttle(of.maximum, min(mine, ours), of.restored)


def keys(actor: Actor) -> tuple[tuple[int, int], int]:
    """Of the client and of the tenant. A UUID is hashed in Python, its number is not."""
    tenant = actor.tenant_id.int
    return (tenant, actor.client_id.int), tenant
