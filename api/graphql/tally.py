"""Counting what an answer holds, by the rules by which limits.py counts what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from api.graphql.limits import is_list_of_objects


@dataclass(frozen=True, slots=True)
class Branch:
    """A field on the way to lists of objects. `each`: its items count one by one, as a page's do; else it counts 1."""

    key: str
    each: bool
    inside: tuple["Branch", ...]

    def cost(self, holder: Mapping[str, Any]) -> int:
        """Of what `holder` has under the key, which is nothing for a field of another type."""
        value = holder.get(self.key)
        if isinstance(value, list):
            own = len(value) if self.each else 1
            return own + sum(branch.cost(item) for branch in self.inside for item in value if item is not None)
        return 0 if value is None else sum(branch.cost(value) for branch in self.inside)


@dataclass(slots=True)
class Surveyor:
    """Finds the branches of the operations of one document, which must be valid and within the limits."""

    schema: GraphQLSchema
    document: DocumentNode
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _known: dict[tuple[str, bool], tuple[Branch, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        definitions = self.document.definitions
        self._fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}

    def branches(self, operation: OperationDefinitionNode) -> tuple[Branch, ...]:
        return self._selections(operation.selection_set, self.schema.get_root_type(operation.operation), False)

    def _selections(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, paged: bool
    ) -> tuple[Branch, ...]:
        """`paged`: of a connection, whose lists are as long as its page."""
        found: list[Branch] = []
        for selection in selections.selections if selections else ():
            match selection:
                case FieldNode():
                    found += self._field(selection, parent, paged)
                case InlineFragmentNode(type_condition=condition):
                    on = self.schema.get_type(condition.name.value) if condition else parent
                    found += self._selections(selection.selection_set, on, paged)
                case FragmentSpreadNode():
                    found += self._fragment(selection.name.value, paged)
        return tuple(found)

    def _fragment(self, name: str, paged: bool) -> tuple[Branch, ...]:
        if (name, paged) not in self._known:
            fragment = self._fragments[name]
            on = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name, paged] = self._selections(fragment.selection_set, on, paged)
        return self._known[name, paged]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, paged: bool) -> tuple[Branch, ...]:
        known = getattr(parent, "fields", {}).get(node.name.value)
        if known is None:  # introspection, which costs nothing
            return ()
        inside = self._selections(node.selection_set, get_named_type(known.type), "first" in known.args)
        if not inside and not is_list_of_objects(known):
            return ()
        return (Branch((node.alias or node.name).value, paged, inside),)
