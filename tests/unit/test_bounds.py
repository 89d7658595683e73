"""One tenant cannot occupy a process, and nobody waits for ever."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.bounds import Bounds
from api.traffic.stays import prolong
from domain.model.access import Actor
from domain.model.allowance import Allowance
from domain.model.ids import ClientId, TenantId
from infrastructure.background import Detached
from tests.fakes import FakeSeconds
from tests.traffic import gate


class App:
    """Answers once it may; `running` counts those that wait."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.running += 1
        try:
            await self.may.wait()
            await PlainTextResponse("done")(scope, receive, send)
        finally:
            self.running -= 1


async def ask(app: Any, tenant: int | None, client: int = 9) -> list[Message]:
    actor = None
    if tenant is not None:
        actor = Actor(TenantId(UUID(int=tenant)), ClientId(UUID(int=client)), frozenset(), datetime.now(UTC))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    await app({"type": "http", "method": "POST", "headers": [], "state": {"actor": actor}}, receive, send)
    return sent


def code(sent: list[Message]) -> str:
    found: str = orjson.loads(sent[1]["body"])["errors"][0]["extensions"]["code"]
    return found


async def waiting(app: App, requests: int) -> None:
    while app.running < requests:
        await asyncio.sleep(0)


async def test_a_tenant_beyond_its_share_is_refused_and_another_is_served() -> None:
    app = App()
    bounds = Bounds(app, gate(tenant_concurrency=2), seconds=60)
    running = [asyncio.create_task(ask(bounds, tenant)) for tenant in (1, 1, 2)]
    await waiting(app, 3)
    refused = await ask(bounds, 1)
    assert refused[0]["status"] == 429
    assert (b"retry-after", b"1") in refused[0]["headers"]
    assert code(refused) == "THROTTLED"
    app.may.set()
    assert [(await task)[0]["status"] for task in running] == [200, 200, 200]
    assert (await ask(bounds, 1))[0]["status"] == 200


async def test_a_client_beyond_its_share_leaves_its_tenants_others_alone() -> None:
    app = App()
    bounds = Bounds(app, gate(client_concurrency=1), seconds=60)
    running = asyncio.create_task(ask(bounds, 1, client=1))
    await waiting(app, 1)
    assert (await ask(bounds, 1, client=1))[0]["status"] == 429
    app.may.set()
    assert (await ask(bounds, 1, client=2))[0]["status"] == 200
    assert (await running)[0]["status"] == 200
    assert (await ask(bounds, 1, client=1))[0]["status"] == 200


@pytest.mark.parametrize("whose", ["client_rate", "tenant_rate"])
async def test_requests_beyond_the_rate_are_refused_until_it_lets_them(whose: str) -> None:
    app, clock = App(), FakeSeconds()
    app.may.set()
    bounds = Bounds(app, gate(clock, **{whose: Allowance(2, 0.25)}), seconds=60)
    assert [(await ask(bounds, 1))[0]["status"] for _ in range(3)] == [200, 200, 429]
    refused = await ask(bounds, 1)
    assert (b"retry-after", b"4") in refused[0]["headers"]
    assert code(refused) == "THROTTLED"
    assert (await ask(bounds, 2))[0]["status"] == 200
    assert (await ask(bounds, 1, client=2))[0]["status"] == (200 if whose == "client_rate" else 429)
    clock.now += 4
    assert [(await ask(bounds, 1))[0]["status"] for _ in range(2)] == [200, 429]


async def test_a_place_is_free_again_once_the_answer_begins() -> None:
    began, end = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        began.set()
        await end.wait()

    narrow = gate(places=1)
    download = asyncio.create_task(ask(Bounds(slow, narrow, seconds=60), 1))
    await began.wait()
    app = App()
    app.may.set()
    assert (await ask(Bounds(app, narrow, seconds=60), 1))[0]["status"] == 200
    end.set()
    await download


async def test_who_waits_too_long_for_a_place_is_told_when_to_come_back() -> None:
    app = App()
    bounds = Bounds(app, gate(places=1, waiting_seconds=0.01), seconds=60)
    running = asyncio.create_task(ask(bounds, 1))
    await waiting(app, 1)
    refused = await ask(bounds, 2)
    assert (refused[0]["status"], code(refused)) == (429, "THROTTLED")
    assert (b"retry-after", b"1") in refused[0]["headers"]
    app.may.set()
    await running


async def test_applications_can_be_bounded_together() -> None:
    app, common = App(), gate(tenant_concurrency=1)
    one, other = (Bounds(app, common, seconds=60) for _ in range(2))
    task = asyncio.create_task(ask(one, 1))
    await waiting(app, 1)
    assert (await ask(other, 1))[0]["status"] == 429
    app.may.set()
    await task
    assert (await ask(other, 1))[0]["status"] == 200


async def test_an_operation_that_does_not_answer_ends() -> None:
    app = App()
    sent = await ask(Bounds(app, gate(), seconds=0.01), 1)
    assert sent[0]["status"] == 504
    assert code(sent) == "OPERATION_TIMEOUT"
    assert app.running == 0


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.03)
        await send({"type": "http.response.body", "body": b"late"})

    sent = await ask(Bounds(app, gate(), seconds=0.01), 1)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


async def test_a_time_out_of_the_applications_own_is_not_ours() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError

    bounds = Bounds(app, gate(tenant_concurrency=1), seconds=60)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await ask(bounds, 1)


async def test_a_stranger_is_let_through_to_be_refused_inside() -> None:
    app = App()
    app.may.set()
    assert (await ask(Bounds(app, gate(tenant_concurrency=0), seconds=60), None))[0]["status"] == 200


async def test_hanging_up_makes_no_room_while_what_was_begun_runs_on() -> None:
    """Else one tenant's slow vendors would take every connection of the process."""
    may, detached = asyncio.Event(), Detached(begun=prolong)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await detached(may.wait())
        await PlainTextResponse("done")(scope, receive, send)

    bounds = Bounds(app, gate(tenant_concurrency=2), seconds=60)
    calls = [asyncio.create_task(ask(bounds, 1)) for _ in range(2)]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    assert all(call.cancelled() for call in calls)
    assert (await ask(bounds, 1))[0]["status"] == 429
    other = asyncio.create_task(ask(bounds, 2))
    may.set()
    assert (await other)[0]["status"] == 200
    await detached.drain(1)
    assert (await ask(bounds, 1))[0]["status"] == 200
