"""The short way of the executor gives what graphql-core gives: the same values, order, errors and nulls."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from api.graphql.execution import Executor
from api.graphql.scalars import SCALARS
from api.graphql.schema import Mutation, Query, Subscription
from tests.graphql_house import House

DOCUMENTS = [
    "{ viewer { id clientId scopes tokenExpiresAt __typename } __typename }",
    "{ providers { __typename nodes { z: name a: label(language: JA) types __typename form { label name } } } }",
    """query Q($yes: Boolean = true) { providers(first: 1) { pageInfo { hasNextPage endCursor }
         edges { cursor node { ...P ... on Provider { name kind } } } } }
       fragment P on Provider { keyPage name @skip(if: $yes) models(first: 2) { nodes { ...M id } } }
       fragment M on Model { price { input output per currency } features retires label @include(if: $yes) }""",
    "{ quotas { nodes { granted free unit kind openedAt } } defaultModels { type model { name } reason } }",
    "query L($l: Language!) { providers { nodes { label(language: $l) form { label(language: $l) options } } } }",
    '{ node(id: "UHJvdmlkZXI6YWNtZQ==") { id ... on Provider { name form { name } } } none: node(id: "x") { id } }',
    "{ a: viewer { id } b: viewer { clientId } a: viewer { scopes } }",
]


def stock() -> strawberry.Schema:
    return strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS))


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_answers_are_those_of_graphql_core(document: str) -> None:
    house = House()
    variables = {"l": "ZH"} if "$l" in document else {}
    context = house.context()
    ours = await house.schema.execute(document, variables, context)
    theirs = await stock().execute(document, variables, context)
    assert (ours.errors, theirs.errors) == (None, None)
    assert orjson.dumps(ours.data) == orjson.dumps(theirs.data)


@strawberry.type
class Thing:
    name: str
    size: int | None
    tags: list[str]

    @strawberry.field
    def loud(self, times: int = 1) -> str:
        return self.name.upper() * times

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError("boom")

    @strawberry.field
    async def later(self) -> str:
        return f"later {self.name}"

    @strawberry.field
    def inner(self) -> "Thing | None":
        return replace(self, name="inner") if self.name != "inner" else None


ODD: list[Any] = [
    Thing(name="plain", size=1, tags=["a"]),
    Thing(name="null list", size=None, tags=None),  # type: ignore[arg-type]  # what the schema forbids
    Thing(name="null item", size=1, tags=["a", None]),  # type: ignore[list-item]  # what the schema forbids
    Thing(name=None, size=1, tags=[]),  # type: ignore[arg-type]  # what the schema forbids
    Thing(name="large", size=2**40, tags=[]),
    object(),
    None,
]
FIELDS = [
    "name",
    "size",
    "tags",
    "loud",
    "loud(times: 2)",
    "boom",
    "later",
    "inner { name tags inner { name } }",
    "__typename",
]


@pytest.mark.parametrize("thing", ODD, ids=["plain", "null list", "null item", "null name", "large", "object", "none"])
@pytest.mark.parametrize("field", FIELDS)
async def test_odd_values_end_as_they_do_in_graphql_core(thing: Any, field: str) -> None:
    @strawberry.type
    class Root:
        @strawberry.field
        def thing(self) -> Thing | None:
            found: Thing | None = thing
            return found

        @strawberry.field
        def things(self) -> list[Thing | None]:
            return [thing, ODD[0], thing]

    document = f"{{ things {{ size {field} x: name }} thing {{ {field} }} }}"
    ours = await strawberry.Schema(Root, execution_context_class=Executor).execute(document)
    theirs = await strawberry.Schema(Root).execute(document)
    assert orjson.dumps(ours.data) == orjson.dumps(theirs.data)
    assert [(e.path, e.message) for e in ours.errors or ()] == [(e.path, e.message) for e in theirs.errors or ()]
