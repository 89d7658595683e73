"""Usage through the schema: calls, sums, and that nobody sees another tenant's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.graphql.ids import node_id
from domain.model.access import Client, Scope
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CallId, ClientId, CredentialId
from domain.model.quota import Outcome
from domain.model.tokens import Kind, mint
from domain.model.usage import CallRecord, Cost, Job
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, NOW, House, tenant_id

SHOP, BOT, GONE = (ClientId(UUID(int=number)) for number in (71, 72, 73))
OWN = CredentialId(UUID(int=81))
WRITER = ModelRef("acme", "writer:7b", ModelType.LLM)
EAR = ModelRef("home", "ear", ModelType.SPEECH_TO_TEXT)
DAY = timedelta(days=1)

USAGE = """query Usage($by: [UsageDimension!]!, $from: DateTime, $to: DateTime, $filter: UsageFilterInput,
    $zone: String! = "UTC", $first: Int! = 50, $after: String) {
  usage(by: $by, from: $from, to: $to, filter: $filter, timeZone: $zone, first: $first, after: $after) {
    nodes { day model { provider name } application { clientId name } paidBy credentialId job outcome
      calls succeeded failed inputTokens outputTokens audioSeconds characters meanLatencyMs cost { amount currency } }
    pageInfo { hasNextPage endCursor } } }"""
CALLS = """query Calls($from: DateTime, $to: DateTime, $filter: UsageFilterInput, $first: Int! = 50, $after: String) {
  calls(from: $from, to: $to, filter: $filter, first: $first, after: $after) {
    nodes { id callId at application { clientId name } model { name } job paidBy credentialId outcome
      inputTokens outputTokens audioSeconds characters latencyMs cost { amount currency } }
    pageInfo { hasNextPage endCursor } } }"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename id ... on Call { callId } } }"
ONE = "query One($id: String!) { call(callId: $id) { id callId application { name } } }"


def public(client: ClientId, tenant: int = 1) -> str:
    return mint(Kind.CLIENT_ID, tenant_id(tenant), client.bytes)


def record(number: int, tenant: int = 1, **changes: Any) -> CallRecord:
    plain = CallRecord(
        tenant_id(tenant),
        CallId(UUID(int=number)),
        NOW - timedelta(hours=number),
        SHOP,
        None,
        WRITER,
        Outcome.SUCCEEDED,
        1_000,
        200,
        90,
        cost=Cost(270_000, "USD"),
    )
    return replace(plain, **changes)


def records() -> Iterator[CallRecord]:
    yield record(1)
    yield record(2, client_id=BOT, credential_id=OWN, job=Job.NAMING, latency_ms=30)
    heard: dict[str, Any] = {"input_tokens": None, "output_tokens": None, "audio_ms": 1_500, "cost": Cost(10**9, "CNY")}
    yield record(13, model=EAR, job=Job.TRANSCRIPTION, **heard)
    yield record(40, client_id=GONE, outcome=Outcome.BROKEN, input_tokens=None, output_tokens=None, cost=None)
    yield record(24 * 31)


@pytest.fixture
def house() -> House:
    house = House()
    leave(house, 1, *records())
    for client, name in ((SHOP, "The shop"), (BOT, "The bot")):
        row = Client(tenant_id(1), client, name, b"", frozenset(), NOW)
        house.store.rows[tenant_id(1)].clients[client] = row
    return house


def leave(house: House, tenant: int, *left: CallRecord) -> None:
    house.store.rows[tenant_id(tenant)].records.update({each.id: each for each in left})


async def usage(house: House, *by: str, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.data(USAGE, None, by=by, **more))["usage"]["nodes"]
    return found


async def calls(house: House, **more: Any) -> list[str]:
    nodes = (await house.data(CALLS, None, **more))["calls"]["nodes"]
    return [node["callId"][-12:].lstrip("0") for node in nodes]


def ids(*numbers: int) -> list[str]:
    return [f"{number:x}" for number in numbers]


