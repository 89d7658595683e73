"""The limits as clients meet them: over HTTP, server-sent events and WebSockets, and at the token endpoint."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from domain.model.allowance import Allowance
from tests.databases import Urls
from tests.e2e.front import SCHEMA_JSON, front
from tests.e2e.portunus import environment, served
from tests.fakes import FakeGateway, FakeSeconds
from tests.graphql_house import CHAT, EVENTS, House, StallingGateway
from tests.stubs.serve import serving
from tests.traffic import gate

VIEWER = "{ viewer { id } }"
STREAM = "subscription S($input: ChatInput!) { chatStream(input: $input) { __typename } }"
ASK = "mutation A($input: ChatInput!) { chat(input: $input) { __typename ... on Problem { message } } }"
THROTTLED = {"code": "THROTTLED", "retryAfter": 4}


def poor(clock: FakeSeconds | None = None) -> House:
    """A client here can pay for one small operation every four seconds."""
    return House(FakeGateway(EVENTS), gate=gate(clock, client_cost=Allowance(1, 0.25)))


@pytest.mark.parametrize("accept", ["application/json", SCHEMA_JSON])
async def test_an_operation_beyond_the_budget_is_answered_with_429_until_there_is_enough(accept: str) -> None:
    clock = FakeSeconds()
    async with front(poor(clock)) as asked:
        assert (await asked.post({"query": VIEWER}, accept=accept)).status_code == 200
        refused = await asked.post({"query": VIEWER}, accept=accept)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "4")
        assert refused.headers["content-type"] == accept
        body = refused.json()
        assert body["errors"][0]["extensions"] == THROTTLED
        assert "data" not in body
        left = {"maximumAvailable": 1, "currentlyAvailable": 0, "restoreRate": 0}
        assert body["extensions"] == {"cost": {"requested": 1, "throttle": left}}
        clock.now += 4
        assert (await asked.post({"query": VIEWER}, accept=accept)).status_code == 200


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (SCHEMA_JSON, 422)])
async def test_an_operation_that_can_never_run_is_no_429(accept: str, status: int) -> None:
    async with front(poor()) as asked:
        refused = await asked.post({"query": "{ viewer { id } again: viewer { id } }"}, accept=accept)
        assert refused.status_code == status
        assert refused.json()["errors"][0]["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
        assert "retry-after" not in refused.headers


async def test_beyond_the_budget_a_stream_of_events_is_one_error() -> None:
    async with front(poor()) as asked:
        assert (await asked.post({"query": VIEWER})).status_code == 200
        event, end = await asked.events(STREAM, input=CHAT)
        assert event[1]["errors"][0]["extensions"] == THROTTLED
        assert end == ("complete", None)


async def test_beyond_the_budget_an_operation_of_a_websocket_is_an_error_and_the_connection_stays() -> None:
    clock = FakeSeconds()
    async with front(poor(clock)) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(VIEWER, "1")
        assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await socket.subscribe(STREAM, "2", input=CHAT)
        refused = await socket.receive()
        assert (refused["id"], refused["type"], refused["payload"][0]["extensions"]) == ("2", "error", THROTTLED)
        clock.now += 4
        await socket.subscribe(VIEWER, "2")
        assert (await socket.receive())["type"] == "next"


async def test_the_operations_of_a_websocket_are_requests_of_their_rate() -> None:
    house = House(gate=gate(client_rate=Allowance(2, 0.25)))
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        for identity in ("1", "2", "3"):
            await socket.subscribe(VIEWER, identity)
        received = [await socket.receive() for _ in range(5)]
        refused = [message for message in received if message["type"] == "error"]
        assert [(each["id"], each["payload"][0]["extensions"]) for each in refused] == [("3", THROTTLED)]


async def test_the_streams_of_a_websocket_are_under_way_until_they_end() -> None:
    house = House(StallingGateway(), gate=gate(client_concurrency=1))
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(STREAM, "1", input=CHAT)
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe(VIEWER, "2")
        while (message := await socket.receive())["id"] == "1":
            pass
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "THROTTLED")
        await socket.send({"id": "1", "type": "complete"})
        await house.vendor.left.wait()  # type: ignore[attr-defined]  # a StallingGateway
        while message["type"] != "next":
            await socket.subscribe(VIEWER, "2")
            while (message := await socket.receive())["id"] == "1":
                pass


async def test_a_stream_that_runs_keeps_no_place_from_others() -> None:
    house = House(StallingGateway(), gate=gate(places=1))
    async with front(house) as asked, asked.socket() as socket, asked.socket() as other:
        await socket.init(asked.token)
        await other.init(asked.token)
        await socket.subscribe(STREAM, "1", input=CHAT)
        assert (await socket.receive())["type"] == "next"
        await other.subscribe(VIEWER, "1")
        assert (await other.receive())["type"] == "next"


class Vendor:
    """Does not answer before it may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may.wait()
        await JSONResponse({"error": {"message": "enough"}}, 400)(scope, receive, send)


async def test_who_waits_for_a_vendor_keeps_no_place_from_others(sqlite_urls: Urls, tmp_path: Path) -> None:
    vendor = Vendor()
    async with serving(vendor) as url:
        settings = environment(sqlite_urls, url, PORTUNUS_CONCURRENCY="1", PORTUNUS_WAITING_SECONDS="20")
        with served(settings, tmp_path) as portunus:
            opened = await asyncio.to_thread(portunus.open_tenant, "Patient")
            async with portunus.client_of(opened) as client:
                message: dict[str, Any] = {"messages": [{"role": "USER", "content": "hi"}]}
                model = {"model": {"provider": "openai", "name": "gpt-6-luna"}}
                chat = asyncio.create_task(client.ask(ASK, input=message | model))
                await asyncio.wait({chat, asyncio.create_task(vendor.asked.wait())}, return_when="FIRST_COMPLETED")
                assert vendor.asked.is_set(), chat
                assert (await client.ask(VIEWER))["viewer"]["id"]
                assert not chat.done()
                vendor.may.set()
                assert (await chat)["chat"]["__typename"] == "BadRequestUpstream"


async def test_the_token_endpoint_bounds_an_address_whatever_it_answers(sqlite_urls: Urls, tmp_path: Path) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_ADDRESS_REQUESTS_PER_SECOND="1")
    with served(settings, tmp_path) as portunus:
        async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False, timeout=30) as http:
            guess = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
            answers = [await http.post("/oauth/token", data=guess) for _ in range(20)]
            assert answers[0].status_code == 401
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert int(refused.headers["retry-after"]) == 1
            assert refused.json()["error"] == "temporarily_unavailable"
            assert (await http.get("/livez")).status_code == 200
