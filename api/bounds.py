"""How much of this process one tenant may occupy, and for how long an operation may keep its caller waiting."""

import asyncio
from functools import partial

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.traffic.gate import Gate
from api.traffic.refusals import CODE, Throttled
from api.traffic.turns import step_aside


class Bounds:
    """Requests go through the gate, which answers what is too much with 429 and `Retry-After`.

    An operation whose answer has not begun `seconds` after its turn came is answered with 504; a call to a vendor that
    it made goes on, and is settled. The caller is read from `scope["state"]["actor"]`; a request without one is let
    through, to be refused where it is understood; so is a WebSocket, whose operations come to the gate one by one.
    """

    def __init__(self, app: ASGIApp, gate: Gate, *, seconds: float) -> None:
        self.app = app
        self.gate = gate
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = scope["state"]["actor"] if scope["type"] == "http" else None
        if actor is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.gate.through(actor, partial(self._in_time, scope, receive, send))
        except Throttled as refusal:
            headers = {"Retry-After": str(refusal.retry_after)}
            await _answer(429, CODE, refusal.message, headers)(scope, receive, send)

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
                step_aside()
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