async def test_sums_of_the_last_thirty_days_by_currency(house: House) -> None:
    unpriced, yuan, dollars = await usage(house)
    assert dollars == {
        "day": None,
        "model": None,
        "application": None,
        "paidBy": None,
        "credentialId": None,
        "job": None,
        "outcome": None,
        "calls": 2,
        "succeeded": 2,
        "failed": 0,
        "inputTokens": 2_000,
        "outputTokens": 400,
        "audioSeconds": 0,
        "characters": 0,
        "meanLatencyMs": 60,
        "cost": {"amount": "0.00054", "currency": "USD"},
    }
    assert (yuan["audioSeconds"], yuan["cost"]) == (1.5, {"amount": "1", "currency": "CNY"})
    assert (unpriced["calls"], unpriced["failed"], unpriced["cost"]) == (1, 1, None)


async def test_sums_by_day_and_application(house: House) -> None:
    rows = await usage(house, "DAY", "APPLICATION", "DAY", filter={"outcomes": ["SUCCEEDED"]})
    assert [(r["day"], r["application"], r["calls"]) for r in rows] == [
        ("2026-11-22", {"clientId": public(SHOP), "name": "The shop"}, 1),
        ("2026-11-23", {"clientId": public(SHOP), "name": "The shop"}, 1),
        ("2026-11-23", {"clientId": public(BOT), "name": "The bot"}, 1),
    ]


async def test_a_day_is_one_of_the_time_zone(house: House) -> None:
    rows = await usage(
        house,
        "DAY",
        zone="Asia/Tokyo",
        filter={"models": [{"provider": "home", "name": "ear", "type": "SPEECH_TO_TEXT"}]},
    )
    assert [r["day"] for r in rows] == ["2026-11-23"]


async def test_sums_by_credential_tell_the_platforms_key_apart(house: House) -> None:
    rows = await usage(house, "CREDENTIAL", filter={"providers": ["acme"], "outcomes": ["SUCCEEDED"]})
    assert [(r["paidBy"], r["credentialId"], r["calls"]) for r in rows] == [
        ("OWN", node_id("Credential", OWN), 1),
        ("PLATFORM", None, 1),
    ]


async def test_sums_by_model_job_and_outcome(house: House) -> None:
    rows = await usage(house, "MODEL", "JOB", "OUTCOME")
    assert [(r["model"]["name"], r["job"], r["outcome"]) for r in rows] == [
        ("writer:7b", "CHAT", "BROKEN"),
        ("writer:7b", "CHAT", "SUCCEEDED"),
        ("writer:7b", "NAMING", "SUCCEEDED"),
        ("ear", "TRANSCRIPTION", "SUCCEEDED"),
    ]


async def test_an_application_that_is_gone_keeps_its_id(house: House) -> None:
    (row,) = await usage(house, "APPLICATION", filter={"outcomes": ["BROKEN"]})
    assert row["application"] == {"clientId": public(GONE), "name": None}


@pytest.mark.parametrize("first", [1, 2, 3, 9])
async def test_sums_are_walked_page_by_page_while_some_vanish(house: House, first: int) -> None:
    whole = await usage(house, "MODEL", "JOB", "OUTCOME")
    page = (await house.data(USAGE, None, by=["OUTCOME", "MODEL", "JOB"], first=first))["usage"]
    house.store.rows[tenant_id(1)].records.pop(CallId(UUID(int=40)))
    walked = page["nodes"]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await house.data(USAGE, None, by=["OUTCOME", "MODEL", "JOB"], first=first, after=after))["usage"]
        walked += page["nodes"]
    assert walked == whole


async def test_calls_come_newest_first_with_everything_they_left(house: House) -> None:
    first, second, *_ = (await house.data(CALLS, None))["calls"]["nodes"]
    assert first == {
        "id": node_id("Call", UUID(int=1)),
        "callId": str(UUID(int=1)),
        "at": (NOW - timedelta(hours=1)).isoformat(),
        "application": {"clientId": public(SHOP), "name": "The shop"},
        "model": {"name": "writer:7b"},
        "job": "CHAT",
        "paidBy": "PLATFORM",
        "credentialId": None,
        "outcome": "SUCCEEDED",
        "inputTokens": 1_000,
        "outputTokens": 200,
        "audioSeconds": None,
        "characters": None,
        "latencyMs": 90,
        "cost": {"amount": "0.00027", "currency": "USD"},
    }
    assert (second["paidBy"], second["credentialId"]) == ("OWN", node_id("Credential", OWN))


