"""GraphQL over HTTP, on a real socket: methods, media types, statuses, and bodies that are no requests."""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain.model.access import Scope
from tests.e2e.front import SCHEMA_JSON, front
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, EMBEDDINGS, OPTIONS, House

VIEWER = {"query": "{ viewer { id } }"}
ASK = "mutation A($input: ChatInput!) { chat(input: $input) { __typename ... on ChatPayload { text } } }"


async def test_a_query_is_answered() -> None:
    async with front(House()) as asked:
        answer = await asked.post(VIEWER)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["data"]["viewer"]["id"]
        left = {"maximumAvailable": 10_000, "currentlyAvailable": 9_999, "restoreRate": 500}
        assert answer.json()["extensions"] == {"cost": {"requested": 1, "actual": 1, "throttle": left}}


async def test_words_come_in_the_language_that_the_client_accepts() -> None:
    label = {"query": '{ provider(id: "acme") { label en: label(language: EN) } }'}
    async with front(House()) as asked:
        answer = await asked.post(label, accept_language="fr, ja-JP;q=0.9, en;q=0.5")
        assert answer.json()["data"]["provider"] == {"label": "アクメ", "en": "Acme"}
        assert answer.headers["content-language"] == "ja"
        assert "Accept-Language" in answer.headers["vary"]
        assert (await asked.post(label)).json()["data"]["provider"]["label"] == "Acme"


async def test_a_chat_and_vectors_are_answered() -> None:
    embed = "mutation E($input: EmbedInput!) { embed(input: $input) { ... on EmbedPayload { vectors } } }"
    async with front(House(FakeGateway(ANSWER, EMBEDDINGS))) as asked:
        chat = await asked.post({"query": ASK, "variables": {"input": CHAT}})
        vectors = await asked.post({"query": embed, "variables": {"input": {"texts": ["hi"]}}})
        assert chat.json()["data"]["chat"]["text"] == "Hello."
        assert vectors.json()["data"]["embed"]["vectors"] == [[0.25, -1.5, 3.0]]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (SCHEMA_JSON, SCHEMA_JSON),
        (f"{SCHEMA_JSON}; charset=utf-8", SCHEMA_JSON),
        (f"{SCHEMA_JSON}, application/json, text/event-stream, multipart/mixed", SCHEMA_JSON),
        (f"application/json; q=0.9, {SCHEMA_JSON}", SCHEMA_JSON),
        (f"{SCHEMA_JSON};q=0, application/json", "application/json"),
        (f"{SCHEMA_JSON};q=what, */*;q=0.1", "application/json"),
    ],
)
async def test_the_media_type_is_one_that_the_client_takes(accept: str, media_type: str) -> None:
    async with front(House()) as asked:
        answer = await asked.post(VIEWER, accept=accept)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "image/*, text/*"])
async def test_nothing_else_is_given(accept: str) -> None:
    async with front(House()) as asked:
        answer = await asked.post(VIEWER, accept=accept)
        assert answer.status_code == 406
        assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": "{ viewer {"}, 400),
        ({"query": "{ nothing }"}, 422),
        ({"query": "query ($n: Int!) { providers(first: $n) { nodes { id } } }"}, 422),
        ({"query": "query A { viewer { id } } query B { viewer { id } }"}, 422),
        ({"query": "query A { viewer { id } }", "operationName": "B"}, 422),
        ({"query": "{ " + "viewer { id } " * 21 + "}"}, 422),
    ],
)
async def test_what_is_not_executed_has_a_status_of_its_own_and_no_data(body: Any, status: int) -> None:
    async with front(House()) as asked:
        answer = await asked.post(body, accept=SCHEMA_JSON)
        legacy = await asked.post(body, accept="application/json")
        assert (answer.status_code, legacy.status_code) == (status, 200)
        assert "data" not in answer.json()
        assert answer.json()["errors"] == legacy.json()["errors"]


