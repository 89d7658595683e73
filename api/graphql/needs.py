"""Which scopes a mutation needs, by what its fields declare: found once for each document, asked before it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from api.graphql.scopes import scope_of
from domain.errors import Forbidden
from domain.model.access import Actor, Scope


@dataclass(frozen=True, slots=True)
class Need:
    """A scope, and what variables must be for the field that needs it to be asked for (`@include` and `@skip`)."""

    scope: Scope
    conditions: frozenset[tuple[str, bool]] = frozenset()

    def applies(self, variables: Mapping[str, Any]) -> bool:
        return all(variables.get(name) is wanted for name, wanted in self.conditions)


@dataclass(frozen=True, slots=True)
class Needs:
    """All that one operation needs; `defaults` are those of its variables."""

    all: frozenset[Need]
    defaults: Mapping[str, bool]

    def lacked_by(self, actor: Actor, variables: Mapping[str, Any]) -> list[GraphQLError]:
        """An error for each scope that it needs with these variables and the actor does not have."""
        given = {**self.defaults, **variables}
        needed = sorted({need.scope for need in self.all if need.applies(given)})
        return [error for scope in needed if (error := _lack(actor, scope))]


def needs_of(schema: GraphQLSchema, document: DocumentNode) -> Mapping[str | None, Needs]:
    """What each mutation of a valid document needs, by its name."""
    reader = _Reader(schema, {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)})
    return {
        operation.name.value if operation.name else None: Needs(
            reader.selections(operation.selection_set, schema.mutation_type), dict(_defaults(operation))
        )
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode) and operation.operation is OperationType.MUTATION
    }


def _lack(actor: Actor, scope: Scope) -> GraphQLError | None:
    try:
        actor.require(scope)
    except Forbidden as refusal:
        return GraphQLError("", original_error=refusal)
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    _known: dict[str, frozenset[Need]] = field(default_factory=dict)

    def selections(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> frozenset[Need]:
        found = set[Need]()
        for selection in selections.selections if selections else ():
            conditions = _conditions(selection)
            if conditions is not None:
                found |= {replace(n, conditions=n.conditions | conditions) for n in self._selection(selection, parent)}
        return frozenset(found)

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> frozenset[Need]:
        match selection:
            case FieldNode():
                return self._field(selection, parent)
            case InlineFragmentNode(type_condition=condition):
                on = self.schema.get_type(condition.name.value) if condition else parent
                return self.selections(selection.selection_set, on)
            case FragmentSpreadNode(name=name):
                return self._fragment(name.value)
        return frozenset()

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> frozenset[Need]:
        known = getattr(parent, "fields", {}).get(node.name.value)
        if known is None:
            return frozenset()
        scope = scope_of(known)
        own = {Need(scope)} if scope else set()
        return self.selections(node.selection_set, get_named_type(known.type)) | own

    def _fragment(self, name: str) -> frozenset[Need]:
        """Read once, however often it is spread."""
        if name not in self._known:
            fragment = self.fragments[name]
            on = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name] = self.selections(fragment.selection_set, on)
        return self._known[name]


def _conditions(selection: SelectionNode) -> frozenset[tuple[str, bool]] | None:
    """What variables must be for a selection to be asked for; None when it never is."""
    found = set[tuple[str, bool]]()
    for directive in selection.directives or ():
        if directive.name.value in ("include", "skip"):
            wanted = directive.name.value == "include"
            match _condition(directive):
                case VariableNode(name=name):
                    found.add((name.value, wanted))
                case BooleanValueNode(value=value) if value is not wanted:
                    return None
    return frozenset(found)


def _condition(directive: DirectiveNode) -> object:
    return next((argument.value for argument in directive.arguments or () if argument.name.value == "if"), None)


def _defaults(operation: OperationDefinitionNode) -> Iterator[tuple[str, bool]]:
    for variable in operation.variable_definitions or ():
        if isinstance(variable.default_value, BooleanValueNode):
            yield variable.variable.name.value, variable.default_value.value