@pytest.mark.parametrize("first", [1, 2, 3, 4])
async def test_calls_are_walked_page_by_page_while_others_come(house: House, first: int) -> None:
    after, more, walked = None, True, []
    while more:
        page = (await house.data(CALLS, None, first=first, after=after))["calls"]
        walked += [node["callId"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        leave(house, 1, record(len(walked) + 900, at=NOW - timedelta(seconds=1)))
    assert walked == [str(UUID(int=number)) for number in (1, 2, 13, 40)]


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        ({}, (1, 2, 13, 40)),
        ({"models": [], "providers": [], "jobs": [], "outcomes": []}, (1, 2, 13, 40)),
        ({"models": [{"provider": "home", "name": "ear", "type": "SPEECH_TO_TEXT"}]}, (13,)),
        ({"models": [{"provider": "home", "name": "ear", "type": "LLM"}]}, ()),
        ({"providers": ["acme", "nobody"]}, (1, 2, 40)),
        ({"clientId": public(BOT)}, (2,)),
        ({"clientId": public(ClientId(UUID(int=5)), tenant=2)}, ()),
        ({"paidBy": "PLATFORM"}, (1, 13, 40)),
        ({"paidBy": "OWN"}, (2,)),
        ({"credentialId": node_id("Credential", OWN)}, (2,)),
        ({"credentialId": node_id("Credential", UUID(int=9))}, ()),
        ({"jobs": ["NAMING", "TRANSCRIPTION"]}, (2, 13)),
        ({"outcomes": ["BROKEN"], "providers": ["home"]}, ()),
    ],
)
async def test_calls_and_sums_are_narrowed_alike(house: House, which: dict[str, Any], numbers: tuple[int, ...]) -> None:
    assert await calls(house, filter=which) == ids(*numbers)
    assert sum(row["calls"] for row in await usage(house, filter=which)) == len(numbers)


async def test_a_time_takes_its_start_and_not_its_end(house: House) -> None:
    start, end = NOW - timedelta(hours=13), NOW - timedelta(hours=1)
    assert await calls(house, **{"from": start.isoformat(), "to": end.isoformat()}) == ids(2, 13)
    assert await calls(house, **{"from": (NOW - 32 * DAY).isoformat()}) == ids(1, 2, 13, 40, 24 * 31)
    assert await calls(house, to=(NOW - 5 * DAY).isoformat()) == ids(24 * 31)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"from": "2026-11-23T00:00:00"}, "INVALID_RANGE"),
        ({"to": "2026-11-23T00:00:00"}, "INVALID_RANGE"),
        ({"from": "2026-11-23T12:00:00Z"}, "INVALID_RANGE"),
        ({"from": "2026-11-24T00:00:00Z"}, "INVALID_RANGE"),
        ({"from": "2025-10-19T00:00:00Z"}, "INVALID_RANGE"),
        ({"to": "0001-01-01T00:00:00Z"}, "INVALID_RANGE"),
        ({"to": "9999-12-31T23:59:59-12:00"}, "INVALID_RANGE"),
        ({"zone": "Europe"}, "INVALID_RANGE"),
        ({"zone": "../../etc/passwd"}, "INVALID_RANGE"),
        ({"filter": {"clientId": "nonsense"}}, "INVALID_RANGE"),
        ({"filter": {"credentialId": "nonsense"}}, "NOT_FOUND"),
        ({"filter": {"credentialId": ""}}, "NOT_FOUND"),
        ({"filter": {"providers": ["acme"] * 101}}, "INVALID_RANGE"),
        ({"first": 101}, "INVALID_RANGE"),
        ({"after": "forged"}, "INVALID_RANGE"),
    ],
)
async def test_what_makes_no_sense_is_refused(house: House, variables: dict[str, Any], code: str) -> None:
    assert await house.codes(USAGE, None, by=["DAY"], **variables) == [code]
    if "zone" not in variables:
        assert await house.codes(CALLS, None, **variables) == [code]


