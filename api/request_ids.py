"""The id by which a request, its answer, its log lines and its audit entries find one another."""

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infrastructure.request_id import request_id

HEADER = b"x-request-id"
_VALID = re.compile(rb"[A-Za-z0-9_-]{8,60}")
_ANSWERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class RequestIds:
    """Each request, and each WebSocket, has the id that it brings as X-Request-Id, or else a new one.

    It is in the answer, too. One that is malformed, or sent twice, is taken for none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        mine = _brought(scope) or uuid4().hex.encode()

        async def marked(message: Message) -> None:
            if message["type"] in _ANSWERS:
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, mine)]}
            await send(message)

        before = request_id.set(mine.decode())
        try:
            await self.app(scope, receive, marked)
        finally:
            request_id.reset(before)


def current() -> str:
    """The id of the request that is being served; a new one outside of any."""
    return request_id.get() or uuid4().hex


def _brought(scope: Scope) -> bytes | None:
    values: list[bytes] = [value for name, value in scope["headers"] if name == HEADER]
    return values[0] if len(values) == 1 and _VALID.fullmatch(values[0]) else None
