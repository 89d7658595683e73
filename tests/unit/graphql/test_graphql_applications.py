"""Applications and API keys through the schema: registered, shown, changed, and seen beside what they used."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.graphql.ids import node_id
from domain.model.access import Actor, ClientKind, Role, Scope
from domain.model.authorization import Consent
from domain.model.ids import ClientId, PersonId
from domain.model.people import Person
from domain.model.tokens import Kind, parse
from tests.fakes import FakeGateway
from tests.graphql_house import ANSWER, CHAT, NOW, House

ANN = Person(PersonId(UUID(int=900)), "ann@example.com", "Ann", NOW)

REGISTER = """mutation R($input: RegisterApplicationInput!) { registerApplication(input: $input) { __typename
  ... on RegisterApplicationPayload { clientSecret application { id clientId name } }
  ... on InvalidRange { field reason } ... on Problem { code } } }"""
SHOWN = """{ id clientId name createdBy { id name email } caps { unit amount }
  registration { kind scopes redirectUris provenBy jwks secretHint oldSecretUntil resource suspendedAt lastUsedAt
    createdAt reach { everything providers models { name } } }
  consents { nodes { member { id name email role } scopes givenAt lastUsedAt } } }"""
APPLICATION = f"query A($id: ID!) {{ application(id: $id) {SHOWN} }}"
APPLICATIONS = """query L($kind: ApplicationKind, $first: Int! = 50, $after: String) {
  applications(kind: $kind, first: $first, after: $after) {
    nodes { name registration { kind } createdBy { name } } pageInfo { hasNextPage endCursor } } }"""
CREATE = """mutation C($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  ... on CreateApiKeyPayload { key apiKey { id clientId name hint scopes expiresAt caps { unit amount period } } }
  ... on Problem { code } } }"""
KEYS = """{ apiKeys { nodes { id name hint scopes expiresAt lastUsedAt oldKeyUntil reach { everything }
  createdBy { name } caps { amount } } } }"""

PARTNER = {
    "name": "Partner",
    "kind": "PARTNER",
    "scopes": ["models:invoke", "openid"],
    "redirectUris": ["https://partner.example/cb"],
    "reach": {"providers": ["home"], "models": [{"provider": "acme", "name": "writer:7b", "type": "LLM"}]},
    "resource": "https://api.partner.example",
}


def as_ann(house: House) -> Actor:
    """An actor on behalf of Ann, who is a member."""
    house.store.directory_rows.people[ANN.id] = ANN
    actor = replace(house.actor(), person_id=ANN.id)
    house.store.rows[actor.tenant_id].members[ANN.id] = Role.ADMIN, NOW
    return actor


async def registered(house: House, actor: Actor | None = None, **changes: Any) -> dict[str, Any]:
    data = await house.data(REGISTER, actor, input={**PARTNER, **changes})
    payload: dict[str, Any] = data["registerApplication"]
    return payload


async def test_a_registered_application_is_shown_with_all_that_it_may_do() -> None:
    house = House()
    actor = as_ann(house)
    payload = await registered(house, actor)
    parsed = parse(Kind.CLIENT_ID, payload["application"]["clientId"])
    assert parsed is not None
    client_id = ClientId(UUID(bytes=parsed.rest))
    scopes = frozenset({Scope.MODELS_INVOKE})
    house.store.rows[actor.tenant_id].consents[client_id, ANN.id] = Consent(
        actor.tenant_id, client_id, ANN.id, scopes, NOW, NOW
    )
    await house.data(
        "mutation C($input: SetCapInput!) { setCap(input: $input) { ... on SetCapPayload { cap { id } } } }",
        input={
            "subject": {"clientId": payload["application"]["clientId"]},
            "unit": "CALLS",
            "amount": 5,
            "period": "DAY",
        },
    )
    found = (await house.data(APPLICATION, actor, id=payload["application"]["id"]))["application"]
    ann = {"id": node_id("Member", ANN.id), "name": "Ann", "email": "ann@example.com"}
    assert found == {
        **payload["application"],
        "createdBy": ann,
        "caps": [{"unit": "CALLS", "amount": 5}],
        "registration": {
            "kind": "PARTNER",
            "scopes": ["models:invoke", "openid"],
            "redirectUris": ["https://partner.example/cb"],
            "provenBy": "SECRET",
            "jwks": None,
            "secretHint": payload["clientSecret"][-4:],
            "oldSecretUntil": None,
            "resource": "https://api.partner.example",
            "suspendedAt": None,
            "lastUsedAt": None,
            "createdAt": NOW.isoformat(),
            "reach": {"everything": False, "providers": ["home"], "models": [{"name": "writer:7b"}]},
        },
        "consents": {
            "nodes": [
                {
                    "member": {**ann, "role": "ADMIN"},
                    "scopes": ["models:invoke"],
                    "givenAt": NOW.isoformat(),
                    "lastUsedAt": NOW.isoformat(),
                }
            ]
        },
    }


async def test_a_public_one_has_no_secret_and_an_unknown_scope_is_not_repeated() -> None:
    house = House()
    assert (await registered(house, public=True))["clientSecret"] is None
    refused = await registered(house, scopes=["rule:the-world"])
    assert (refused["__typename"], refused["field"]) == ("InvalidRange", "scopes")
    assert "rule" not in refused["reason"]


async def test_whoever_lacks_a_scope_gives_it_to_nobody() -> None:
    house = House()
    result = await house.run(REGISTER, house.actor(Scope.APPLICATIONS_WRITE), input=PARTNER)
    assert [error.extensions for error in result.errors or ()] == [{"code": "FORBIDDEN", "needs": "models:invoke"}]


async def test_lists_are_paged_and_filtered_by_kind() -> None:
    house = House()
    for number in range(3):
        await registered(house, name=f"partner {number}")
    await registered(house, name="service", kind="SERVICE", redirectUris=[], scopes=[])
    await house.data(CREATE, input={"name": "key", "scopes": []})
    first = (await house.data(APPLICATIONS, first=2))["applications"]
    cursor = first["pageInfo"]["endCursor"]
    rest = (await house.data(APPLICATIONS, first=5, after=cursor))["applications"]
    names = [node["name"] for page in (first, rest) for node in page["nodes"]]
    assert names == ["partner 0", "partner 1", "partner 2", "service"]
    for kind, wanted in (("SERVICE", ["service"]), ("API_KEY", ["key"])):
        found = (await house.data(APPLICATIONS, kind=kind))["applications"]["nodes"]
        assert [(node["name"], node["registration"]["kind"]) for node in found] == [(name, kind) for name in wanted]
    assert await house.codes(APPLICATIONS, kind="PARTNER", after=cursor) == ["INVALID_RANGE"]


async def test_what_is_common_to_a_page_is_read_once() -> None:
    house = House()
    actor = as_ann(house)
    for _ in range(3):
        await registered(house, actor)
    before = house.store.begun
    found = await house.data(APPLICATIONS, actor)
    assert [node["createdBy"]["name"] for node in found["applications"]["nodes"]] == ["Ann"] * 3
    assert house.store.begun - before == 2


async def test_a_key_is_made_shown_rotated_and_revoked() -> None:
    house = House()
    cap = {"unit": "CALLS", "amount": 7, "period": "MONTH"}
    asked = {"name": "ci", "scopes": ["models:invoke"], "expiresAt": "2026-12-24T00:00:00Z", "cap": cap}
    made = (await house.data(CREATE, input=asked))["createApiKey"]
    key = made["apiKey"]
    assert (key["name"], key["scopes"], key["caps"]) == ("ci", ["models:invoke"], [cap])
    assert (key["hint"], key["expiresAt"]) == (made["key"][-4:], "2026-12-24T00:00:00+00:00")
    assert (await house.usecases.access.authenticate(made["key"])).scopes == {Scope.MODELS_INVOKE}
    rotate = """mutation R($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
      ... on RotateApiKeyPayload { key apiKey { hint oldKeyUntil } } } }"""
    rotated = (await house.data(rotate, input={"id": key["id"], "overlapSeconds": 60}))["rotateApiKey"]
    assert rotated["apiKey"] == {"hint": rotated["key"][-4:], "oldKeyUntil": "2026-11-23T12:01:00+00:00"}
    (listed,) = (await house.data(KEYS))["apiKeys"]["nodes"]
    assert (listed["id"], listed["reach"], listed["caps"]) == (key["id"], {"everything": True}, [{"amount": 7}])
    revoke = """mutation R($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
      ... on RevokeApiKeyPayload { apiKey { name } } ... on Problem { code } } }"""
    wanted = {"id": key["id"]}
    assert (await house.data(revoke, input=wanted))["revokeApiKey"] == {"apiKey": {"name": "ci"}}
    assert (await house.data(revoke, input=wanted))["revokeApiKey"] == {"code": "NOT_FOUND"}


async def test_calls_show_the_application_that_made_them_until_it_is_gone_and_then_its_id() -> None:
    house = House(FakeGateway(ANSWER))
    made = (await house.data(CREATE, input={"name": "ci", "scopes": ["models:invoke"]}))["createApiKey"]
    actor = await house.usecases.access.authenticate(made["key"])
    chat = "mutation A($input: ChatInput!) { chat(input: $input) { ... on ChatPayload { text } } }"
    await house.data(chat, actor, input=CHAT)
    house.clock.advance(timedelta(seconds=1))
    calls = "{ calls { nodes { application { id clientId name registration { kind } } } } }"
    (call,) = (await house.data(calls))["calls"]["nodes"]
    shown = {"id": node_id("Application", actor.client_id), "clientId": made["apiKey"]["clientId"]}
    assert call["application"] == {**shown, "name": "ci", "registration": {"kind": ClientKind.API_KEY.name}}
    await house.usecases.api_keys.revoke(house.actor(), actor.client_id)
    (call,) = (await house.data(calls))["calls"]["nodes"]
    assert call["application"] == {**shown, "name": None, "registration": None}


async def test_whoever_sees_usage_alone_sees_who_called_and_not_what_they_may_do() -> None:
    house = House(FakeGateway(ANSWER))
    chat = "mutation A($input: ChatInput!) { chat(input: $input) { ... on ChatPayload { text } } }"
    await house.data(chat, input=CHAT)
    house.clock.advance(timedelta(seconds=1))
    reader = house.actor(Scope.USAGE_READ)
    (call,) = (await house.data("{ calls { nodes { application { name } } } }", reader))["calls"]["nodes"]
    assert call == {"application": {"name": None}}
    assert await house.codes("{ calls { nodes { application { registration { kind } } } } }", reader) == ["FORBIDDEN"]
