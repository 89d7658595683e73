"""Every field that declares a scope is refused without it, does nothing then, and needs no other scope."""

import copy

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from api.graphql.ids import node_id
from api.graphql.scopes import scope_of
from domain.model.access import Scope
from tests.graphql_calls import CALLS, GIVING, Variables, answers, call_of, shown
from tests.graphql_documents import FIELDS, SCHEMA, Root, Step, along, inner_fields, possible, strings, ways
from tests.graphql_goods import Goods, settled, willing_house
from tests.graphql_house import ACME, House

FREE = {"viewer", "node", "nodes"}
"""Root fields for whoever has a token: they show the token itself, or need what the thing that they find needs."""

NODES = [kind.name for kind in possible(SCHEMA.type_map["Node"])]
BARE = "{ __typename }"
SCOPED = [pytest.param(field, id=name) for name, field in FIELDS.items() if field.needs]
INNER = [
    pytest.param(Step(kind, name), scope_of(field), id=f"{kind}.{name}")
    for kind, name, field in inner_fields()
    if scope_of(field)
]


async def house_and_owner() -> tuple[House, Goods]:
    house = willing_house()
    return house, await settled(house, "mark")


def without(needs: str | None) -> set[Scope]:
    return {scope for scope in Scope if scope != needs}


def test_every_root_field_has_a_call_and_every_call_a_root_field() -> None:
    assert set(FIELDS) == set(CALLS), "tell tests/graphql_calls.py how to call what is new"


def test_only_a_few_root_fields_need_no_scope() -> None:
    assert {name for name, field in FIELDS.items() if field.needs is None} == FREE


def test_every_scope_is_one_that_a_token_can_have() -> None:
    named = {field.needs for field in FIELDS.values()} | {scope_of(field) for _, _, field in inner_fields()}
    assert named - {None} <= set(Scope)


@pytest.mark.parametrize("field", SCOPED)
async def test_without_its_scope_a_field_is_refused_and_nothing_happens(field: Root) -> None:
    house, owner = await house_and_owner()
    before = copy.deepcopy(house.store.rows)
    (answer,) = await answers(house, field.name, owner.actor(*without(field.needs)), call_of(field)(owner.words), BARE)
    assert [error["extensions"] for error in answer["errors"]] == [{"code": "FORBIDDEN", "needs": field.needs}]
    assert shown(answer, field.name) is None
    assert house.gateway.asked == []
    assert house.store.rows == before


@pytest.mark.parametrize("field", SCOPED)
async def test_no_other_scope_alone_opens_a_field(field: Root) -> None:
    """The matrix of scopes and operations, each denial by itself."""
    house, owner = await house_and_owner()
    before = copy.deepcopy(house.store.rows)
    for scope in sorted(without(field.needs)):
        (answer,) = await answers(house, field.name, owner.actor(scope), call_of(field)(owner.words), BARE)
        assert [error["extensions"] for error in answer["errors"]] == [{"code": "FORBIDDEN", "needs": field.needs}]
        assert shown(answer, field.name) is None
    assert (house.store.rows, house.gateway.asked) == (before, [])


@pytest.mark.parametrize("field", SCOPED)
async def test_its_scope_is_all_that_a_field_needs(field: Root) -> None:
    house, owner = await house_and_owner()
    actor = owner.actor(Scope(str(field.needs)), *GIVING.get(field.name, ()))
    for answer in await answers(house, field.name, actor, call_of(field)(owner.words), BARE):
        assert answer["errors"] == []
        assert shown(answer, field.name)
        assert not set(strings(shown(answer, field.name))) & set(field.problems)


@pytest.mark.parametrize("field", SCOPED)
async def test_what_needs_another_scope_than_its_root_says_so(field: Root) -> None:
    house, owner = await house_and_owner()
    actor = owner.actor(Scope(str(field.needs)), *GIVING.get(field.name, ()))
    declared = {(name, scope_of(inner)) for _, name, inner in inner_fields()}
    before = copy.deepcopy(house.store.rows)
    for answer in await answers(house, field.name, actor, call_of(field)(owner.words)):
        for error in answer["errors"]:
            if field.kind == "mutation":
                assert error["extensions"]["needs"] in {scope for _, scope in declared}
                assert "path" not in error
                assert house.store.rows == before
                assert house.gateway.asked == []
            else:
                assert (error["path"][-1], error["extensions"]["needs"]) in declared


@pytest.mark.parametrize(("last", "needs"), INNER)
async def test_without_its_scope_an_inner_field_is_refused_wherever_it_is(last: Step, needs: str) -> None:
    refused = 0
    for root, steps in ways(last.parent, without=needs):
        house, owner = await house_and_owner()
        selection = along(steps, last, shown_of(last))
        answer = (await answers(house, root.name, owner.actor(*without(needs)), call_of(root)(owner.words), selection))[
            0
        ]
        found = {"code": "FORBIDDEN", "needs": needs} in [error["extensions"] for error in answer["errors"]]
        assert found or last.name not in strings(answer["data"]), root
        refused += found
    assert refused


@pytest.mark.parametrize("kind", sorted(set(NODES) - {"Viewer"}))
async def test_a_node_needs_the_scope_of_its_type(kind: str) -> None:
    house, owner = await house_and_owner()
    variables = {"id": {**owner.words.nodes, "Provider": node_id("Provider", ACME.id)}[kind]}
    (found,) = await answers(house, "node", owner.actor(), variables, BARE)
    assert shown(found, "node") == {"__typename": kind}
    needed = {code for scope in Scope if (code := await _refusal(house, owner, scope, variables))}
    assert len(needed) == 1, "one scope is enough for it, and all the others are refused for the lack of that one"


async def _refusal(house: House, owner: Goods, scope: Scope, variables: Variables) -> str | None:
    (answer,) = await answers(house, "node", owner.actor(scope), variables, BARE)
    return next((error["extensions"]["needs"] for error in answer["errors"]), None)


def shown_of(step: Step) -> str:
    kind = SCHEMA.type_map[step.parent]
    assert isinstance(kind, GraphQLObjectType)
    return "" if is_leaf_type(get_named_type(kind.fields[step.name].type)) else BARE
