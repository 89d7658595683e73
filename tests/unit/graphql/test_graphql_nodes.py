"""What is asked for by global ids is read once for all of a type, however many ids there are."""

from dataclasses import replace

import pytest

from api.graphql.ids import model_id, node_id
from domain.model.access import Scope
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import CapId, CredentialId, KeyId, PotId
from domain.model.tenant import TenantKey
from tests.belongings import a_cap, a_key, a_pot, a_record
from tests.graphql_house import ACME, NOW, House, tenant_id

NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id %s } }"
OWNER = tenant_id(1)
MANY = 20


async def furnished() -> tuple[House, dict[str, list[str]]]:
    """A house with many of everything, and their global ids by type."""
    house = House()
    credentials = [await house.credential(n) for n in range(1, MANY + 1)]
    rows = house.store.rows[OWNER]
    caps = [replace(a_cap(OWNER, n + 1), id=CapId(house.fresh()), subject_id=house.fresh()) for n in range(MANY)]
    pots = [replace(a_pot(OWNER, 9), id=PotId(house.fresh())) for _ in range(MANY)]
    keys: list[TenantKey] = [replace(a_key(OWNER), id=KeyId(house.fresh())) for _ in range(MANY)]
    records = [replace(a_record(OWNER), at=NOW) for _ in range(MANY)]
    rows.caps |= {cap.id: cap for cap in caps}
    rows.pots |= {pot.id: pot for pot in pots}
    rows.keys |= {key.id: key for key in keys}
    rows.records |= {record.id: record for record in records}
    ids: dict[str, list[str]] = {
        "Credential": [node_id("Credential", each.id) for each in credentials],
        "Cap": [node_id("Cap", each.id) for each in caps],
        "Quota": [node_id("Quota", each.id) for each in pots],
        "TenantKey": [node_id("TenantKey", each.id) for each in keys],
        "Call": [node_id("Call", each.id) for each in records],
        "Model": [model_id(each.ref) for each in ACME.models],
        "Provider": [node_id("Provider", name) for name in ("acme", "home")],
    }
    return house, ids


async def begun(house: House, ids: list[str], selection: str = "") -> int:
    """How many units of work it takes to find all of these."""
    before = house.store.begun
    found = (await house.data(NODES % selection, None, ids=ids))["nodes"]
    assert [node["id"] for node in found] == ids
    return house.store.begun - before


@pytest.mark.parametrize("kind", ["Credential", "Cap", "Quota", "TenantKey", "Call", "Model", "Provider"])
async def test_many_of_a_type_take_no_more_than_one(kind: str) -> None:
    house, ids = await furnished()
    await house.data("{ defaultModels { type } }")
    assert await begun(house, ids[kind]) == await begun(house, ids[kind][:1]) <= 2


async def test_what_becomes_of_credentials_is_read_once_for_all_of_them() -> None:
    house, ids = await furnished()
    assert await begun(house, ids["Credential"], "... on Credential { status lastUsedAt }") == 3


async def test_ids_of_all_types_come_in_their_order_and_twice_if_asked_for_twice() -> None:
    house, ids = await furnished()
    mixed = [each for kind in ids for each in ids[kind][:2]]
    asked = [*mixed, *reversed(mixed)]
    assert await begun(house, asked) <= 9


async def test_what_is_unknown_is_null_and_takes_nothing_from_the_others() -> None:
    house, ids = await furnished()
    unknown = [
        "x",
        "",
        node_id("Credential", "x"),
        node_id("Credential", CredentialId(house.fresh())),
        node_id("Nobody", "x"),
        node_id("Provider", "x"),
        node_id("Tenant", house.fresh()),
        node_id("Viewer", house.fresh()),
        model_id(ModelRef("acme", "x", ModelType.LLM)),
        node_id("Model", "x"),
    ]
    found = (await house.data(NODES % "", None, ids=[*unknown, ids["Cap"][0]]))["nodes"]
    assert [node and node["__typename"] for node in found] == [None] * len(unknown) + ["Cap"]


async def test_only_the_scopes_of_what_is_asked_for_are_needed() -> None:
    house, ids = await furnished()
    reader = house.actor(Scope.CREDENTIALS_READ)
    assert await house.codes(NODES % "", reader, ids=ids["Credential"]) == []
    assert await house.codes(NODES % "", reader, ids=[*ids["Credential"], *ids["Cap"]]) == ["FORBIDDEN"]
