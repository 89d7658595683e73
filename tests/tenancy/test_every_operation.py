"""Two tenants, every operation of the schema: what is one's reads to the other exactly like what nobody has.

On SQLite, on PostgreSQL, and on PostgreSQL with the repositories' own fence taken away.
"""

from typing import Any

import pytest

from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES
from tests.databases import Urls
from tests.graphql_calls import CALLS, answers, shown
from tests.graphql_documents import FIELDS, SCHEMA, Step, along, inner_fields, possible, strings, ways
from tests.graphql_goods import Goods, unknown_words
from tests.tenancy.attempts import ATTEMPTS, OPERATOR, attempts
from tests.tenancy.test_row_level_security import open_gate
from tests.tenancy.two_tenants import World, traces, without_names, world

NOBODYS = unknown_words()
SHOWING = [name for name, field in FIELDS.items() if field.kind == "query"]
PAGED = [name for name, field in FIELDS.items() if "after" in field.field.args]
INNER_PAGED = [Step(kind, name) for kind, name, field in inner_fields() if "after" in field.args]


def test_there_is_an_attempt_at_every_operation() -> None:
    assert ATTEMPTS.keys() == FIELDS.keys(), "say in attempts.py how a stranger may try what is new"


def test_operations_on_other_tenants_are_those_of_the_operators_scopes() -> None:
    assert {name: field.needs for name, field in FIELDS.items() if field.needs in OPERATOR_SCOPES} == OPERATOR


@pytest.mark.parametrize("operation", sorted(FIELDS.keys() & ATTEMPTS.keys()))
async def test_what_is_anothers_reads_like_what_nobody_has(two: World, operation: str) -> None:
    before = await two.rows_of(two.hers)
    for attempt in attempts(operation):
        actor = two.his.actor(*TENANT_SCOPES)
        for_nobodys = await answers(two.house, operation, actor, attempt(NOBODYS))
        for_hers = await answers(two.house, operation, actor, attempt(two.hers.words))
        assert without_names(for_hers, two.hers.words) == without_names(for_nobodys, NOBODYS)
        assert traces(for_hers, two.hers, strings(attempt(two.hers.words))) == []
        if operation in OPERATOR:
            assert [error["extensions"]["needs"] for error in for_hers[0]["errors"]] == [OPERATOR[operation]]
    assert await two.rows_of(two.hers) == before


@pytest.mark.parametrize("operation", sorted(FIELDS.keys() & ATTEMPTS.keys()))
async def test_what_is_done_with_ones_own_shows_and_changes_nothing_of_anothers(two: World, operation: str) -> None:
    before = await two.rows_of(two.hers)
    done = await answers(two.house, operation, two.his.actor(), CALLS[operation](two.his.words))
    assert all(answer["errors"] == [] for answer in done)
    assert traces(done, two.hers) == []
    assert await two.rows_of(two.hers) == before


@pytest.mark.parametrize("operation", sorted(OPERATOR.keys() & FIELDS.keys()))
async def test_what_an_operator_does_for_a_tenant_shows_nothing_of_the_operators_own(
    two: World, operation: str
) -> None:
    done = await answers(two.house, operation, two.his.actor(), CALLS[operation](two.hers.words))
    assert done[0]["errors"] == []
    assert traces(done, two.his) == []


@pytest.mark.parametrize("operation", SHOWING)
async def test_the_owner_itself_is_shown_what_is_its_own(two: World, operation: str) -> None:
    """Else the tests above would pass for answers that show nothing."""
    found = await answers(two.house, operation, two.hers.actor(), CALLS[operation](two.hers.words))
    assert found[0]["errors"] == []
    assert traces(found, two.hers)


@pytest.mark.parametrize("operation", sorted(set(PAGED)))
async def test_anothers_cursor_is_refused_like_a_forged_one(two: World, operation: str) -> None:
    cursor = await _a_cursor(two, two.hers, operation)
    usual = CALLS[operation](two.his.words)
    refused = [
        await answers(two.house, operation, two.his.actor(), {**usual, "after": after})
        for after in (cursor, _forged(cursor), "nonsense")
    ]
    assert [error["extensions"]["code"] for error in refused[0][0]["errors"]] == ["INVALID_RANGE"]
    assert refused[0] == refused[1] == refused[2]
    accepted = await answers(
        two.house, operation, two.hers.actor(), {**CALLS[operation](two.hers.words), "after": cursor}
    )
    assert accepted[0]["errors"] == []


@pytest.mark.parametrize("last", INNER_PAGED, ids=lambda step: f"{step.parent}.{step.name}")
async def test_anothers_cursor_of_an_inner_list_is_refused_like_a_forged_one(two: World, last: Step) -> None:
    root, steps = next(way for way in ways(last.parent) if way[0].kind == "query")

    async def page(goods: Goods, arguments: str) -> dict[str, Any]:
        selection = along(steps, Step(last.parent, f"{last.name}({arguments})"), "{ pageInfo { endCursor } }")
        return (await answers(two.house, root.name, goods.actor(), CALLS[root.name](goods.words), selection))[0]

    cursor = next(text for text in strings(await page(two.hers, "first: 1")) if len(text) > 40)
    refused = [await page(two.his, f'after: "{after}"') for after in (cursor, _forged(cursor), "nonsense")]
    assert [error["extensions"]["code"] for error in refused[0]["errors"]] == ["INVALID_RANGE"]
    assert _messages(refused[0]) == _messages(refused[1]) == _messages(refused[2])
    assert (await page(two.hers, f'after: "{cursor}"'))["errors"] == []


@pytest.mark.parametrize("kind", sorted(kind.name for kind in possible(SCHEMA.type_map["Node"])))
async def test_a_node_of_another_is_null(two: World, kind: str) -> None:
    if kind == "Provider":
        assert kind not in two.hers.words.nodes, "providers are nobody's"
        return
    wanted = two.hers.words.nodes[kind]
    one = {"id": wanted}
    (mine,) = await answers(two.house, "node", two.hers.actor(), one)
    (others,) = await answers(two.house, "node", two.his.actor(), one)
    assert (shown(mine, "node")["__typename"], shown(others, "node")) == (kind, None)
    many = {"ids": [wanted, two.his.words.nodes[kind], NOBODYS.nodes[kind]]}
    (found,) = await answers(two.house, "nodes", two.his.actor(), many)
    assert [node and node["__typename"] for node in shown(found, "nodes")] == [None, kind, None]


async def _a_cursor(two: World, of: Goods, operation: str) -> str:
    (page,) = await answers(two.house, operation, of.actor(), CALLS[operation](of.words), "{ pageInfo { endCursor } }")
    cursor = shown(page, operation)["pageInfo"]["endCursor"]
    assert isinstance(cursor, str)
    return cursor


def _messages(answer: dict[str, Any]) -> Any:
    """An answer without the places in its document, which depend on the length of a cursor."""
    return answer["data"], [{**error, "locations": None} for error in answer["errors"]]


def _forged(cursor: str) -> str:
    return ("B" if cursor[0] == "A" else "A") + cursor[1:]


@pytest.mark.parametrize("operation", ["credentials", "quotas", "calls", "tenant", "caps"])
async def test_without_any_fence_the_traces_would_be_found(sqlite_urls: Urls, operation: str) -> None:
    async with world(sqlite_urls, open_gate) as both:
        found = await answers(both.house, operation, both.his.actor(), {})
        assert traces(found, both.hers)
