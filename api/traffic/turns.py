"""The places of a process, given in turn, so that nobody's many requests stand before another's one."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

from api.traffic.lines import Lines
from api.traffic.refusals import Throttled
from domain.model.access import Actor
from domain.model.ids import TenantId

BUSY = "This process has no place for the request just now; try again later."


class Turn:
    """A place, until it is left; leaving it again changes nothing."""

    __slots__ = ("_leave", "_tenant")

    def __init__(self, tenant: TenantId, leave: Callable[[TenantId], None]) -> None:
        self._tenant = tenant
        self._leave: Callable[[TenantId], None] | None = leave

    def leave(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self._tenant)


CURRENT: ContextVar[Turn | None] = ContextVar("turn", default=None)
"""The place in which the running task works."""


def step_aside() -> None:
    """Leave the place for the next one: what follows is mostly waiting, for a vendor or for the client."""
    turn = CURRENT.get()
    if turn is not None:
        turn.leave()


class Turns:
    """`places` requests work at once. A tenant may take another place as long as it has fewer than are free.

    So one tenant alone has half of them, two have a third each, and there is a place for whoever comes next. Up to
    `waiting` requests wait, each for at most `seconds`.
    """

    def __init__(self, *, places: int, waiting: int, seconds: float) -> None:
        self.seconds = seconds
        self._free = places
        self._held: dict[TenantId, int] = {}
        self._lines = Lines[asyncio.Future[Turn]](waiting)

    async def take(self, actor: Actor) -> Turn:
        """A place, at once or when it is this caller's turn. Throttled when it waited for too long, or too many do."""
        if self._may(actor.tenant_id):
            return self._place(actor.tenant_id)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Turn] = loop.create_future()
        timer = loop.call_later(self.seconds, self._refuse, waiter)
        self._refuse(self._lines.join(actor, waiter))
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and not waiter.exception():
                waiter.result().leave()
            raise
        finally:
            timer.cancel()
            self._lines.leave(actor, waiter)

    def _may(self, tenant: TenantId) -> bool:
        return self._held.get(tenant, 0) < self._free

    def _place(self, tenant: TenantId) -> Turn:
        self._free -= 1
        self._held[tenant] = self._held.get(tenant, 0) + 1
        return Turn(tenant, self._left)

    def _left(self, tenant: TenantId) -> None:
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._lines.behind(tenant)
        while len(self._lines) and (called := self._lines.call(self._may)):
            whose, waiter = called
            if not waiter.done():
                waiter.set_result(self._place(whose))

    def _refuse(self, waiter: asyncio.Future[Turn] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_exception(Throttled(BUSY, self.seconds))
