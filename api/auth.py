"""Bearer authentication (RFC 6750) as plain ASGI: a request either carries a valid token, or none at all."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import Unauthenticated
from domain.model.access import Actor
from domain.ports import Clock

Authenticate = Callable[[str], Awaitable[Actor]]
"""The actor of a token, or Unauthenticated."""

LEASE = timedelta(seconds=2)


@dataclass(slots=True)
class LeasedActors:
    """Remembers who a token belongs to for at most `LEASE`, by the SHA-256 of the whole token.

    Requests that bring the same token at the same moment share one look-up; only what it finds is remembered.
    """

    authenticate: Authenticate
    clock: Clock
    room: int = 10_000
    _kept: OrderedDict[bytes, tuple[datetime, Actor]] = field(default_factory=OrderedDict)
    _asking: dict[bytes, asyncio.Task[Actor]] = field(default_factory=dict)

    async def __call__(self, token: str) -> Actor:
        key = hashlib.sha256(token.encode()).digest()
        kept = self._kept.get(key)
        if kept is not None and self.clock() < kept[0]:
            return kept[1]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, token))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _ask(self, key: bytes, token: str) -> Actor:
        now = self.clock()
        actor = await self.authenticate(token)
        self._kept[key] = (min(now + LEASE, actor.expires_at), actor)
        if len(self._kept) > self.room:
            self._kept.popitem(last=False)
        return actor


class Authentication:
    """Puts the Actor, or None when no token was sent, into `scope["state"]["actor"]`; a bad token ends in 401.

    It guards `app` and nothing else. A WebSocket's handshake is refused alike; one without the header may bring its
    token in `connection_init`, for which its handler calls `authenticate` itself.
    """

    def __init__(self, app: ASGIApp, authenticate: Authenticate, challenge: str) -> None:
        """`challenge` goes into WWW-Authenticate: auth-params such as RFC 9728's resource_metadata."""
        self.app = app
        self.authenticate = authenticate
        self.challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            token = bearer(value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization")
            actor = await self.authenticate(token) if token is not None else None
        except Unauthenticated as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        scope.setdefault("state", {})["actor"] = actor
        await self.app(scope, receive, send)

    async def _refuse(self, refusal: Unauthenticated, scope: Scope, receive: Receive, send: Send) -> None:
        error = {"message": refusal.message, "extensions": {"code": refusal.code}}
        headers = {"WWW-Authenticate": f'Bearer error="invalid_token", {self.challenge}'}
        answer = Response(orjson.dumps({"errors": [error]}), 401, headers, "application/json")
        await answer(scope, receive, send)


def bearer(headers: Iterable[str]) -> str | None:
    """The token of the one Authorization header, or None without a header; Unauthenticated for anything else."""
    values = list(headers)
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()
