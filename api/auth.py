"""Bearer authentication (RFC 6750) as plain ASGI: a request either carries a valid token, or none at all."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
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

Sleep = Callable[[float], Awaitable[None]]

LEASE = timedelta(seconds=1.5)
"""With one more look-up, what is revoked is refused within 2 s."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in; `over` returns when the token is good no more, or allows less than it did."""

    actor: Actor
    over: Callable[[], Awaitable[None]]


Admit = Callable[[str], Awaitable[Admission]]
"""Lets in who brings a token, or raises Unauthenticated."""


@dataclass(slots=True)
class LeasedActors:
    """Remembers who a token belongs to for at most a `lease`, by the SHA-256 of the whole token.

    Requests that bring the same token at the same moment share one look-up; only what it finds is remembered.
    """

    authenticate: Authenticate
    clock: Clock
    room: int = 10_000
    lease: timedelta = LEASE
    sleep: Sleep = asyncio.sleep
    _kept: OrderedDict[bytes, "_Leased"] = field(default_factory=OrderedDict)
    _asking: "dict[bytes, asyncio.Task[_Leased]]" = field(default_factory=dict)

    async def __call__(self, token: str) -> Actor:
        return (await self._leased(token)).actor

    async def admit(self, token: str) -> Admission:
        """The actor of a token with which something goes on for a while; Unauthenticated for a bad one."""
        actor = await self(token)
        return Admission(actor, lambda: self._over(token, actor))

    async def _over(self, token: str, actor: Actor) -> None:
        """Look again whenever a lease ends. A look that fails is no refusal: it is repeated until the token expires."""
        with suppress(Unauthenticated):
            while True:
                now = await self._again(token, actor)
                if now is not None and not _allows_all_of(now.actor, actor):
                    return
                await self.sleep(_seconds(now.until - self.clock() if now else self.lease))

    async def _again(self, token: str, actor: Actor) -> "_Leased | None":
        try:
            return await self._leased(token)
        except Unauthenticated:
            raise
        except Exception:
            if self.clock() >= actor.expires_at:
                raise Unauthenticated from None
            return None

    async def _leased(self, token: str) -> "_Leased":
        key = hashlib.sha256(token.encode()).digest()
        kept = self._kept.get(key)
        if kept is not None and self.clock() < kept.until:
            return kept
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, token))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _ask(self, key: bytes, token: str) -> "_Leased":
        now = self.clock()
        actor = await self.authenticate(token)
        leased = self._kept[key] = _Leased(min(now + self.lease, actor.expires_at), actor)
        if len(self._kept) > self.room:
            self._kept.popitem(last=False)
        return leased


@dataclass(frozen=True, slots=True)
class _Leased:
    until: datetime
    actor: Actor


def _allows_all_of(now: Actor, before: Actor) -> bool:
    return before.scopes <= now.scopes and before.reach.within(now.reach)


def _seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())


class Authentication:
    """Puts the Admission, or None when no token was sent, into `scope["state"]["admission"]`, and its actor beside it.

    A bad token ends in 401. It guards `app` and nothing else. A WebSocket's handshake is refused alike; one without the
    header may bring its token in `connection_init`, for which its handler calls `scope["state"]["admit"]` itself.
    """

    def __init__(self, app: ASGIApp, admit: Admit, challenge: str) -> None:
        """`challenge` goes into WWW-Authenticate: auth-params such as RFC 9728's resource_metadata."""
        self.app = app
        self.admit = admit
        self.challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            token = bearer(value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization")
            admission = await self.admit(token) if token is not None else None
        except Unauthenticated as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        state = {"actor": admission and admission.actor, "admission": admission, "admit": self.admit}
        scope.setdefault("state", {}).update(state)
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