async def test_what_fails_while_it_is_executed_has_data_and_status_200() -> None:
    house = House()
    async with front(house) as asked:
        asked.token = house.token(house.actor(Scope.TENANT_READ))
        failed = await asked.post({"query": "{ providers { nodes { id } } }"}, accept=SCHEMA_JSON)
        partly = await asked.post({"query": "{ viewer { id } tenant { name } }"}, accept=SCHEMA_JSON)
        assert (failed.status_code, failed.json()["data"]) == (200, None)
        assert failed.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN", "needs": "providers:read"}
        assert partly.json()["data"]["tenant"] == {"name": "Tenant 1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b'[{"query": "{ viewer { id } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": ["{ viewer { id } }"]}',
        b'{"query": "{ viewer { id } }", "variables": "x"}',
        b'{"query": "{ viewer { id } }", "variables": []}',
        b'{"query": "{ viewer { id } }", "extensions": 5}',
        b'{"query": "{ viewer { id } }", "operationName": 5}',
        b'{"query": "{ viewer { id } }", "operationName": {}}',
        b'{"query": "{ viewer { id } }", "variables": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    ],
)
async def test_a_body_that_is_no_request_is_a_400(body: bytes) -> None:
    async with front(House()) as asked:
        for accept in ("application/json", SCHEMA_JSON):
            answer = await asked.post(body, accept=accept)
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/json; charset=utf-16",
    ],
)
async def test_what_a_foreign_page_could_send_is_not_taken(content_type: str) -> None:
    async with front(House()) as asked:
        answer = await asked.post(VIEWER, content_type=content_type)
        assert answer.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=UTF-8", "Application/JSON", 'application/json;charset="utf-8"']
)
async def test_json_is_taken_however_it_is_spelled(content_type: str) -> None:
    async with front(House()) as asked:
        assert (await asked.post(VIEWER, content_type=content_type)).status_code == 200


async def test_a_get_asks_and_changes_nothing() -> None:
    house = House(FakeGateway(ANSWER))
    async with front(house) as asked:
        read = await asked.get(query="query P($id: ID!) { provider(id: $id) { name } }", variables='{"id": "acme"}')
        change = await asked.get(query=ASK, variables=json.dumps({"input": CHAT}))
        assert read.json()["data"] == {"provider": {"name": "acme"}}
        assert (change.status_code, change.headers["allow"]) == (405, "POST")
        assert house.gateway.asked == []


@pytest.mark.parametrize("variables", ["{", "5", "[]", '"x"'])
async def test_a_gets_variables_must_be_an_object(variables: str) -> None:
    async with front(House()) as asked:
        assert (await asked.get(query="{ viewer { id } }", variables=variables)).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_not_allowed(method: str) -> None:
    async with front(House()) as asked:
        answer = await asked.client.request(method, asked.url)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_without_a_token_nothing_is_read() -> None:
    async with front(House()) as asked:
        answer = await asked.post(b"\xff not even JSON", authorization="")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_large_body_is_refused_whether_or_not_it_says_so() -> None:
    async with front(House(), replace(OPTIONS, body_limit=1_000)) as asked:
        body = json.dumps({**VIEWER, "variables": {"pad": "x" * 1_000}}).encode()

        async def pieces() -> Any:
            for start in range(0, len(body), 100):
                yield body[start : start + 100]

        headers = {"content-type": "application/json", "authorization": f"Bearer {asked.token}"}
        announced = await asked.post(body)
        streamed = await asked.client.post(asked.url, content=pieces(), headers=headers)
        assert (announced.status_code, streamed.status_code) == (413, 413)
        assert (await asked.post(VIEWER)).status_code == 200


async def test_a_large_document_is_refused_and_large_variables_are_not() -> None:
    async with front(House(FakeGateway(ANSWER))) as asked:
        document = await asked.post({"query": VIEWER["query"] + "#" + "é" * 40_000})
        chat = {"messages": [{"role": "USER", "content": "x" * 200_000}]}
        variables = await asked.post({"query": ASK, "variables": {"input": chat}})
        assert document.status_code == 413
        assert variables.json()["data"]["chat"]["text"] == "Hello."


async def test_a_subscription_needs_a_client_that_takes_events() -> None:
    document = "subscription S($input: ChatInput!) { chatStream(input: $input) { __typename } }"
    async with front(House()) as asked:
        answer = await asked.post({"query": document, "variables": {"input": CHAT}})
        assert answer.status_code == 406


async def test_a_mutation_that_the_token_may_not_do_as_a_whole_is_forbidden() -> None:
    document = 'mutation O { openTenant(input: {name: "New"}) { ... on OpenTenantPayload { tenant { keys { id } } } } }'
    house = House()
    token = house.token(house.actor(Scope.TENANTS_OPEN))
    async with front(house) as asked:
        answer = await asked.post({"query": document}, accept=SCHEMA_JSON, authorization=f"Bearer {token}")
    assert (answer.status_code, "data" in answer.json()) == (403, False)
    assert [error["extensions"]["needs"] for error in answer.json()["errors"]] == ["tenant:read"]
