"""Pages: how lists are walked, and that a cursor is good for its tenant and list alone."""

from typing import Any

import pytest

from tests.graphql_house import ACME, House

MODELS = """query M($first: Int!, $after: String, $type: ModelType) {
  models(first: $first, after: $after, type: $type) {
    edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
CREDENTIALS = """query C($first: Int!, $after: String) { credentials(first: $first, after: $after) {
    edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def walked(house: House, document: str, field: str, first: int) -> list[list[str]]:
    """The names on each page, from the first to the last."""
    pages: list[list[str]] = []
    after, more = None, True
    while more:
        page: Any = (await house.data(document, None, first=first, after=after))[field]
        assert page["pageInfo"]["hasPreviousPage"] is bool(pages)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        pages.append([edge["node"]["name"] for edge in page["edges"]])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return pages


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_walking_a_list_gives_every_item_once(first: int) -> None:
    house = House()
    names = [model.ref.name for model in ACME.models]
    pages = await walked(house, MODELS, "models", first)
    assert [name for page in pages for name in page] == names
    assert all(len(page) == first for page in pages[:-1])


@pytest.mark.parametrize("first", [1, 2, 4, 5])
async def test_credentials_are_walked_by_id_while_others_go_and_come(first: int) -> None:
    house = House()
    for number in range(1, 6):
        await house.credential(number)
    pages = await walked(house, CREDENTIALS, "credentials", first)
    assert [name for page in pages for name in page] == [f"key {n}" for n in range(1, 6)]


async def test_a_page_behind_a_credential_that_was_removed_meanwhile() -> None:
    house = House()
    second = [await house.credential(number) for number in range(1, 4)][1]
    page = (await house.data(CREDENTIALS, None, first=2))["credentials"]
    await house.usecases.credentials.remove(house.actor(), second.id)
    rest = (await house.data(CREDENTIALS, None, first=2, after=page["pageInfo"]["endCursor"]))["credentials"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["key 3"]


async def test_an_empty_page_has_no_cursors() -> None:
    page = (await House().data(CREDENTIALS, None, first=1))["credentials"]
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert page == {"edges": [], "pageInfo": nothing}


async def test_a_cursor_of_another_tenant_list_or_filter_is_refused() -> None:
    house = House()
    cursor = (await house.data(MODELS, None, first=1))["models"]["pageInfo"]["endCursor"]
    await house.data(MODELS, None, first=1, after=cursor)
    assert await house.codes(MODELS, house.actor(tenant=2), first=1, after=cursor) == ["INVALID_RANGE"]
    assert await house.codes(MODELS, None, first=1, after=cursor, type="LLM") == ["INVALID_RANGE"]
    assert await house.codes(CREDENTIALS, None, first=1, after=cursor) == ["INVALID_RANGE"]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "A" * 400, "' OR 1=1 --"])
async def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    assert await House().codes(MODELS, None, first=1, after=cursor) == ["INVALID_RANGE"]


async def test_a_changed_cursor_is_refused() -> None:
    house = House()
    cursor = (await house.data(MODELS, None, first=1))["models"]["pageInfo"]["endCursor"]
    for at in range(0, len(cursor) - 4, 4):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert await house.codes(MODELS, None, first=1, after=changed) == ["INVALID_RANGE"]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_from_1_to_100_items(first: int) -> None:
    assert await House().codes(MODELS, None, first=first) == ["INVALID_RANGE"]
