"""Exports of usage from a served Portunus: large files of two tenants, over a real socket."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from api.exports import COLUMNS
from domain.model.ids import CallId, ClientId
from domain.model.quota import Outcome
from domain.model.tokens import Kind, parse
from domain.model.usage import CallRecord, Cost
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from tests.belongings import MODEL
from tests.databases import Urls
from tests.e2e.portunus import Client, environment, served
from tests.stores import InDatabase

USAGE = """{ usage(by: [APPLICATION]) { nodes { calls inputTokens application { clientId name } cost { amount } } } }"""
CALLS = "{ calls(first: 1) { nodes { callId } } }"


def records(opened: dict[str, str], count: int) -> list[CallRecord]:
    """Calls of this tenant's client, the newest a minute ago."""
    client = parse(Kind.CLIENT_ID, opened["client_id"])
    assert client is not None
    tenant, client_id = client.tenant_id, ClientId(UUID(bytes=client.rest))
    newest = datetime.now(UTC) - timedelta(minutes=1)
    return [
        CallRecord(
            tenant,
            CallId(uuid7()),
            newest - timedelta(seconds=n),
            client_id,
            None,
            MODEL,
            Outcome.SUCCEEDED,
            n,
            1,
            40,
            cost=Cost(n, "USD"),
        )
        for n in range(count)
    ]


async def test_two_tenants_export_their_own_calls_whole(urls: Urls, engine: AsyncEngine, tmp_path: Path) -> None:
    store = InDatabase(engine, ledger_on(engine))
    with served(environment(urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        large, small = portunus.open_tenant("Large"), portunus.open_tenant("Small")
        hers, his = records(large, 10_500), records(small, 30)
        await store.leave(*hers)
        await store.leave(*his)
        async with portunus.client_of(large) as client:
            text = b"".join([piece async for piece in pieces(client, "/usage.csv")]).decode()
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            assert [row["call_id"] for row in rows] == [str(each.id) for each in hers]
            assert list(rows[0]) == list(COLUMNS)
            (total,) = (await client.ask(USAGE))["usage"]["nodes"]
            assert (total["calls"], total["inputTokens"]) == (10_500, sum(range(10_500)))
            assert {row["client_id"] for row in rows} == {total["application"]["clientId"]} == {large["client_id"]}
            assert {row["application"] for row in rows} == {total["application"]["name"]}
        async with portunus.client_of(small) as client:
            lines = b"".join([piece async for piece in pieces(client, "/usage.ndjson")]).splitlines()
            assert [json.loads(line)["call_id"] for line in lines] == [str(each.id) for each in his]
            assert refusal(await client.http.get("/usage.csv", params={"from": "yesterday"})) == (400, "INVALID_RANGE")
            del client.http.headers["Authorization"]
            nobody = await client.http.get("/usage.csv")
            assert refusal(nobody) == (401, "UNAUTHENTICATED")
            assert "oauth-protected-resource" in nobody.headers["www-authenticate"]


async def test_a_client_that_hangs_up_leaves_room_for_the_next(sqlite_urls: Urls, tmp_path: Path) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_TENANT_CONCURRENCY="1")
    with served(settings, tmp_path) as portunus:
        opened = portunus.open_tenant("Hasty")
        engine = open_engine(sqlite_urls.app)
        await InDatabase(engine, ledger_on(engine)).leave(*records(opened, 30_000))
        await engine.dispose()
        async with portunus.client_of(opened) as client:
            async with client.http.stream("GET", "/usage.csv") as answer:
                assert await anext(answer.aiter_bytes())
            while (answer := await client.http.get("/usage.csv?outcome=broken")).status_code == 429:
                pass
            assert answer.text == ",".join(COLUMNS) + "\r\n"
            assert len((await client.ask(CALLS))["calls"]["nodes"]) == 1


async def pieces(client: Client, path: str) -> AsyncIterator[bytes]:
    async with client.http.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        async for piece in answer.aiter_bytes():
            yield piece


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]
