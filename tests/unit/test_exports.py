"""Exports of usage: what a file holds, how it is written, and when it ends."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.types import ASGIApp, Message

from api.auth import LEASE, Authentication, LeasedActors
from api.bounds import Bounds
from api.exports import COLUMNS, FORMATS, UsageExport
from api.graphql.ids import node_id
from domain.model.access import Client, Scope
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.tokens import Kind, mint
from domain.model.usage import CallRecord, Cost, Job
from tests.graphql_house import NOW, House, tenant_id
from tests.traffic import gate

SHOP = ClientId(UUID(int=71))
OWN = CredentialId(UUID(int=81))
EAR = ModelRef("home", "own/ear", ModelType.SPEECH_TO_TEXT)
CSV, NDJSON = FORMATS


class Answer:
    """What an application sent, and how many units of work it had begun at each piece."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def pieces(self) -> list[bytes]:
        return [message["body"] for message in self.messages[1:] if message["body"]]

    @property
    def text(self) -> str:
        return b"".join(self.pieces).decode()

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text, newline="")))

    @property
    def error(self) -> Any:
        return json.loads(self.text)["errors"][0]["extensions"]


def export(house: House, ending: str = "csv", concurrency: int = 9) -> ASGIApp:
    form = CSV if ending == "csv" else NDJSON
    bounded = Bounds(
        UsageExport(house.usecases.usage, form, "Bearer x"), gate(tenant_concurrency=concurrency), seconds=60
    )
    actors = LeasedActors(house.usecases.access.authenticate, house.clock, sleep=lambda _: asyncio.sleep(0))
    return Authentication(bounded, actors.admit, "x")


async def asked(
    app: ASGIApp,
    token: str | None,
    query: str = "",
    *,
    method: str = "GET",
    leave_after: int = -1,
    on_piece: Callable[[int], None] = lambda _: None,
) -> Answer:
    """The answer to a client that leaves after so many pieces, if it does; `on_piece` is told how many there are."""
    answer, left = Answer(), asyncio.Event()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.messages.append(message)
        if len(answer.pieces) == leave_after:
            left.set()
        on_piece(len(answer.pieces))
        await asyncio.sleep(0)

    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {"type": "http", "method": method, "path": "/", "query_string": query.encode(), "headers": headers}
    await app(scope, receive, send)
    return answer


def record(number: int, tenant: int = 1, **changes: Any) -> CallRecord:
    at = NOW - timedelta(minutes=number)
    model = ModelRef("acme", "writer:7b", ModelType.LLM)
    plain = CallRecord(tenant_id(tenant), CallId(UUID(int=number)), at, SHOP, None, model, Outcome.SUCCEEDED, 9, 2, 40)
    return replace(plain, **changes)


def leave(house: House, *records: CallRecord) -> None:
    for each in records:
        house.store.rows[each.tenant_id].records[each.id] = each


def many(count: int, tenant: int = 1) -> Iterator[CallRecord]:
    return (record(n, tenant, at=NOW - timedelta(seconds=n)) for n in range(1, count + 1))


@pytest.fixture
def house() -> House:
    house = House()
    heard: dict[str, Any] = {
        "input_tokens": None,
        "output_tokens": None,
        "audio_ms": 1_500,
        "cost": Cost(270_000, "USD"),
    }
    leave(
        house,
        record(1),
        record(2, model=EAR, job=Job.TRANSCRIPTION, credential_id=OWN, **heard),
        record(3, outcome=Outcome.BROKEN, characters=7),
    )
    named(house, "The shop, “best”")
    return house


def named(house: House, name: str) -> None:
    house.store.rows[tenant_id(1)].clients[SHOP] = Client(tenant_id(1), SHOP, name, b"", frozenset(), NOW)


