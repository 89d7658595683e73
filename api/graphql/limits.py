"""How large an operation may be, measured in one pass before it runs: each fragment is walked once, however often it
is spread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from graphql.utilities.coerce_input_value import coerce_default_value


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection set amounts to with its fragments spread.

    `width` counts the fields at its own level, `fields` all of them, `cost` the items of lists in its answer when every
    page is full, and for an operation its root fields. Introspection costs nothing and has a depth limit of
    graphql-core's own.
    """

    depth: int = 0
    width: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    introspects: bool = False

    def beside(self, other: "Size") -> "Size":
        """Both, at the same level."""
        return Size(
            max(self.depth, other.depth),
            self.width + other.width,
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.cost + other.cost,
            self.introspects or other.introspects,
        )


LIMITS = Size(depth=12, width=20, fields=1_000, aliases=30, directives=20, cost=5_000)
"""The most that one operation may be; `width` is that of its root fields."""


def excess(size: Size) -> str | None:
    """Which limit an operation exceeds, in words; None when it fits."""
    for name, most in (
        ("depth", LIMITS.depth),
        ("width", LIMITS.width),
        ("fields", LIMITS.fields),
        ("aliases", LIMITS.aliases),
        ("directives", LIMITS.directives),
        ("cost", LIMITS.cost),
    ):
        if getattr(size, name) > most:
            return f"{'root fields' if name == 'width' else name} of more than {most}"
    return None


@dataclass(slots=True)
class Ruler:
    """Measures the operations of one document. `visited` counts the nodes it walked, for tests to see.

    `flexible` turns true when a page's length comes from a variable: then each request has a size of its own.
    """

    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]
    visited: int = 0
    flexible: bool = False
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _known: dict[str, Size] = field(default_factory=dict)
    _defaults: dict[str, ValueNode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        definitions = self.document.definitions
        self._fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}

    def largest(self) -> Size:
        """The most of each measure over the document's operations."""
        most = Size()
        for operation in self.document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                size = self._operation(operation)
                most = Size(*(max(getattr(most, name), getattr(size, name)) for name in Size.__slots__))
        return most

    def _operation(self, operation: OperationDefinitionNode) -> Size:
        for variable in operation.variable_definitions or ():
            if variable.default_value is not None:
                self._defaults[variable.variable.name.value] = variable.default_value
        root = self.schema.get_root_type(operation.operation)
        size = self._selections(operation.selection_set, root)
        return size.beside(Size(directives=len(operation.directives or ()), cost=size.width))

    def _selections(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Size:
        total = Size()
        for selection in selections.selections if selections else ():
            self.visited += 1
            own = Size(directives=len(selection.directives or ()))
            match selection:
                case FieldNode():
                    inner = self._field(selection, parent)
                case InlineFragmentNode(type_condition=condition):
                    on = self.schema.get_type(condition.name.value) if condition else parent
                    inner = self._selections(selection.selection_set, on)
                case FragmentSpreadNode():
                    inner = self._fragment(selection.name.value)
                case _:
                    inner = Size()
            total = total.beside(own).beside(inner)
        return total

    def _fragment(self, name: str) -> Size:
        if name not in self._known:
            self._known[name] = Size()  # stands while the fragment is walked, so that a cycle ends
            fragment = self._fragments.get(name)
            if fragment is not None:
                on = self.schema.get_type(fragment.type_condition.name.value)
                self._known[name] = self._selections(fragment.selection_set, on)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        name = node.name.value
        known = getattr(parent, "fields", {}).get(name)
        named = get_named_type(known.type) if known else None
        inner = self._selections(node.selection_set, named)
        if name in ("__schema", "__type"):
            return Size(1, 1, 1 + inner.fields, inner.aliases + bool(node.alias), inner.directives, introspects=True)
        return Size(
            depth=1 + inner.depth,
            width=1,
            fields=1 + inner.fields,
            aliases=bool(node.alias) + inner.aliases,
            directives=inner.directives,
            cost=is_list_of_objects(known) + self._items(node, known) * inner.cost,
            introspects=inner.introspects,
        )

    def _items(self, node: FieldNode, known: GraphQLField | None) -> int:
        """How many objects a field gives at most: its page's length, or as many as the ids it is given."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if known is None or not known.args.keys() & {"first", "ids"}:
            return 1
        if "first" in known.args:
            return self._number(given.get("first"), coerce_default_value(known.args["first"]))
        return self._number(given.get("ids"), 1)

    def _number(self, value: ValueNode | None, otherwise: Any) -> int:
        match value:
            case IntValueNode(value=digits):
                return int(digits)
            case ListValueNode(values=values):
                return len(values)
            case VariableNode(name=name):
                self.flexible = True
                default = self._defaults.get(name.value)
                sent = self.variables.get(name.value)
                return _count(sent) if sent is not None else self._number(default, otherwise)
        return _count(otherwise)


def is_list_of_objects(known: GraphQLField | None) -> bool:
    return (
        known is not None
        and is_list_type(get_nullable_type(known.type))
        and is_composite_type(get_named_type(known.type))
    )


def _count(value: Any) -> int:
    if isinstance(value, list):
        return len(value)
    return max(0, int(value)) if isinstance(value, int | float) else 1
