"""How much of this process one tenant may occupy, and for how long an operation may keep its caller waiting."""

import asyncio
from collections import Counter
from uuid import UUID

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Bounds:
    """At most `concurrency` requests of a tenant at once: one more is answered with 429, so that others get their turn.

    An operation whose answer has not begun after `seconds` is answered with 504; a call to a vendor that it made goes
    on, and is settled. The caller is read from `scope["state"]["actor"]`; a request without one is let through, to be
    refused where it is understood.
    """

    def __init__(self, app: ASGIApp, *, concurrency: int, seconds: float, running: Counter[UUID] | None = None) -> None:
        """Applications that are given the same `running` are bounded together."""
        self.app = app
        self.concurrency = concurrency
        self.seconds = seconds
        self._running = Counter() if running is None else running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = scope["state"]["actor"] if scope["type"] == "http" else None
        if actor is None:
            await self.app(scope, receive, send)
            return
        if self._running[actor.tenant_id] >= self.concurrency:
            said = f"This tenant has {self.concurrency} requests under way; wait for one to end."
            await _answer(429, "THROTTLED", said, {"Retry-After": "1"})(scope, receive, send)
            return
        self._running[actor.tenant_id] += 1
        try:
            await self._in_time(scope, receive, send)
        finally:
            self._running[actor.tenant_id] -= 1
            if not self._running[actor.tenant_id]:
                del self._running[actor.tenant_id]

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as deadline:
                await self.app(scope, receive, begin)
        except TimeoutError:
            if not deadline.expired():
                raise
            said = f"No answer within {self.seconds:g} seconds; ask for less, or try again later."
            await _answer(504, "OPERATION_TIMEOUT", said)(scope, receive, send)


def _answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    return Response(body, status, headers, "application/json")