async def test_a_csv_file_has_a_header_and_a_row_per_call(house: House) -> None:
    answer = await asked(export(house), house.token())
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="usage-20261024-20261123.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith(",".join(COLUMNS) + "\r\n")
    assert [row["call_id"] for row in answer.rows] == [str(UUID(int=n)) for n in (1, 2, 3)]
    assert answer.rows[1] == {
        "call_id": str(UUID(int=2)),
        "at": "2026-11-23T11:58:00+00:00",
        "client_id": mint(Kind.CLIENT_ID, tenant_id(1), SHOP.bytes),
        "application": "The shop, “best”",
        "provider": "home",
        "model": "own/ear",
        "type": "speech_to_text",
        "job": "transcription",
        "paid_by": "own",
        "credential_id": node_id("Credential", OWN),
        "outcome": "succeeded",
        "input_tokens": "",
        "output_tokens": "",
        "audio_seconds": "1.5",
        "characters": "",
        "cost": "0.00027",
        "currency": "USD",
        "latency_ms": "40",
    }


async def test_a_json_file_has_an_object_per_line(house: House) -> None:
    answer = await asked(export(house, "ndjson"), house.token())
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"].endswith('.ndjson"')
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [list(line) for line in lines] == [list(COLUMNS)] * 3
    assert (lines[0]["input_tokens"], lines[0]["cost"], lines[0]["audio_seconds"]) == (9, None, None)
    assert (lines[1]["cost"], lines[1]["audio_seconds"], lines[1]["paid_by"]) == ("0.00027", 1.5, "own")


@pytest.mark.parametrize(("ending", "text"), [("csv", ",".join(COLUMNS) + "\r\n"), ("ndjson", "")])
async def test_a_file_without_calls_is_a_file(ending: str, text: str) -> None:
    house = House()
    answer = await asked(export(house, ending), house.token())
    assert (answer.status, answer.text) == (200, text)


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_no_cell_is_a_formula(house: House, name: str) -> None:
    named(house, name)
    leave(house, record(1, model=ModelRef("home", name, ModelType.LLM)))
    answer = await asked(export(house), house.token())
    assert (answer.rows[0]["application"], answer.rows[0]["model"]) == (f"'{name}", f"'{name}")
    as_json = await asked(export(house, "ndjson"), house.token())
    assert json.loads(as_json.text.splitlines()[0])["application"] == name


async def test_cells_with_separators_read_back_as_they_were(house: House) -> None:
    named(house, 'a,"b"\r\nc')
    assert (await asked(export(house), house.token())).rows[0]["application"] == 'a,"b"\r\nc'


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("provider=acme", [1, 3]),
        ("provider=acme&provider=home", [1, 2, 3]),
        ("model=home/own/ear", [2]),
        ("job=transcription&job=rerank", [2]),
        ("paid_by=platform", [1, 3]),
        (f"credential_id={node_id('Credential', OWN)}", [2]),
        ("outcome=broken", [3]),
        (f"client_id={mint(Kind.CLIENT_ID, tenant_id(1), UUID(int=1).bytes)}", []),
        ("from=2026-11-23T11:58:00Z&to=2026-11-23T11:59:00Z", [2]),
        ("from=2026-11-23T12:58:00%2B01:00", [1, 2]),
    ],
)
async def test_an_export_can_be_narrowed(house: House, query: str, numbers: list[int]) -> None:
    answer = await asked(export(house), house.token(), query)
    assert [int(UUID(row["call_id"])) for row in answer.rows] == numbers


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("form=csv", 400, "INVALID_RANGE"),
        ("from=yesterday", 400, "INVALID_RANGE"),
        ("from=2026-11-23", 400, "INVALID_RANGE"),
        ("to=2026-11-23T12:00:00+01:00", 400, "INVALID_RANGE"),
        ("from=2026-11-24T00:00:00Z", 400, "INVALID_RANGE"),
        ("from=2025-10-01T00:00:00Z", 400, "INVALID_RANGE"),
        ("paid_by=nobody", 400, "INVALID_RANGE"),
        ("paid_by=own&paid_by=platform", 400, "INVALID_RANGE"),
        ("job=CHAT", 400, "INVALID_RANGE"),
        ("outcome=", 400, "INVALID_RANGE"),
        ("model=writer", 400, "INVALID_RANGE"),
        ("client_id=x", 400, "INVALID_RANGE"),
        ("&".join(["provider=acme"] * 101), 400, "INVALID_RANGE"),
        ("provider=a%00b", 400, "INVALID_RANGE"),
        ("model=acme/a%00b", 400, "INVALID_RANGE"),
        ("credential_id=x", 404, "NOT_FOUND"),
    ],
)
async def test_what_makes_no_sense_is_refused(house: House, query: str, status: int, code: str) -> None:
    answer = await asked(export(house), house.token(), query)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"


