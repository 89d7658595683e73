"""Documents made to exhaust: each is refused before it runs, after one walk over it, and ordinary ones pass."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graphql.documents import REMEMBERED, TOKENS, Library
from api.graphql.limits import LIMITS, Ruler, Size, excess
from domain.model.access import Actor
from domain.usecases.browsing import Browsing, ModelFilter, Offered
from tests.graphql_house import CHAT, House, large_catalogue

SCHEMA = build_schema("""
  type Query { a: Query b: Query s: String list: [Query] page(first: Int = 50): Page things(ids: [ID!]!): [Query] }
  type Page { nodes: [Query] edges: [Edge] s: String }
  type Edge { node: Query cursor: String }
""")


def size(document: str, **variables: Any) -> Size:
    return Ruler(SCHEMA, parse(document), variables).largest()


def bomb(levels: int, leaf: str = "s") -> str:
    """Fragments that each spread the next one twice."""
    spreads = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(levels))
    return f"{{ ...F0 }} {spreads} fragment F{levels} on Query {{ {leaf} }}"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ s }", Size(depth=1, width=1, fields=1, cost=1)),
        ("{ a { b { s } } }", Size(depth=3, width=1, fields=3, cost=1)),
        ("{ x: s y: s @skip(if: false) }", Size(depth=1, width=2, fields=2, aliases=2, directives=1, cost=2)),
        ("{ page { nodes { s } } }", Size(depth=3, width=1, fields=3, cost=51)),
        ("{ page(first: 7) { edges { node { s } } } }", Size(depth=4, width=1, fields=4, cost=8)),
        ("{ page(first: 7) { nodes { page(first: 3) { nodes { s } } } } }", Size(5, 1, 5, cost=1 + 7 * (1 + 3))),
        ("{ list { list { s } } }", Size(depth=3, width=1, fields=3, cost=3)),
        ('{ things(ids: ["1", "2"]) { list { s } } }', Size(depth=3, width=1, fields=3, cost=1 + 1 + 2)),
        ("{ ... on Query { s } ...F } fragment F on Query { a { s } }", Size(depth=2, width=2, fields=3, cost=2)),
        ("{ __typename }", Size(depth=1, width=1, fields=1, cost=1)),
        ("{ __schema { types { name } } }", Size(1, 1, 3, cost=1, introspects=True)),
        ("{ unknown { unknown } }", Size(depth=2, width=1, fields=2, cost=1)),
        ("{ ...Missing }", Size()),
        ("{ ...F } fragment F on Query { s ...F }", Size(depth=1, width=1, fields=1, cost=1)),
    ],
)
def test_a_document_is_measured(document: str, expected: Size) -> None:
    assert size(document) == expected


@pytest.mark.parametrize(
    ("variables", "cost"),
    [({}, 51), ({"n": 3}, 4), ({"n": None}, 51), ({"n": 9.0}, 10), ({"n": "x"}, 2), ({"n": -5}, 1)],
)
def test_a_page_whose_length_is_a_variable_costs_what_the_variable_says(variables: dict[str, Any], cost: int) -> None:
    assert size("query ($n: Int) { page(first: $n) { nodes { s } } }", **variables).cost == cost


def test_a_variables_default_counts_when_it_is_left_out() -> None:
    assert size("query ($n: Int = 4) { page(first: $n) { nodes { s } } }").cost == 5


@pytest.mark.parametrize("leaf", ["s", "a { s }", "x: s", "s @skip(if: true)"])
def test_a_bomb_of_fragments_is_measured_by_walking_each_once(leaf: str) -> None:
    levels = 40
    ruler = Ruler(SCHEMA, parse(bomb(levels, leaf)), {})
    assert ruler.largest().fields >= 2**levels
    assert ruler.visited <= 2 * levels + 4
    assert excess(ruler.largest())


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_tangle_of_fragments_is_walked_once(graph: list[list[int]]) -> None:
    spreads = [" ".join(f"...F{to % len(graph)}" for to in edges) for edges in graph]
    fragments = " ".join(f"fragment F{n} on Query {{ s {each} }}" for n, each in enumerate(spreads))
    ruler = Ruler(SCHEMA, parse(f"{{ ...F0 }} {fragments}"), {})
    ruler.largest()
    assert ruler.visited <= 1 + sum(1 + len(edges) for edges in graph)


def chain(letters: str, on: str) -> str:
    """Fragments named after letters, each spreading the next twice."""
    return " ".join(f"fragment {one} on {on} {{ ...{two} ...{two} }}" for one, two in pairwise(letters))


PAGE = "providers(first: 100) { nodes { id models { nodes { id } } } }"
ATTACKS = {
    "depth": "{ " + "viewer { tenant { " * 7 + "id" + " } }" * 7 + " }",
    "root fields": "{ " + "viewer { id } " * 21 + " }",
    "aliases": "{ viewer { " + " ".join(f"a{n}: id" for n in range(31)) + " } }",
    "directives": "{ viewer { id " + "@skip(if: false) " * 21 + " } }",
    "cost": "{ providers(first: 100) { nodes { models(first: 100) { nodes { id } } } } }",
    "fields": "{ viewer { ...A ...A } } " + chain("ABCDEFGHIJK", "Viewer") + " fragment K on Viewer { id }",
    "bomb": bomb(40, "viewer { id }"),
    "bomb in the schema": bomb(40, "description")
    .replace("{ ...F0 }", "{ __schema { ...F0 } }")
    .replace("Query", "__Schema"),
    "aliased pages": "{ " + " ".join(f"p{n}: {PAGE}" for n in range(19)) + " }",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_attack_is_refused_before_it_runs(attack: str) -> None:
    result = await House().run(attack)
    assert result.data is None
    assert [error.extensions for error in result.errors or ()] == [{"code": "QUERY_TOO_COMPLEX"}]


async def test_a_page_length_in_a_variable_cannot_hide_the_cost() -> None:
    document = """query Q($n: Int!, $m: Int = 100) {
      providers(first: $n) { nodes { models(first: $m) { nodes { id } } } } }"""
    house = House()
    assert await house.codes(document, None, n=100) == ["QUERY_TOO_COMPLEX"]
    assert await house.codes(document, None, n=2**31) == ["QUERY_TOO_COMPLEX"]
    assert await house.codes(document, None, n=10) == []
    assert await house.codes(document, None, n=100, m=10) == []


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer { " + "id " * TOKENS + "} }",
        "{" * 300 + "a" + "}" * 300,
        "{ viewer(x: " + "[" * 300 + "]" * 300 + ") { id } }",
    ],
)
async def test_what_cannot_be_parsed_within_bounds_is_refused(document: str) -> None:
    assert await House().codes(document) == ["GRAPHQL_PARSE_FAILED"]


async def test_at_most_five_errors_are_reported() -> None:
    document = "{ " + " ".join(f"unknown{n}" for n in range(15)) + " }"
    assert await House().codes(document) == ["GRAPHQL_VALIDATION_FAILED"] * 5
    form = [{"name": 1, "value": 2}] * 9
    wrong = "mutation M($input: CheckCredentialInput!) { checkCredential(input: $input) { __typename } }"
    assert await House().codes(wrong, None, input={"provider": "acme", "fields": form}) == ["BAD_USER_INPUT"] * 5


async def test_the_introspection_query_of_tools_passes() -> None:
    query = get_introspection_query(specified_by_url=True, schema_description=True, input_value_deprecation=True)
    data = await House().data(query)
    assert data["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}


async def test_a_circular_introspection_is_refused() -> None:
    circular = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert await House().codes(circular) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_all_providers_with_all_their_models_pass_and_tell_their_cost() -> None:
    house = House(catalogue=large_catalogue())
    result = await house.run("{ providers(first: 46) { nodes { form { name } models(first: 90) { nodes { id } } } } }")
    assert result.errors is None
    asked, got = 1 + 46 * (1 + 1 + 90), 1 + 46 * (1 + 1 + 8)
    left = {"maximumAvailable": 10_000, "currentlyAvailable": 10_000 - got, "restoreRate": 500}
    assert result.extensions == {"cost": {"requested": asked, "actual": got, "throttle": left}}
    nodes = (result.data or {})["providers"]["nodes"]
    assert sum(len(provider["models"]["nodes"]) for provider in nodes) == 46 * 8


async def test_the_standing_is_read_once_for_a_list_and_its_models() -> None:
    house = House(catalogue=large_catalogue())
    everything = ModelFilter()
    asked = []

    class Counting(Browsing):
        async def models(self, actor: Actor, wanted: ModelFilter = everything) -> tuple[Offered, ...]:
            asked.append(wanted.provider)
            return await super().models(actor, wanted)

    browsing = house.usecases.browsing
    house.usecases = replace(house.usecases, browsing=Counting(browsing.standing, browsing.platform))
    await house.data("{ providers { nodes { models(first: 5) { nodes { id } } } } }")
    assert asked == [None]


def test_limits_are_those_that_are_promised() -> None:
    assert Size(depth=12, width=20, fields=1_000, aliases=30, directives=20, cost=5_000) == LIMITS
    assert excess(LIMITS) is None


def test_documents_are_prepared_once_and_only_the_last_are_remembered() -> None:
    library = Library(House().schema._schema)
    first = library.prepare("{ viewer { id } }")
    assert library.prepare("{ viewer { id } }") is first
    for number in range(REMEMBERED):
        library.prepare(f"{{ viewer {{ a{number}: id }} }}")
    assert library.prepare("{ viewer { id } }") is not first


async def test_a_chat_of_a_million_characters_is_no_matter_of_limits() -> None:
    chat = {"messages": [{**CHAT["messages"][0], "content": "x" * 1_000_000}]}
    document = "mutation M($input: ChatInput!) { chat(input: $input) { __typename } }"
    assert await House().codes(document, None, input=chat) != ["QUERY_TOO_COMPLEX"]
