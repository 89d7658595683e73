"""A mutation is refused as a whole, before anything happens, where its token lacks a scope that a field of it needs."""

import copy
from typing import Any

import pytest

from domain.model.access import Scope
from tests.graphql_calls import FORM
from tests.graphql_house import House

FORBIDDEN = {"code": "FORBIDDEN", "needs": "credentials:read"}
INPUT = {"provider": "acme", "name": "new", "fields": FORM}
SHOWING = "credential { name status }"
ADD = "mutation A($input: AddCredentialInput!) { addCredential(input: $input) { ... on AddCredentialPayload { %s } } }"
IN_FRAGMENTS = f"""
mutation A($input: AddCredentialInput!) {{ addCredential(input: $input) {{ ...P }} }}
fragment P on AddCredentialPayload {{ ...Q ... {{ ...Q }} }}
fragment Q on AddCredentialPayload {{ {SHOWING} }}
"""
BESIDE_ANOTHER = """
mutation A($input: AddCredentialInput!) {
  addCredential(input: $input) { ... on AddCredentialPayload { credential { name } } }
  setPreferredSource(input: {provider: "acme", source: PLATFORM}) { __typename }
}
"""
AMONG_OTHERS = f"query B {{ viewer {{ id }} }} {ADD % SHOWING} mutation C {{ __typename }}"


def including(condition: str, declared: str) -> str:
    return ADD.replace("!)", f"!, {declared})") % f"credential {{ name status {condition} }}"


ON = "$on: Boolean!"
CONDITIONS = [
    ("@include(if: $on)", ON, {"on": True}, True),
    ("@include(if: $on)", ON, {"on": False}, False),
    ("@skip(if: $on)", ON, {"on": True}, False),
    ("@skip(if: $on)", ON, {"on": False}, True),
    ("@include(if: $on)", "$on: Boolean! = true", {}, True),
    ("@include(if: $on)", "$on: Boolean! = false", {}, False),
    ("@include(if: $on)", "$on: Boolean! = true", {"on": False}, False),
    ("@include(if: false) @skip(if: $on)", ON, {"on": False}, False),
    ("@include(if: true) @skip(if: $on)", ON, {"on": False}, True),
    ("@skip(if: true) @include(if: $on)", ON, {"on": True}, False),
    ("@include(if: $on) @skip(if: $off)", f"{ON} $off: Boolean!", {"on": True, "off": True}, False),
    ("@include(if: $on) @skip(if: $off)", f"{ON} $off: Boolean!", {"on": True, "off": False}, True),
]


async def refusals(house: House, document: str, actor: Any, **variables: Any) -> list[Any]:
    """The extensions of the errors; nothing was done if there are any."""
    before = copy.deepcopy(house.store.rows)
    context = house.context(actor)
    result = await house.schema.execute(document, {"input": INPUT, **variables}, context, operation_name="A")
    if result.errors:
        assert result.data is None
        assert house.store.rows == before
        assert house.gateway.asked == []
    return [error.extensions for error in result.errors or ()]


async def having_keys() -> House:
    house = House()
    await house.credential(1)
    return house


@pytest.mark.parametrize("document", [ADD % SHOWING, IN_FRAGMENTS, AMONG_OTHERS])
async def test_a_payload_that_shows_more_than_the_token_may_see_is_refused_before_the_change(document: str) -> None:
    house = await having_keys()
    writer = house.actor(Scope.CREDENTIALS_WRITE)
    assert await refusals(house, document, writer) == [FORBIDDEN]
    assert await refusals(house, document, house.actor(Scope.CREDENTIALS_WRITE, Scope.CREDENTIALS_READ)) == []


async def test_each_scope_that_is_lacking_is_named() -> None:
    house = await having_keys()
    nothing = house.actor(Scope.TENANT_READ)
    needs = [each["needs"] for each in await refusals(house, ADD % SHOWING, nothing)]
    assert needs == ["credentials:read", "credentials:write"]


async def test_a_mutation_beside_one_that_is_forbidden_does_not_run_either() -> None:
    house = await having_keys()
    writer = house.actor(Scope.CREDENTIALS_WRITE)
    assert await refusals(house, BESIDE_ANOTHER, writer) == [{"code": "FORBIDDEN", "needs": "quotas:write"}]


@pytest.mark.parametrize(("condition", "declared", "variables", "refused"), CONDITIONS)
async def test_a_field_that_is_left_out_needs_nothing(
    condition: str, declared: str, variables: dict[str, bool], refused: bool
) -> None:
    house = await having_keys()
    writer = house.actor(Scope.CREDENTIALS_WRITE)
    found = await refusals(house, including(condition, declared), writer, **variables)
    assert found == ([FORBIDDEN] if refused else [])


async def test_a_query_shows_what_the_token_may_see() -> None:
    house = await having_keys()
    result = await house.run("{ viewer { id tenant { name } } }", house.actor(Scope.USAGE_READ))
    assert [error.path for error in result.errors or ()] == [["viewer", "tenant"]]
    assert result.data is not None
    assert result.data["viewer"]["id"]
