"""Our way through an operation gives what strawberry's gives: the events of subscriptions, and inputs as instances."""

from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any, Self

import orjson
import pytest
import strawberry

from api.graphql.operations import Schema


@strawberry.type
class Word:
    text: str
    size: int | None = None

    @strawberry.field
    def loud(self, times: int = 1) -> str:
        return self.text.upper() * times

    @strawberry.field
    async def later(self) -> str:
        return f"later {self.text}"


@strawberry.type
class Pause:
    length: int


Item = Annotated[Word | Pause, strawberry.union("Item")]


@strawberry.type
class Root:
    here: bool = True


ITEMS: list[Any] = [
    Word(text="a"),
    Pause(length=1),
    Word(text=None),  # type: ignore[arg-type]  # what the schema forbids
    Pause(length=2**40),
    object(),
    None,
    Word(text="b", size=3),
]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def items(self) -> AsyncIterator[Item]:
        for item in ITEMS:
            yield item
        raise LookupError

    @strawberry.subscription
    async def words(self, upto: int) -> AsyncIterator[list[Word | None]]:
        yield [item if isinstance(item, Word) else None for item in ITEMS[:upto]]


DOCUMENTS = [
    "subscription { items { __typename } }",
    "subscription { i: items { ... on Word { text size } ... on Pause { length t: __typename } } }",
    "subscription { items { ...W ... on Pause { length } } } fragment W on Word { loud twice: loud(times: 2) }",
    "subscription { items { ... on Word { later text } ... on Pause { length } } }",
    "subscription Q($yes: Boolean = true) { items { ... on Word @skip(if: $yes) { text } __typename } }",
    "subscription { items { ... on Word { text } } items { ... on Word { size } } }",
    "subscription { words(upto: 2) { text size } }",
    "subscription { words(upto: 3) { text } }",
    "subscription Q($n: Int! = 1) { words(upto: $n) { text later } }",
]


async def answers(schema: strawberry.Schema, document: str) -> list[tuple[bytes, list[Any]]]:
    """The data of each answer, and where it has errors."""
    stream: Any = await schema.stream(document)
    return [(orjson.dumps(a.data), [e.path for e in a.errors or ()]) async for a in stream]


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_the_events_of_a_subscription_are_those_of_strawberry(document: str) -> None:
    ours = await answers(Schema(introspection=True, query=Root, subscription=Subscription), document)
    theirs = await answers(strawberry.Schema(Root, subscription=Subscription), document)
    assert ours == theirs


async def test_plain_events_are_read_and_not_executed() -> None:
    schema = Schema(introspection=True, query=Root, subscription=Subscription)
    (data, errors), *_ = await answers(schema, "subscription { items { ... on Word { text } } }")
    assert (data, errors) == (b'{"items":{"text":"a"}}', [])


def sized(schema: type[strawberry.Schema], **more: Any) -> strawberry.Schema:
    """A schema with inputs of every kind, which shows what its resolver is given."""

    @strawberry.enum
    class Colour(Enum):
        RED = "red"

    @strawberry.input
    class Leaf:
        the_name: str
        colours: list[Colour] = strawberry.field(default_factory=list)
        note: str | None = "none"
        weight: float | None

    @strawberry.input(one_of=True)
    class Either:
        leaf: Leaf | None = strawberry.UNSET
        leaves: list[Leaf] | None = strawberry.UNSET

    @strawberry.input
    class Tree:
        leaves: list[Leaf | None]
        either: Either | None = None
        grid: list[list[int]] | None = None
        inner: Self | None = None

    @strawberry.type
    class Query:
        @strawberry.field
        def show(
            self, tree: Tree, either: Either | None = None, name: Annotated[str, strawberry.argument(name="as")] = "x"
        ) -> str:
            return f"{tree!r} {either!r} {name}"

    return schema(query=Query, **more)


@pytest.mark.parametrize(
    "tree",
    [
        {"leaves": []},
        {"leaves": [{"theName": "a"}, None, {"theName": "b", "note": None, "weight": 1, "colours": ["RED"]}]},
        {"leaves": [], "either": {"leaf": {"theName": "a"}}},
        {"leaves": [], "either": {"leaves": [{"theName": "a"}]}, "grid": [[1, 2], []]},
        {"leaves": [], "either": None, "grid": None, "inner": {"leaves": [{"theName": "a"}]}},
        {"leaves": "no list"},
        {"leaves": [], "either": {}},
        {"leaves": [], "either": {"leaf": None}},
        {"leaves": [{"theName": "a", "unknown": 1}]},
    ],
)
async def test_inputs_are_built_as_strawberry_builds_them(tree: Any) -> None:
    document = 'query Q($t: Tree!) { show(tree: $t, either: { leaf: { theName: "z" } }) }'
    theirs = await sized(strawberry.Schema).execute(document, {"t": tree})
    ours = await sized(Schema, introspection=True).execute(document, {"t": tree})
    assert ours.data == theirs.data
    assert len(ours.errors or ()) == len(theirs.errors or ())
