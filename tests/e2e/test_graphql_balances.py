"""The live balance on real sockets: at once, then at each change, until the token expires or the client leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.graphql.ids import node_id
from domain.model.access import Scope
from domain.model.quota import Pot
from tests.e2e.front import Front, front
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, House, tenant_id

BALANCE = "subscription B($ids: [ID!]) { quotaBalance(ids: $ids) { id kind used held free } }"
ASK = "mutation A($input: ChatInput!) { chat(input: $input) { ... on ChatPayload { text } } }"


def trial(house: House) -> Pot:
    return next(iter(house.store.rows[tenant_id(1)].pots.values()))


@asynccontextmanager
async def listening(asked: Front, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
    """What each event tells; leaving hangs up."""
    headers = {"authorization": f"Bearer {asked.token}", "accept": "text/event-stream"}
    body = {"query": BALANCE, "variables": variables}
    async with asked.client.stream("POST", asked.url, json=body, headers=headers) as answer:

        async def events() -> AsyncIterator[Any]:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))["data"]["quotaBalance"]

        yield events()


async def nobody_watches(house: House) -> None:
    async with asyncio.timeout(5):
        while getattr(house.usecases.quotas.balances, "_polls"):  # noqa: B009 - what no caller may see
            await asyncio.sleep(0.001)


async def test_a_call_is_seen_in_the_balance_as_server_sent_events() -> None:
    house = House(FakeGateway(ANSWER))
    async with front(house) as asked, listening(asked) as events:
        (first,) = await anext(events)
        assert (first["kind"], first["used"], first["held"]) == ("TRIAL", 5, 0)
        await asked.post({"query": ASK, "variables": {"input": CHAT}})
        async with asyncio.timeout(5):
            while (now := (await anext(events))[0])["used"] != 6:
                assert now["held"] == 1
        assert (now["held"], now["free"]) == (0, 2**40 - 6)


async def test_a_call_is_seen_in_the_balance_over_a_websocket() -> None:
    house = House(FakeGateway(ANSWER))
    async with front(house) as asked, asked.socket() as socket:
        await socket.init(asked.token)
        await socket.subscribe(BALANCE)
        assert (await socket.receive())["payload"]["data"]["quotaBalance"][0]["used"] == 5
        await asked.post({"query": ASK, "variables": {"input": CHAT}})
        async with asyncio.timeout(5):
            while (await socket.receive())["payload"]["data"]["quotaBalance"][0]["used"] != 6:
                pass
        await socket.send({"id": "1", "type": "complete"})
        await nobody_watches(house)


async def test_a_client_that_hangs_up_is_polled_for_no_more() -> None:
    house = House()
    async with front(house) as asked:
        async with listening(asked) as events:
            await anext(events)
        await nobody_watches(house)


async def test_the_events_end_when_the_token_expires() -> None:
    house = House()
    async with front(house) as asked:
        asked.token = house.token(house.actor(expires_in=0.5))
        events = await asked.events(BALANCE)
        assert [kind for kind, _ in events] == ["next", "next", "complete"]
        assert events[1][1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await nobody_watches(house)


async def test_only_the_quotas_that_are_asked_for_are_told() -> None:
    house = House()
    mine, foreign = (
        node_id("Quota", trial(house).id),
        node_id("Quota", house.store.rows[tenant_id(2)].pots.popitem()[0]),
    )
    async with front(house) as asked:
        for ids, told in (([mine], [mine]), ([foreign], []), (["nonsense", mine], [mine]), ([], [])):
            async with listening(asked, ids=ids) as events:
                assert [quota["id"] for quota in await anext(events)] == told


async def test_watching_too_many_or_without_the_scope_is_an_error_and_no_event() -> None:
    house = House()
    async with front(house) as asked:
        (_, many), _ = await asked.events(BALANCE, ids=["x"] * 101)
        assert many["errors"][0]["extensions"]["code"] == "INVALID_RANGE"
        asked.token = house.token(house.actor(Scope.MODELS_INVOKE))
        (_, unfit), _ = await asked.events(BALANCE)
        assert unfit["errors"][0]["extensions"] == {"code": "FORBIDDEN", "needs": "quotas:read"}
