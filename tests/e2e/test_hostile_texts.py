"""Texts that PostgreSQL does not keep, sent over HTTP to a front over real databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from infrastructure.db.fence import naming
from tests.databases import Urls
from tests.e2e.front import SCHEMA_JSON, Front, front
from tests.tenancy.two_tenants import World, world

NUL = "a\x00b"
USAGE = "query Q($filter: UsageFilterInput) { usage(by: [], filter: $filter) { nodes { calls } } }"
CALLS = "query Q($filter: UsageFilterInput) { calls(filter: $filter) { nodes { id } } }"
REMOVE = "mutation M($i: RemoveModelInput!) { removeModel(input: $i) { __typename } }"
CASES: list[tuple[str, dict[str, Any]]] = [
    ("query Q($p: String) { credentials(provider: $p) { nodes { id } } }", {"p": NUL}),
    ('{ credentials(provider: "a\\u0000b") { nodes { id } } }', {}),
    (USAGE, {"filter": {"providers": ["acme", NUL]}}),
    (CALLS, {"filter": {"models": [{"provider": "acme", "name": NUL, "type": "LLM"}]}}),
    (CALLS, {"filter": {"clientId": NUL}}),
    ("query Q($c: String!) { call(callId: $c) { id } }", {"c": NUL}),
    ("query Q($z: String!) { usage(by: [DAY], timeZone: $z) { nodes { calls } } }", {"z": NUL}),
    (REMOVE, {"i": {"model": {"provider": "acme", "name": NUL, "type": "LLM"}}}),
]


@pytest.fixture
async def house(urls: Urls) -> AsyncIterator[World]:
    async with world(urls, naming) as both:
        yield both


async def asked(at: Front, token: str, query: str, variables: dict[str, Any]) -> Any:
    body = {"query": query, "variables": variables}
    return await at.post(body, accept=SCHEMA_JSON, authorization=f"Bearer {token}")


async def test_a_text_with_nul_is_bad_input_and_no_fault_of_ours(house: World) -> None:
    token = await house.token(house.hers)
    async with front(house.house) as at:
        for query, variables in CASES:
            answer = await asked(at, token, query, variables)
            assert answer.status_code == 422, (query, answer.text)
            assert [e["extensions"]["code"] for e in answer.json()["errors"]] == ["BAD_USER_INPUT"]
            assert "U+0000" in answer.text
            assert "\\u0000" not in answer.text


async def test_a_model_is_given_any_text_and_the_call_is_recorded(house: World) -> None:
    chat = "mutation C($i: ChatInput!) { chat(input: $i) { __typename ... on ChatPayload { callId } } }"
    token = await house.token(house.hers)
    async with front(house.house) as at:
        sent = {"i": {"messages": [{"role": "USER", "content": NUL}]}}
        answer = (await asked(at, token, chat, sent)).json()["data"]["chat"]
        assert answer["__typename"] == "ChatPayload"
        recorded = await asked(at, token, f'{{ call(callId: "{answer["callId"]}") {{ outcome }} }}', {})
        assert recorded.json()["data"]["call"] == {"outcome": "SUCCEEDED"}
