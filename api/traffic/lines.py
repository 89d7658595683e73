"""Who waits, and in which order they are called: tenants take turns, then a tenant's clients, then who came first."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from domain.model.access import Actor
from domain.model.ids import ClientId, TenantId

T = TypeVar("T")


class Lines(Generic[T]):
    """At most `room` wait; a newcomer then takes the place of the last in the longest line, if that is not its own."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._tenants: OrderedDict[TenantId, OrderedDict[ClientId, deque[T]]] = OrderedDict()
        self._lengths: Counter[TenantId] = Counter()
        self._all = 0

    def __len__(self) -> int:
        return self._all

    def join(self, actor: Actor, waiter: T) -> T | None:
        """Who has to go for it, which may be the waiter itself."""
        gone = None
        if self._all >= self.room:
            longest = max(self._lengths, key=self._lengths.__getitem__, default=actor.tenant_id)
            if self._lengths[longest] <= self._lengths.get(actor.tenant_id, 0) + 1:
                return waiter
            gone = self._last(longest)
        clients = self._tenants.setdefault(actor.tenant_id, OrderedDict())
        clients.setdefault(actor.client_id, deque()).append(waiter)
        self._lengths[actor.tenant_id] += 1
        self._all += 1
        return gone

    def leave(self, actor: Actor, waiter: T) -> None:
        """Whether it still waits or not."""
        clients = self._tenants.get(actor.tenant_id)
        line = clients.get(actor.client_id) if clients else None
        if line and waiter in line:
            line.remove(waiter)
            self._shorten(actor.tenant_id, actor.client_id)

    def behind(self, tenant: TenantId) -> None:
        """The tenant has just had a place: let the others come first."""
        if tenant in self._tenants:
            self._tenants.move_to_end(tenant)

    def call(self, may: Callable[[TenantId], bool]) -> tuple[TenantId, T] | None:
        """The next whose tenant may; after it, every other tenant comes before this one, and so do its own clients."""
        tenant = next(filter(may, self._tenants), None)
        if tenant is None:
            return None
        clients = self._tenants[tenant]
        client, line = next(iter(clients.items()))
        called = line.popleft()
        self._tenants.move_to_end(tenant)
        clients.move_to_end(client)
        self._shorten(tenant, client)
        return tenant, called

    def _last(self, tenant: TenantId) -> T:
        clients = self._tenants[tenant]
        client = max(clients, key=lambda each: len(clients[each]))
        last = clients[client].pop()
        self._shorten(tenant, client)
        return last

    def _shorten(self, tenant: TenantId, client: ClientId) -> None:
        """Account for one who left that line."""
        self._all -= 1
        self._lengths[tenant] -= 1
        clients = self._tenants[tenant]
        if not clients[client]:
            del clients[client]
        if not clients:
            del self._tenants[tenant], self._lengths[tenant]
