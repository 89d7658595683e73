"""Streams on real sockets: server-sent events and graphql-transport-ws, their ends, and messages that are malformed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import websockets

from domain.errors import ContextTooLong, StreamBroken
from domain.model.access import Scope
from domain.model.events import TextDelta
from tests.e2e.front import SCHEMA_JSON, front
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, EVENTS, OPTIONS, House, StallingGateway

STREAM = """subscription S($input: ChatInput!) { chatStream(input: $input) { __typename
  ... on ChatStarted { paidBy model { name } } ... on TextDelta { text } ... on ReasoningDelta { thought: text }
  ... on ToolCallDelta { index id name arguments } ... on Warning { message }
  ... on ChatFinished { finishReason usage { input output } } ... on Problem { code } } }"""
ITEMS = [
    {"__typename": "ChatStarted", "paidBy": "PLATFORM", "model": {"name": "writer:7b"}},
    {"__typename": "Warning", "message": "seed was left out"},
    {"__typename": "ReasoningDelta", "thought": "Greet."},
    {"__typename": "TextDelta", "text": "Hel"},
    {"__typename": "TextDelta", "text": "lo."},
    {"__typename": "ToolCallDelta", "index": 0, "id": "call_1", "name": "open", "arguments": '{"door": 1}'},
    {"__typename": "ChatFinished", "finishReason": "STOP", "usage": {"input": 7, "output": 3}},
]
REFUSED = [{"__typename": "ContextTooLong", "code": "CONTEXT_TOO_LONG"}]
BROKEN = [ITEMS[0], ITEMS[3], {"__typename": "StreamBroken", "code": "STREAM_BROKEN"}]


async def settled(house: House) -> None:
    """Wait until no quota is held any more."""
    async with asyncio.timeout(5):
        while any(pot.held for rows in house.store.rows.values() for pot in rows.pots.values()):
            await asyncio.sleep(0.001)


def stream_items(events: list[tuple[str, Any]]) -> list[Any]:
    """The items of a stream that ends as it should."""
    assert events[-1] == ("complete", None)
    assert {name for name, _ in events[:-1]} == {"next"}
    return [data["data"]["chatStream"] for _, data in events[:-1]]


async def test_a_chat_streams_as_server_sent_events() -> None:
    async with front(House(FakeGateway(EVENTS))) as asked:
        assert stream_items(await asked.events(STREAM, input=CHAT)) == ITEMS


async def test_a_socket_is_answered_in_the_language_of_its_handshake() -> None:
    house = House()
    async with front(house) as asked, asked.socket(**{"Accept-Language": "ja"}) as socket:
        await socket.init(asked.token)
        await socket.subscribe('{ provider(id: "acme") { label } }')
        assert (await socket.receive())["payload"]["data"] == {"provider": {"label": "アクメ"}}


async def test_a_client_that_also_takes_json_gets_events_for_a_subscription_alone() -> None:
    both = f"{SCHEMA_JSON}, application/json, text/event-stream"
    async with front(House(FakeGateway(EVENTS))) as asked:
        stream = await asked.post({"query": STREAM, "variables": {"input": CHAT}}, accept=both)
        query = await asked.post({"query": "{ viewer { id } }"}, accept=both)
        assert stream.headers["content-type"] == "text/event-stream"
        assert query.headers["content-type"] == SCHEMA_JSON


@pytest.mark.parametrize(
    ("script", "items"),
    [(ContextTooLong("acme", 400), REFUSED), ((TextDelta("Hel"), StreamBroken("acme")), BROKEN)],
)
async def test_a_failure_is_the_last_item_and_then_the_stream_completes(script: Any, items: list[Any]) -> None:
    async with front(House(FakeGateway(script))) as asked:
        assert stream_items(await asked.events(STREAM, input=CHAT)) == items


async def test_a_stream_without_its_scope_is_an_error_and_no_item() -> None:
    house = House(FakeGateway(EVENTS))
    async with front(house) as asked:
        asked.token = house.token(house.actor(Scope.TENANT_READ))
        (name, data), end = await asked.events(STREAM, input=CHAT)
        assert (name, end) == ("next", ("complete", None))
        assert data["errors"][0]["extensions"] == {"code": "FORBIDDEN", "needs": "models:invoke"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (STREAM, "BAD_USER_INPUT"),
        ("query A { viewer { id } } query B { viewer { id } }", "BAD_USER_INPUT"),
    ],
)
async def test_a_faulty_document_ends_a_stream_of_events_at_once(document: str, code: str) -> None:
    async with front(House()) as asked:
        (name, data), end = await asked.events(document)
        assert (name, end) == ("next", ("complete", None))
        assert data["errors"][0]["extensions"]["code"] == code


async def test_a_client_that_hangs_up_leaves_no_quota_held() -> None:
    gateway = StallingGateway()
    house = House(gateway)
    async with front(house) as asked:
        headers = {"authorization": f"Bearer {asked.token}", "accept": "text/event-stream"}
        body = {"query": STREAM, "variables": {"input": CHAT}}
        async with asked.client.stream("POST", asked.url, json=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if '"Hel"' in line:
                    break
        await asyncio.wait_for(gateway.left.wait(), 5)
        await settled(house)


async def test_a_chat_streams_over_a_websocket() -> None:
    house = House(FakeGateway(EVENTS))
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(STREAM, input=CHAT)
        received = [await socket.receive() for _ in range(len(ITEMS) + 1)]
        assert [m["payload"]["data"]["chatStream"] for m in received[:-1]] == ITEMS
        assert received[-1] == {"id": "1", "type": "complete"}


async def test_queries_and_mutations_run_over_a_websocket_with_the_headers_token() -> None:
    ask = "mutation A($input: ChatInput!) { chat(input: $input) { ... on ChatPayload { text } } }"
    house = House(FakeGateway(ANSWER))
    async with front(house) as asked, asked.socket(authorization=f"Bearer {asked.token}") as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe(ask, input=CHAT)
        assert (await socket.receive())["payload"]["data"] == {"chat": {"text": "Hello."}}
        assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_leaving_a_subscription_ends_the_call_to_the_vendor() -> None:
    gateway = StallingGateway()
    house = House(gateway)
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(STREAM, input=CHAT)
        await socket.receive()
        await socket.send({"id": "1", "type": "complete"})
        await asyncio.wait_for(gateway.left.wait(), 5)
        await settled(house)


async def test_a_dropped_connection_ends_the_call_to_the_vendor() -> None:
    gateway = StallingGateway()
    house = House(gateway)
    async with front(house) as asked:
        async with asked.socket() as socket:
            await socket.init(asked.token)
            await socket.subscribe(STREAM, input=CHAT)
            await socket.receive()
        await asyncio.wait_for(gateway.left.wait(), 5)
        await settled(house)


@pytest.mark.parametrize(
    "payload", [None, {}, {"authorization": "x"}, {"authorization": 5}, {"authorization": "Bearer ptn_at_x"}]
)
async def test_a_connection_without_a_valid_token_is_closed(payload: Any) -> None:
    async with front(House()) as asked, asked.socket() as socket:
        await socket.send({"type": "connection_init"} | ({"payload": payload} if payload is not None else {}))
        assert await socket.closed() == 4403


async def test_a_bad_token_in_the_payload_is_not_mended_by_a_good_one_in_the_header() -> None:
    async with front(House()) as asked, asked.socket(authorization=f"Bearer {asked.token}") as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": "Bearer bad"}})
        assert await socket.closed() == 4403


async def test_a_connection_is_closed_when_its_token_expires() -> None:
    gateway = StallingGateway()
    house = House(gateway)
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(house.token(house.actor(expires_in=0.3)))
        await socket.subscribe(STREAM, input=CHAT)
        assert await socket.closed() == 4401
        await asyncio.wait_for(gateway.left.wait(), 5)


def revoke_all(house: House) -> None:
    for rows in house.store.rows.values():
        rows.tokens.clear()


def suspend_all(house: House) -> None:
    for rows in house.store.rows.values():
        rows.clients = {key: replace(row, suspended_at=row.created_at) for key, row in rows.clients.items()}


def narrow_all(house: House) -> None:
    for rows in house.store.rows.values():
        rows.clients = {key: replace(row, scopes=frozenset({Scope.USAGE_READ})) for key, row in rows.clients.items()}


def impatient() -> tuple[House, StallingGateway]:
    """A house that looks tokens up again at once."""
    gateway = StallingGateway()
    house = House(gateway)
    house.lease = timedelta(milliseconds=5)
    return house, gateway


@pytest.mark.parametrize("end", [revoke_all, suspend_all, narrow_all])
async def test_a_connection_is_closed_when_its_token_is_revoked_and_its_call_is_settled(
    end: Callable[[House], None],
) -> None:
    house, gateway = impatient()
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(STREAM, input=CHAT)
        await socket.receive()
        end(house)
        assert await socket.closed() == 4401
        await asyncio.wait_for(gateway.left.wait(), 5)
        await settled(house)
        assert [call.outcome for rows in house.store.rows.values() for call in rows.records.values()] == ["abandoned"]


async def test_a_connection_on_the_token_of_its_handshake_is_closed_when_that_is_revoked() -> None:
    house, _ = impatient()
    async with front(house) as asked, asked.socket(authorization=f"Bearer {asked.token}") as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}
        revoke_all(house)
        assert await socket.closed() == 4401


@pytest.mark.parametrize("end", [revoke_all, suspend_all, narrow_all])
async def test_a_stream_of_events_ends_unauthenticated_when_its_token_is_revoked(end: Callable[[House], None]) -> None:
    house, gateway = impatient()
    async with front(house) as asked:
        streaming = asyncio.create_task(asked.events(STREAM, input=CHAT))
        async with asyncio.timeout(5):
            while not any(rows.holds for rows in house.store.rows.values()):
                await asyncio.sleep(0.001)
        end(house)
        *_, (name, data), last = await streaming
        assert (name, last) == ("next", ("complete", None))
        assert [error["extensions"] for error in data["errors"]] == [{"code": "UNAUTHENTICATED"}]
        await asyncio.wait_for(gateway.left.wait(), 5)
        await settled(house)


@pytest.mark.parametrize(
    "message",
    [
        "not JSON",
        b"binary",
        5,
        [],
        None,
        "null",
        {},
        {"type": 5},
        {"type": "unknown"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": "1", "payload": 5},
        {"type": "subscribe", "id": "1", "payload": {"query": 5}},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { id } }"}},
        {"type": "subscribe", "id": [], "payload": {"query": "{ viewer { id } }"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{ viewer { id } }"}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { id } }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "#" * 70_000}},
        {"type": "complete"},
        {"type": "complete", "id": {}},
    ],
)
async def test_a_malformed_message_closes_the_connection_and_nothing_else(message: Any) -> None:
    async with front(House()) as asked:
        async with asked.socket() as socket:
            await socket.init(asked.token)
            await socket.send(message)
            assert await socket.closed() == 4400
        assert (await asked.post({"query": "{ viewer { id } }"})).status_code == 200


async def test_the_protocols_own_refusals() -> None:
    async with front(House()) as asked:
        async with asked.socket() as early:
            await early.subscribe("{ viewer { id } }")
            assert await early.closed() == 4401
        async with asked.socket() as twice:
            await twice.init(asked.token)
            await twice.send({"type": "connection_init"})
            assert await twice.closed() == 4429
        async with asked.socket() as alive:
            await alive.init(asked.token)
            await alive.send({"type": "ping"})
            assert await alive.receive() == {"type": "pong"}


async def test_a_faulty_document_is_answered_with_an_error_and_the_connection_stays() -> None:
    async with front(House()) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        for number, document in enumerate(
            ["{ viewer {", "{ nothing }", "query A { viewer { id } } query B { viewer { id } }"]
        ):
            await socket.subscribe(document, str(number))
            answer = await socket.receive()
            assert (answer["id"], answer["type"]) == (str(number), "error")
        await socket.subscribe("{ viewer { id } }", "last")
        assert (await socket.receive())["type"] == "next"


async def test_a_foreign_page_cannot_open_a_connection_unless_it_is_allowed_to() -> None:
    async with front(House()) as asked:
        with pytest.raises(websockets.InvalidStatus):
            async with asked.socket(origin="https://elsewhere.example"):
                pass
    allowing = replace(OPTIONS, allowed_origins=("https://elsewhere.example",))
    async with front(House(), allowing) as asked, asked.socket(origin="https://elsewhere.example") as socket:
        await socket.init(asked.token)