async def test_an_export_needs_a_token_and_its_scope(house: House) -> None:
    app = export(house)
    nobody = await asked(app, None)
    assert (nobody.status, nobody.error["code"]) == (401, "UNAUTHENTICATED")
    assert nobody.headers["www-authenticate"] == "Bearer x"
    wrong = await asked(app, "ptn_at_wrong")
    assert (wrong.status, wrong.error["code"]) == (401, "UNAUTHENTICATED")
    other = await asked(app, house.token(house.actor(*(set(Scope) - {Scope.USAGE_READ}))))
    assert (other.status, other.error) == (403, {"code": "FORBIDDEN", "needs": "usage:read"})
    assert (await asked(app, house.token(house.actor(Scope.USAGE_READ)))).status == 200


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
async def test_an_export_is_read_with_get(house: House, method: str) -> None:
    answer = await asked(export(house), house.token(), method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


async def test_many_calls_come_in_pieces_and_none_of_another_tenant() -> None:
    house = House()
    leave(house, *many(10_500), *many(700, tenant=2))
    answer = await asked(export(house), house.token())
    assert [int(UUID(row["call_id"])) for row in answer.rows] == list(range(1, 10_501))
    assert max(piece.count(b"\r\n") for piece in answer.pieces) <= 1_001
    other = await asked(export(house), house.token(house.actor(tenant=2)))
    assert len(other.rows) == 700
    assert {row["client_id"] for row in other.rows} == {mint(Kind.CLIENT_ID, tenant_id(2), SHOP.bytes)}


async def test_no_unit_of_work_is_open_while_a_piece_is_read() -> None:
    house = House()
    leave(house, *many(2_500))
    busy: list[bool] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def look(message: Message) -> None:
            busy.append(house.store.turn.locked())
            await send(message)

        await export(house)(scope, receive, look)

    await asked(watched, house.token())
    assert len(busy) >= 4
    assert not any(busy)


async def test_an_export_ends_when_its_client_leaves_and_gives_its_place_back() -> None:
    house = House()
    leave(house, *many(10_000))
    app = export(house, concurrency=1)
    answer = await asked(app, house.token(), leave_after=2)
    assert 2 <= len(answer.pieces) <= 4
    assert not house.store.turn.locked()
    assert (await asked(app, house.token(), "outcome=broken")).status == 200


async def test_an_export_breaks_off_when_its_token_is_good_no_more() -> None:
    house = House()
    leave(house, *many(10_000))

    def revoke(piece: int) -> None:
        if piece == 2:
            house.store.rows[tenant_id(1)].tokens.clear()
            house.clock.advance(LEASE)

    answer = await asked(export(house), house.token(), on_piece=revoke)
    assert 2 <= len(answer.pieces) <= 5
    assert answer.messages[-1]["more_body"]
    assert not house.store.turn.locked()


async def test_an_export_takes_a_place_among_its_tenants_requests() -> None:
    house = House()
    leave(house, *many(1))
    app = export(house, concurrency=0)
    assert (await asked(app, house.token())).status == 429


def test_the_documentation_names_every_column() -> None:
    text = (Path(__file__).parents[2] / "docs/usage.md").read_text(encoding="utf-8")
    named = text.partition("The columns are ")[2].partition(";")[0]
    assert tuple(re.findall("`(\\w+)`", named)) == COLUMNS
