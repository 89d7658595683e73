"""A tenant's keys are shown and rotated, and an operator closes tenants: each typed problem of the two included."""

from typing import Any

import pytest

from api.graphql.ids import node_id
from domain.model.access import Scope
from tests.graphql_house import House, tenant_id

KEYS = "{ tenant { keys { id newest credentials createdAt } } }"
ROTATE = """mutation Rotate($input: RotateTenantKeyInput!) { rotateTenantKey(input: $input) { __typename
  ... on RotateTenantKeyPayload { key { id newest credentials } created resealed remaining }
  ... on NotFound { code what } } }"""
CLOSE = """mutation Close($input: CloseTenantInput!) { closeTenant(input: $input) { __typename
  ... on CloseTenantPayload { tenantId name } ... on NotFound { code what message } } }"""


async def shown(house: House) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await house.data(KEYS))["tenant"]["keys"]
    return keys


async def test_the_credentials_move_from_the_key_that_was_shown_to_a_new_one() -> None:
    house = House()
    await house.credential(1)
    (old,) = await shown(house)
    assert (old["newest"], old["credentials"]) == (True, 1)
    rotated = (await house.data(ROTATE, None, input={}))["rotateTenantKey"]
    assert (rotated["created"], rotated["resealed"], rotated["remaining"]) == (True, 1, 0)
    assert rotated["key"] == {"id": rotated["key"]["id"], "newest": True, "credentials": 1}
    (new,) = await shown(house)
    assert new["id"] == rotated["key"]["id"] != old["id"]


async def test_repeating_a_rotation_does_no_harm_when_it_names_the_key_to_replace() -> None:
    house = House()
    await house.credential(1)
    (old,) = await shown(house)
    first, again = [
        (await house.data(ROTATE, None, input={"replacing": old["id"]}))["rotateTenantKey"] for _ in range(2)
    ]
    assert (first["created"], again["created"]) == (True, False)
    assert first["key"] == again["key"]


async def test_a_key_is_found_by_its_id_and_anothers_is_unknown() -> None:
    house = House()
    await house.credential(1)
    await house.credential(2, tenant=2)
    document = "query Node($id: ID!) { node(id: $id) { ... on TenantKey { credentials } } }"
    (mine,) = await shown(house)
    assert (await house.data(document, None, id=mine["id"]))["node"] == {"credentials": 1}
    assert (await house.data(document, house.actor(tenant=2), id=mine["id"]))["node"] is None


@pytest.mark.parametrize("replacing", ["nonsense", node_id("Credential", tenant_id(1))])
async def test_what_is_no_key_is_not_replaced(replacing: str) -> None:
    house = House()
    await house.credential(1)
    refused = (await house.data(ROTATE, None, input={"replacing": replacing}))["rotateTenantKey"]
    assert refused == {"__typename": "NotFound", "code": "NOT_FOUND", "what": "tenant key"}
    assert len(await shown(house)) == 1


async def test_a_tenant_without_a_key_has_none_to_rotate() -> None:
    refused = (await House().data(ROTATE, None, input={}))["rotateTenantKey"]
    assert refused == {"__typename": "NotFound", "code": "NOT_FOUND", "what": "tenant key"}


async def test_an_operator_closes_a_tenant_by_its_id_and_name() -> None:
    house = House()
    await house.credential(1, tenant=2)
    token = house.token(house.actor(tenant=2))
    given = {"tenantId": node_id("Tenant", tenant_id(2)), "name": "Tenant 2"}
    closed = (await house.data(CLOSE, None, input=given))["closeTenant"]
    assert closed == {"__typename": "CloseTenantPayload"} | given
    assert house.store.rows[tenant_id(2)].keys == {}
    assert await house.codes("{ tenant { name } }", house.actor(tenant=2)) == ["NOT_FOUND"]
    assert token not in str(closed)
    assert (await house.data("{ tenant { name } }"))["tenant"] == {"name": "Tenant 1"}


async def test_a_wrong_name_reads_like_an_unknown_tenant() -> None:
    house = House()
    problems = [
        (await house.data(CLOSE, None, input={"tenantId": each, "name": name}))["closeTenant"]
        for each, name in (
            (node_id("Tenant", tenant_id(2)), "Tenant 1"),
            (node_id("Tenant", tenant_id(3)), "Tenant 3"),
            (node_id("Credential", tenant_id(2)), "Tenant 2"),
            ("nonsense", "Tenant 2"),
        )
    ]
    assert problems[1:] == problems[:1] * 3
    assert problems[0]["code"] == "NOT_FOUND"
    assert house.store.rows[tenant_id(2)].tenants


@pytest.mark.parametrize(
    ("document", "given", "needs"),
    [
        (ROTATE, {}, Scope.KEYS_ROTATE),
        (CLOSE, {"tenantId": node_id("Tenant", tenant_id(2)), "name": "Tenant 2"}, Scope.TENANTS_CLOSE),
    ],
)
async def test_each_needs_its_scope(document: str, given: dict[str, Any], needs: Scope) -> None:
    house = House()
    result = await house.run(document, house.actor(*(set(Scope) - {needs})), input=given)
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": needs}
    assert house.store.rows[tenant_id(2)].tenants
