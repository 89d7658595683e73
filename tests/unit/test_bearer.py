"""A request carries a valid token or none: anything else ends in 401 with a challenge, on HTTP and WebSocket alike."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.auth import LEASE, Authentication, LeasedActors, bearer
from domain.errors import Unauthenticated
from domain.model.access import TENANT_SCOPES, Actor
from domain.model.ids import ClientId, TenantId
from tests.fakes import FakeClock

GOOD = "ptn_at_good"
CHALLENGE = 'resource_metadata="https://portunus.example/.well-known/oauth-protected-resource/graphql"'


def actor(clock: FakeClock, seconds: float = 3_600) -> Actor:
    expires_at = clock() + timedelta(seconds=seconds)
    return Actor(TenantId(UUID(int=1)), ClientId(UUID(int=2)), TENANT_SCOPES, expires_at)


@dataclass
class Register:
    """Knows the tokens it is given, and counts how often it is asked."""

    known: dict[str, Actor]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, token: str) -> Actor:
        self.asked.append(token)
        if token not in self.known:
            raise Unauthenticated
        return self.known[token]


@dataclass
class Door:
    """What comes through the authentication, and what is answered."""

    seen: list[Actor | None] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    register: Register = field(default_factory=lambda: Register({GOOD: actor(FakeClock())}))

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["state"]["actor"])

    async def knock(self, *authorization: str, kind: str = "http", query: bytes = b"") -> None:
        headers = [(b"authorization", value.encode("latin-1")) for value in authorization]
        scope = {"type": kind, "headers": headers, "path": "/graphql", "query_string": query}

        async def send(message: Message) -> None:
            self.sent.append(message)

        async def receive() -> Message:
            raise AssertionError("nothing is read before the caller is known")

        await Authentication(self.app, self.register, CHALLENGE)(scope, receive, send)


@pytest.mark.parametrize("header", [f"Bearer {GOOD}", f"bearer {GOOD}", f"BEARER   {GOOD} "])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_valid_token_brings_its_actor(header: str, kind: str) -> None:
    door = Door()
    await door.knock(header, kind=kind)
    assert (door.seen, door.sent) == ([door.register.known[GOOD]], [])


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_no_header_is_nobody_and_is_let_through(kind: str) -> None:
    door = Door()
    await door.knock(kind=kind)
    assert (door.seen, door.sent) == ([None], [])


async def test_a_token_in_the_query_string_counts_for_nothing() -> None:
    door = Door()
    await door.knock(query=f"access_token={GOOD}".encode())
    assert door.seen == [None]
    assert door.register.asked == []


REFUSED = {
    "unknown": ["Bearer ptn_at_bad"],
    "empty": ["Bearer "],
    "no token": ["Bearer"],
    "nothing": [""],
    "another scheme": [f"Basic {GOOD}"],
    "no scheme": [GOOD],
    "two headers": [f"Bearer {GOOD}", f"Bearer {GOOD}"],
    "foreign letters": ["Bearer \xe9\xff"],
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
async def test_anything_else_ends_in_401_with_a_challenge(headers: list[str]) -> None:
    door = Door()
    await door.knock(*headers)
    start, body = door.sent
    fields = dict(start["headers"])
    assert door.seen == []
    assert start["status"] == 401
    assert fields[b"www-authenticate"].decode() == f'Bearer error="invalid_token", {CHALLENGE}'
    assert fields[b"content-type"] == b"application/json"
    (error,) = json.loads(body["body"])["errors"]
    assert error == {"message": Unauthenticated().message, "extensions": {"code": "UNAUTHENTICATED"}}


async def test_a_websocket_with_a_bad_token_is_refused_before_it_opens() -> None:
    door = Door()
    await door.knock("Bearer ptn_at_bad", kind="websocket")
    assert [m["type"] for m in door.sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert door.sent[0]["status"] == 401


async def test_what_is_no_connection_passes_untouched() -> None:
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    async def never(*_: object) -> Any:
        raise AssertionError

    await Authentication(app, Register({}), CHALLENGE)({"type": "lifespan"}, never, never)
    assert passed == ["lifespan"]


def test_one_header_with_one_token_is_read() -> None:
    assert bearer(["Bearer a"]) == "a"
    assert bearer([]) is None


async def test_an_actor_is_remembered_for_two_seconds() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock)})
    actors = LeasedActors(register, clock)
    assert await actors(GOOD) is await actors(GOOD)
    clock.advance(LEASE)
    await actors(GOOD)
    assert register.asked == [GOOD, GOOD]


async def test_a_revoked_token_is_refused_when_its_lease_is_over() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock)})
    actors = LeasedActors(register, clock)
    await actors(GOOD)
    register.known.clear()
    clock.advance(LEASE)
    with pytest.raises(Unauthenticated):
        await actors(GOOD)


async def test_a_lease_ends_with_the_token() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock, seconds=1)})
    actors = LeasedActors(register, clock)
    await actors(GOOD)
    clock.advance(timedelta(seconds=1))
    await actors(GOOD)
    assert register.asked == [GOOD, GOOD]


async def test_a_token_is_remembered_by_the_whole_of_it() -> None:
    clock = FakeClock()
    register = Register({GOOD * 50 + "a": actor(clock), GOOD * 50 + "b": actor(clock)})
    actors = LeasedActors(register, clock)
    assert await actors(GOOD * 50 + "a") is not await actors(GOOD * 50 + "b")


async def test_a_refusal_is_not_remembered() -> None:
    clock = FakeClock()
    register = Register({})
    actors = LeasedActors(register, clock)
    with pytest.raises(Unauthenticated):
        await actors(GOOD)
    register.known[GOOD] = actor(clock)
    assert await actors(GOOD) == register.known[GOOD]


async def test_only_so_many_actors_are_remembered() -> None:
    clock = FakeClock()
    register = Register({str(number): actor(clock) for number in range(3)})
    actors = LeasedActors(register, clock, room=2)
    for token in ("0", "1", "2", "1", "0"):
        await actors(token)
    assert register.asked == ["0", "1", "2", "0"]


@dataclass
class SlowRegister(Register):
    """Answers only when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, token: str) -> Actor:
        self.asked.append(token)
        await self.let.wait()
        if token not in self.known:
            raise Unauthenticated
        return self.known[token]


async def test_those_who_come_while_a_token_is_looked_up_share_the_look_up() -> None:
    clock = FakeClock()
    register = SlowRegister({GOOD: actor(clock)})
    actors = LeasedActors(register, clock)
    callers = [asyncio.create_task(actors(token)) for token in (GOOD, "bad", GOOD, "bad", GOOD)]
    await asyncio.sleep(0)
    callers[0].cancel()
    register.let.set()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(each) for each in found] == [asyncio.CancelledError, Unauthenticated, Actor, Unauthenticated, Actor]
    assert sorted(register.asked) == sorted([GOOD, "bad"])


async def test_who_comes_after_a_look_up_failed_is_looked_up_again() -> None:
    clock = FakeClock()
    register = Register({})
    actors = LeasedActors(register, clock)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await actors(GOOD)
    assert register.asked == [GOOD, GOOD]