async def test_a_cursor_is_good_for_its_filter_alone(house: House) -> None:
    page = (await house.data(CALLS, None, first=1))["calls"]["pageInfo"]
    narrowed = {"first": 1, "after": page["endCursor"], "filter": {"paidBy": "PLATFORM"}}
    assert await house.codes(CALLS, None, **narrowed) == ["INVALID_RANGE"]
    assert await house.codes(CALLS, house.actor(tenant=2), first=1, after=page["endCursor"]) == ["INVALID_RANGE"]


async def test_a_receipt_leads_to_its_call() -> None:
    house = House(FakeGateway(ANSWER))
    document = "mutation Ask($input: ChatInput!) { chat(input: $input) { ... on ChatPayload { callId } } }"
    receipt = (await house.data(document, None, input=CHAT))["chat"]["callId"]
    found = (await house.data(ONE, None, id=receipt))["call"]
    assert found["callId"] == receipt
    fetched = (await house.data(NODE, None, id=found["id"]))["node"]
    assert fetched == {"__typename": "Call", "id": found["id"], "callId": receipt}


@pytest.mark.parametrize("unknown", ["", "x", str(UUID(int=999)), "é", node_id("Call", UUID(int=1))])
async def test_an_unknown_call_is_null(house: House, unknown: str) -> None:
    assert await house.data(ONE, None, id=unknown) == {"call": None}


async def test_another_tenants_calls_read_like_unknown_ones(house: House) -> None:
    stranger = house.actor(tenant=2)
    leave(house, 2, record(500, tenant=2, client_id=SHOP))
    assert (await house.data(ONE, stranger, id=str(UUID(int=1)))) == {"call": None}
    assert (await house.data(NODE, stranger, id=node_id("Call", UUID(int=1)))) == {"node": None}
    (total,) = (await house.data(USAGE, stranger, by=["APPLICATION"]))["usage"]["nodes"]
    assert (total["calls"], total["application"]) == (1, {"clientId": public(SHOP, tenant=2), "name": None})
    (call,) = (await house.data(CALLS, stranger))["calls"]["nodes"]
    assert call["callId"] == str(UUID(int=500))


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (USAGE, {"by": ["DAY"]}),
        (CALLS, {}),
        (ONE, {"id": str(UUID(int=1))}),
        (NODE, {"id": node_id("Call", UUID(int=1))}),
    ],
)
async def test_reading_usage_needs_its_scope_and_no_other(house: House, document: str, variables: Any) -> None:
    result = await house.run(document, house.actor(*(set(Scope) - {Scope.USAGE_READ})), **variables)
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": Scope.USAGE_READ}
    assert not result.data or set(result.data.values()) == {None}
    await house.data(document, house.actor(Scope.USAGE_READ), **variables)


async def test_names_are_looked_up_once_for_a_page(house: House) -> None:
    """However many calls are on it: a unit of work for the calls, one for the names."""
    begun: list[Any] = []

    def begin(tenant: Any) -> Any:
        begun.append(tenant)
        return house.store.begin(tenant)

    house.usecases = replace(house.usecases, usage=replace(house.usecases.usage, begin=begin))
    leave(house, 1, *(record(n, at=datetime(2026, 11, 20, tzinfo=UTC)) for n in range(1_000, 1_090)))
    assert len(await calls(house, first=100)) == 94
    assert len(begun) == 2


async def test_the_example_of_the_documentation_works(house: House) -> None:
    text = (Path(__file__).parents[3] / "docs/usage.md").read_text(encoding="utf-8")
    example = text.partition("```graphql\n")[2].partition("```")[0]
    (row,) = (await house.data(example))["usage"]["nodes"]
    assert (row["day"], row["calls"], row["cost"]) == ("2026-11-23", 1, {"amount": "0.00027", "currency": "USD"})
