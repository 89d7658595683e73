"""A client's bucket within its tenant's: what is taken by one is taken from both, or from neither."""

import time
from dataclasses import dataclass

from api.traffic.buckets import Buckets, Seconds
from domain.model.access import Actor
from domain.model.allowance import Allowance
from domain.model.ids import ClientId, TenantId


@dataclass(frozen=True, slots=True)
class Throttle:
    """Of the two buckets the one that has less left."""

    maximum: float
    left: float
    restored: float
    """Per second."""


class Shares:
    def __init__(self, client: Allowance, tenant: Allowance, clock: Seconds = time.monotonic) -> None:
        self._clients = Buckets[tuple[TenantId, ClientId]](client, clock)
        self._tenants = Buckets[TenantId](tenant, clock)

    def take(self, actor: Actor, amount: float) -> float:
        """Seconds until it could be taken: 0 when it was, infinite when that much can never be."""
        key = actor.tenant_id, actor.client_id
        wait = max(self._clients.wait(key, amount), self._tenants.wait(actor.tenant_id, amount))
        if not wait:
            self._clients.add(key, -amount)
            self._tenants.add(actor.tenant_id, -amount)
        return wait

    def give_back(self, actor: Actor, amount: float) -> None:
        """What was taken and not needed."""
        self._clients.add((actor.tenant_id, actor.client_id), amount)
        self._tenants.add(actor.tenant_id, amount)

    def throttle(self, actor: Actor) -> Throttle:
        mine = self._clients.left((actor.tenant_id, actor.client_id))
        ours = self._tenants.left(actor.tenant_id)
        of = self._clients.allowance if mine <= ours else self._tenants.allowance
        return Throttle(of.maximum, min(mine, ours), of.restored)
