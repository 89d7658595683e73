"""Documents generated from the schema: every root field with all that it can show, and the way to every other field."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from api.graphql.schema import build_schema
from api.graphql.scopes import scope_of

SCHEMA = build_schema()._schema
ROOTS: Mapping[str, GraphQLObjectType] = {
    kind.name.lower(): kind for kind in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if kind
}
PAGE, INNER_PAGE = 14, 12


@dataclass(frozen=True, slots=True)
class Root:
    """A field of Query, Mutation or Subscription."""

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def field(self) -> GraphQLField:
        found: GraphQLField = ROOTS[self.kind].fields[self.name]
        return found

    @property
    def needs(self) -> str | None:
        return scope_of(self.field)

    @property
    def problems(self) -> list[str]:
        """The problems of its result union; none where it has no such union."""
        result = get_named_type(self.field.type)
        members = result.types if isinstance(result, GraphQLUnionType) else ()
        return [kind.name for kind in members if "Problem" in {i.name for i in kind.interfaces}]

    def document(self, given: Iterable[str], selection: str | None = None) -> str:
        """It alone with the arguments `given` as variables, and all that it can show unless a selection is named."""
        arguments = {name: self.field.args[name] for name in given}
        declared = ", ".join(f"${name}: {argument.type}" for name, argument in arguments.items())
        page = [f"first: {PAGE}"] if "first" in self.field.args.keys() - arguments.keys() else []
        passed = ", ".join([*(f"{name}: ${name}" for name in arguments), *page])
        head = f"{self.kind} Generated{_in_parentheses(declared)}"
        shown = selected(get_named_type(self.field.type)) if selection is None else selection
        return f"{head} {{ {self.name}{_in_parentheses(passed)} {shown} }}"


FIELDS = {name: Root(kind, name) for kind, root in ROOTS.items() for name in root.fields}
"""Every root field by its name; no two roots share one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A field of a type, on the way from a root to another type."""

    parent: str
    name: str


def inner_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """Every field of an object type that is no root."""
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind not in ROOTS.values() and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                yield kind.name, name, field


def ways(kind: str, *, without: str | None = None) -> Iterator[tuple[Root, tuple[Step, ...]]]:
    """From every root field that leads to an object type, the shortest way there that does not need one scope."""
    for root in FIELDS.values():
        if without is None or root.needs != without:
            steps = _way(get_named_type(root.field.type), kind, without)
            if steps is not None:
                yield root, steps


def along(steps: Iterable[Step], last: Step, selection: str = "") -> str:
    """The selection that goes these steps and ends in `last`, of which it shows `selection`."""
    shown = f"{{ ... on {last.parent} {{ {last.name} {selection} }} }}"
    for step in reversed(tuple(steps)):
        shown = f"{{ ... on {step.parent} {{ {step.name} {shown} }} }}"
    return shown


def selected(kind: GraphQLNamedType, on_the_way: frozenset[str] = frozenset()) -> str:
    """All that can be shown of a type, each type once on any way down; nothing for a leaf."""
    if is_leaf_type(kind):
        return ""
    members = possible(kind)
    if isinstance(kind, GraphQLObjectType):
        return f"{{ {_fields(kind, on_the_way | {kind.name})} }}"
    clashing = _clashing(members)
    parts = (f"... on {m.name} {{ {_fields(m, on_the_way | {m.name}, clashing)} }}" for m in members)
    return f"{{ __typename {' '.join(parts)} }}"


def possible(kind: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types that a value of this type can have."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        return list(SCHEMA.get_possible_types(kind))
    return [kind] if isinstance(kind, GraphQLObjectType) else []


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def _fields(kind: GraphQLObjectType, on_the_way: frozenset[str], clashing: frozenset[str] = frozenset()) -> str:
    shown = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        entered = {member.name for member in possible(inner)} & on_the_way
        if entered or any(is_required_argument(argument) for argument in field.args.values()):
            continue
        alias = f"{kind.name}_{name}: " if name in clashing else ""
        page = f"(first: {INNER_PAGE})" if "first" in field.args else ""
        shown.append(f"{alias}{name}{page} {selected(inner, on_the_way)}".rstrip())
    return " ".join(shown) or "__typename"


def _clashing(members: Iterable[GraphQLObjectType]) -> frozenset[str]:
    """The names under which members of a union have fields of different types."""
    types: dict[str, set[str]] = {}
    for member in members:
        for name, field in member.fields.items():
            types.setdefault(name, set()).add(str(field.type))
    return frozenset(name for name, kinds in types.items() if len(kinds) > 1)


def _way(start: GraphQLNamedType, goal: str, without: str | None) -> tuple[Step, ...] | None:
    queue: deque[tuple[GraphQLNamedType, tuple[Step, ...]]] = deque([(start, ())])
    seen = set[str]()
    while queue:
        kind, steps = queue.popleft()
        for member in possible(kind):
            if member.name == goal:
                return steps
            if member.name not in seen:
                seen.add(member.name)
                queue.extend((inner, (*steps, step)) for inner, step in _onwards(member, without))
    return None


def _onwards(kind: GraphQLObjectType, without: str | None) -> Iterator[tuple[GraphQLNamedType, Step]]:
    for name, field in kind.fields.items():
        asks_for_nothing = not any(is_required_argument(argument) for argument in field.args.values())
        if asks_for_nothing and (without is None or scope_of(field) != without):
            yield get_named_type(field.type), Step(kind.name, name)


def _in_parentheses(text: str) -> str:
    return f"({text})" if text else ""
