"""A request carries a valid token or none: anything else ends in 401 with a challenge, on HTTP and WebSocket alike."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.auth import LEASE, Authentication, LeasedActors, bearer
from domain.errors import Unauthenticated
from domain.model.access import TENANT_SCOPES, Actor, Reach
from domain.model.access import Scope as Allowed
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
    states: list[Any] = field(default_factory=list)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.states.append(scope["state"])
        self.seen.append(scope["state"]["actor"])

    async def knock(self, *authorization: str, kind: str = "http", query: bytes = b"") -> None:
        headers = [(b"authorization", value.encode("latin-1")) for value in authorization]
        scope = {"type": kind, "headers": headers, "path": "/graphql", "query_string": query}

        async def send(message: Message) -> None:
            self.sent.append(message)

        async def receive() -> Message:
            raise AssertionError("nothing is read before the caller is known")

        actors = LeasedActors(self.register, FakeClock())
        await Authentication(self.app, actors.admit, CHALLENGE)(scope, receive, send)


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

    await Authentication(app, LeasedActors(Register({}), FakeClock()).admit, CHALLENGE)(
        {"type": "lifespan"}, never, never
    )
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


@dataclass
class Hours:
    """A sleep by which the clock goes on; before each one `events` tells what happens, in turn."""

    clock: FakeClock
    events: list[Callable[[], None]]
    slept: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.events.pop(0)()
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))


def nothing() -> None:
    """Time goes by."""


async def watched(register: Register, clock: FakeClock, *events: Callable[[], None]) -> Hours:
    """How long it took until a good token's connection was over."""
    hours = Hours(clock, list(events))
    actors = LeasedActors(register, clock, sleep=hours)
    await (await actors.admit(GOOD)).over()
    return hours


async def test_a_connection_is_over_within_a_lease_of_its_tokens_revocation() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock)})
    hours = await watched(register, clock, nothing, nothing, register.known.clear)
    assert hours.events == []
    assert hours.slept == [LEASE.total_seconds()] * 3
    assert timedelta(seconds=2) > LEASE


async def test_a_connection_waits_for_the_end_of_a_lease_that_runs() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock)})
    hours = Hours(clock, [register.known.clear])
    actors = LeasedActors(register, clock, sleep=hours)
    await actors(GOOD)
    clock.advance(timedelta(seconds=1))
    await (await actors.admit(GOOD)).over()
    assert hours.slept == [LEASE.total_seconds() - 1]


async def test_connections_of_one_token_share_their_look_ups() -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock, seconds=3)})

    async def sleep(seconds: float) -> None:
        now = clock()
        await asyncio.sleep(0)
        clock.advance(now + timedelta(seconds=seconds) - clock())

    actors = LeasedActors(register, clock, sleep=sleep)
    admitted = [await actors.admit(GOOD) for _ in range(5)]
    register.known.clear()
    await asyncio.gather(*(each.over() for each in admitted))
    assert register.asked == [GOOD, GOOD]


async def test_a_connection_is_over_when_its_token_expires() -> None:
    clock = FakeClock()

    @dataclass
    class Expiring(Register):
        async def __call__(self, token: str) -> Actor:
            found = await super().__call__(token)
            if clock() >= found.expires_at:
                raise Unauthenticated
            return found

    hours = await watched(Expiring({GOOD: actor(clock, seconds=2)}), clock, nothing, nothing)
    assert hours.slept == [1.5, 0.5]


@pytest.mark.parametrize(
    "less",
    [
        lambda before: replace(before, scopes=before.scopes - {Allowed.MODELS_INVOKE}),
        lambda before: replace(before, reach=Reach(providers=frozenset({"acme"}))),
    ],
    ids=["scopes", "reach"],
)
async def test_a_connection_is_over_when_its_token_allows_less(less: Callable[[Actor], Actor]) -> None:
    clock = FakeClock()
    register = Register({GOOD: actor(clock)})

    def narrow() -> None:
        register.known[GOOD] = less(register.known[GOOD])

    assert (await watched(register, clock, nothing, narrow)).events == []


async def test_a_connection_outlives_a_look_up_that_fails_but_not_its_token() -> None:
    clock = FakeClock()

    @dataclass
    class Failing(Register):
        async def __call__(self, token: str) -> Actor:
            if self.asked:
                raise ConnectionError
            return await super().__call__(token)

    hours = await watched(Failing({GOOD: actor(clock, seconds=4)}), clock, nothing, nothing, nothing)
    assert hours.slept == [1.5, 1.5, 1.5]


async def test_who_is_let_in_can_be_watched_by_who_serves() -> None:
    door = Door()
    await door.knock(f"Bearer {GOOD}")
    await door.knock()
    assert [state["admission"] and state["admission"].actor for state in door.states] == door.seen
    assert (await door.states[1]["admit"](GOOD)).actor == door.seen[0]
