"""A tenant's own models through GraphQL."""

from typing import Any

from domain.model.catalogue import ModelType
from domain.ports import ListedModel
from tests.fakes import FakeList
from tests.graphql_house import House, talking

ADD = """mutation A($input: AddModelInput!) { addModel(input: $input) {
  __typename
  ... on AddModelPayload { model {
    id name label custom status statusReason features context price { input output per currency } } }
  ... on InvalidRange { field }
  ... on Problem { code } } }"""
SWITCH = """mutation S($input: SetModelEnabledInput!) { setModelEnabled(input: $input) {
  __typename
  ... on SetModelEnabledPayload { model { status statusReason } }
  ... on Problem { code } } }"""
LIST = """mutation L($input: ListVendorModelsInput!) { listVendorModels(input: $input) {
  __typename
  ... on ListVendorModelsPayload { models { name type context known } }
  ... on Problem { code } } }"""
IMPORT = """mutation I($input: ImportModelsInput!) { importModels(input: $input) {
  __typename
  ... on ImportModelsPayload { models { name type custom status } }
  ... on InvalidForm { problems { field reason } }
  ... on Problem { code } } }"""
REMOVE = """mutation R($input: RemoveModelInput!) { removeModel(input: $input) {
  __typename
  ... on RemoveModelPayload { model { name } credentials }
  ... on Problem { code } } }"""
TUNED = {"provider": "acme", "name": "ft:writer", "type": "LLM"}
LISTED = FakeList((ListedModel("writer:7b"), ListedModel("ft:writer", ModelType.LLM, 4_096)))


async def asked(house: House, document: str, **given: Any) -> dict[str, Any]:
    (answer,) = (await house.data(document, input=given)).values()
    result: dict[str, Any] = answer
    return result


async def test_a_model_is_added_found_switched_off_and_removed() -> None:
    house = await talking()
    price = {"input": "0.15", "output": "0.6", "currency": "USD"}
    added = await asked(house, ADD, **TUNED, label="Tuned", features=["TOOLS"], context=4096, price=price)
    model = added["model"]
    assert (model["label"], model["custom"], model["status"], model["statusReason"]) == ("Tuned", True, "ACTIVE", None)
    assert model["price"] == {"input": "0.15", "output": "0.6", "per": 1_000_000, "currency": "USD"}
    found = await house.data("query N($id: ID!) { node(id: $id) { ... on Model { name } } }", id=model["id"])
    assert found["node"] == {"name": "ft:writer"}
    off = await asked(house, SWITCH, model=TUNED, enabled=False)
    assert off["model"]["status"] == "DISABLED"
    assert "enable it" in off["model"]["statusReason"]
    assert (await asked(house, SWITCH, model=TUNED, enabled=True))["model"]["status"] == "ACTIVE"
    assert await asked(house, REMOVE, model=TUNED) == {
        "__typename": "RemoveModelPayload",
        "model": {"name": "ft:writer"},
        "credentials": 0,
    }
    assert (await asked(house, REMOVE, model=TUNED))["code"] == "NOT_FOUND"


async def test_a_price_is_an_exact_amount_in_a_currency() -> None:
    house = await talking()
    for price, field in (({"currency": "usd"}, "price.currency"), ({"currency": "USD", "per": 0}, "price.per")):
        assert (await asked(house, ADD, **TUNED, price=price))["field"] == field
    for amount in ("-1", "1e3", "NaN", 0.15, ""):
        given = {**TUNED, "price": {"input": amount, "currency": "USD"}}
        assert await house.codes(ADD, input=given) == ["BAD_USER_INPUT"]


async def test_the_vendors_list_is_read_and_taken_over() -> None:
    house = await talking(LISTED, LISTED, LISTED)
    listed = await asked(house, LIST, provider="acme")
    assert listed["models"] == [
        {"name": "writer:7b", "type": None, "context": None, "known": True},
        {"name": "ft:writer", "type": "LLM", "context": 4096, "known": False},
    ]
    taken = await asked(house, IMPORT, provider="acme", models=[{"name": "ft:writer"}])
    assert taken["models"] == [{"name": "ft:writer", "type": "LLM", "custom": True, "status": "ACTIVE"}]
    refused = await asked(house, IMPORT, provider="acme", models=[{"name": "ghost", "type": "LLM"}])
    assert refused["problems"] == [{"field": "ghost", "reason": "is not on the vendor's list"}]


async def test_an_unknown_credential_reads_like_a_malformed_one() -> None:
    house = await talking()
    for credential in ("Q3JlZGVudGlhbDpub25l", "x"):
        assert (await asked(house, LIST, provider="acme", credential=credential))["code"] == "NOT_FOUND"
