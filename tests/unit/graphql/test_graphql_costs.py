"""An operation pays for what its answer holds: never more than was requested, and nothing once it is refused."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, execute_sync, parse
from hypothesis import given
from hypothesis import strategies as st

from api.graphql.limits import Ruler
from api.graphql.tally import Surveyor
from api.graphql.view import Payload
from domain.model.allowance import Allowance
from tests.fakes import FakeSeconds
from tests.graphql_house import House, large_catalogue
from tests.traffic import gate

SCHEMA = build_schema("""
  type Query {
    a: Query s: String tags: [String] list: [Query] page(first: Int = 50): Page things(ids: [ID!]!): [Query]
  }
  type Page { nodes: [Query] edges: [Edge] info: Query s: String }
  type Edge { node: Query cursor: String }
""")


def tally(document: str, data: Any) -> int:
    parsed = parse(document)
    (operation,) = (d for d in parsed.definitions if isinstance(d, OperationDefinitionNode))
    return sum(branch.cost(data) for branch in Surveyor(SCHEMA, parsed).branches(operation))


@pytest.mark.parametrize(
    ("document", "data", "cost"),
    [
        ("{ s a { s } tags }", {"s": "x", "a": {"s": "y"}, "tags": ["x", "y"]}, 0),
        ("{ page { s nodes { s } } }", {"page": {"s": "x", "nodes": [{}, {}, {}]}}, 3),
        ("{ page { nodes { s } } }", {"page": {"nodes": [{}, None]}}, 2),
        ("{ page { nodes { s } } }", {"page": None}, 0),
        ("{ p: page { n: nodes { s } } }", {"p": {"n": [{}, {}]}}, 2),
        ("{ page { edges { node { list { s } } } } }", {"page": {"edges": [{"node": {"list": [{}] * 9}}] * 2}}, 4),
        ("{ list { s } }", {"list": [{}, {}, {}]}, 1),
        ("{ list { s } }", {"list": []}, 1),
        ('{ things(ids: ["1", "2"]) { list { s } } }', {"things": [{"list": []}, None]}, 2),
        (
            "{ page { nodes { page(first: 9) { nodes { s } } } } }",
            {"page": {"nodes": [{"page": {"nodes": [{}] * n}} for n in (0, 3)]}},
            5,
        ),
        (
            "{ ...F } fragment F on Query { page { ...P } } fragment P on Page { nodes { s } }",
            {"page": {"nodes": [{}]}},
            1,
        ),
        ("{ ... on Query { page { ... { nodes { s } } } } }", {"page": {"nodes": [{}]}}, 1),
        ("{ __schema { types { name } } page { __typename } }", {"__schema": {"types": [{}]}, "page": {}}, 0),
    ],
)
def test_an_answer_is_counted(document: str, data: Any, cost: int) -> None:
    assert tally(document, data) == cost


LEAVES = ("s", "tags", "__typename")
SELECTIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda x: f"a {{ {x} }}"),
        st.tuples(inner, st.integers(0, 4)).map(lambda x: f"page(first: {x[1]}) {{ nodes {{ {x[0]} }} s }}"),
        st.tuples(inner, st.integers(0, 4)).map(lambda x: f"page(first: {x[1]}) {{ edges {{ node {{ {x[0]} }} }} }}"),
        inner.map(lambda x: f'things(ids: ["1", "2"]) {{ {x} }}'),
    ),
    max_leaves=4,
)


class Full:
    """Whatever is asked for is there, every page full."""

    s, tags, a = "x", ("y",), property(lambda self: self)
    node = a

    def page(self, _: Any, first: int) -> Any:
        return {"nodes": [self] * first, "edges": [{"node": self}] * first, "s": "x"}

    def things(self, _: Any, ids: list[str]) -> list["Full"]:
        return [self for _ in ids]


@given(SELECTIONS)
def test_full_pages_cost_what_was_requested(selection: str) -> None:
    document = f"{{ {selection} }}"
    result = execute_sync(SCHEMA, parse(document), Full())
    assert result.errors is None
    assert 1 + tally(document, result.data) == Ruler(SCHEMA, parse(document), {}).largest().cost


async def cost(house: House, document: str, **variables: Any) -> Payload:
    extensions = (await house.run(document, **variables)).extensions
    assert extensions is not None
    found: Payload = extensions["cost"]
    return found


ALL = "{ providers(first: 46) { nodes { models(first: 90) { nodes { id } } } } }"
REQUESTED, ACTUAL = 1 + 46 * (1 + 90), 1 + 46 * (1 + 8)


async def test_what_was_not_needed_is_given_back_and_the_rest_comes_back_with_time() -> None:
    clock = FakeSeconds()
    house = House(catalogue=large_catalogue(), gate=gate(clock, client_cost=Allowance(5_000, 100)))
    left = 5_000 - ACTUAL
    answer = {"maximumAvailable": 5_000, "currentlyAvailable": left, "restoreRate": 100}
    assert await cost(house, ALL) == {"requested": REQUESTED, "actual": ACTUAL, "throttle": answer}
    clock.now += 1
    assert (await cost(house, "{ viewer { id } }"))["throttle"]["currentlyAvailable"] == left + 99


@pytest.mark.parametrize("whose", ["client_cost", "tenant_cost"])
async def test_an_operation_that_does_not_fit_is_told_when_it_will(whose: str) -> None:
    clock = FakeSeconds()
    house = House(catalogue=large_catalogue(), gate=gate(clock, **{whose: Allowance(REQUESTED, 100)}))
    assert await house.codes(ALL) == []
    refused = await house.run(ALL)
    assert [error.extensions for error in refused.errors or ()] == [{"code": "THROTTLED", "retryAfter": 5}]
    assert ACTUAL / 100 < 5
    left = {"maximumAvailable": REQUESTED, "currentlyAvailable": REQUESTED - ACTUAL, "restoreRate": 100}
    assert refused.extensions == {"cost": {"requested": REQUESTED, "throttle": left}}
    assert await house.codes("{ viewer { id } }") == []
    assert await house.codes(ALL, house.actor(tenant=2)) == []
    clock.now += 5
    assert await house.codes(ALL) == []


async def test_an_operation_that_can_never_run_is_not_told_to_wait() -> None:
    house = House(catalogue=large_catalogue(), gate=gate(client_cost=Allowance(REQUESTED - 1, 100)))
    errors = (await house.run(ALL)).errors or []
    assert [error.extensions for error in errors] == [{"code": "QUERY_TOO_COMPLEX"}]
    assert str(REQUESTED - 1) in errors[0].message


async def test_nothing_is_taken_for_what_does_not_run() -> None:
    house = House(gate=gate(client_cost=Allowance(10, 1)))
    for document in ("{ viewer {", "{ nothing }", "query Q($n: Int!) { providers(first: $n) { nodes { id } } }"):
        assert await house.codes(document)
    assert (await cost(house, "{ viewer { id } }"))["throttle"]["currentlyAvailable"] == 9


async def test_an_answer_with_errors_costs_what_was_requested() -> None:
    house = House(gate=gate(client_cost=Allowance(100, 1)))
    document = "{ providers(first: 20) { nodes { id } } quotas { nodes { id } } }"
    actor = house.actor(*(scope for scope in house.actor().scopes if scope != "quotas:read"))
    result = await house.run(document, actor)
    assert result.errors
    assert result.extensions is not None
    assert result.extensions["cost"]["actual"] == result.extensions["cost"]["requested"] == 2 + 20 + 50


async def test_each_operation_of_a_document_is_counted_by_its_own_lists() -> None:
    document = "query A { providers(first: 9) { nodes { id } } } query B { viewer { id } }"
    house = House()
    context = house.context()
    for name, actual in (("A", 1 + 2), ("B", 1)):
        result = await house.schema.execute(document, {}, context, operation_name=name)
        assert result.extensions is not None
        assert (result.extensions["cost"]["requested"], result.extensions["cost"]["actual"]) == (10, actual)
    named = await house.run("query Only { providers(first: 9) { nodes { id } } }")
    assert named.extensions is not None
    assert named.extensions["cost"]["actual"] == 3
