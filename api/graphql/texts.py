"""Texts that no database keeps: refused before anything runs, except where only a model reads them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    ArgumentNode,
    GraphQLError,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    ValidationRule,
    VariableDefinitionNode,
    get_nullable_type,
    type_from_ast,
    value_from_ast_untyped,
)

CONTENT = {"content": True}
"""The metadata of an input field that is content for a model and never stored: any text that JSON can carry."""

REASON = "A text must have no U+0000 and no lone surrogate."
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


def is_kept(text: str) -> bool:
    """Whether a database takes a text as it is."""
    return _UNKEPT.search(text) is None


def unkept_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Sequence[GraphQLError]:
    """An error for each variable with such a text."""
    errors = []
    for declared in operation.variable_definitions or ():
        name = declared.variable.name.value
        path = _unkept(type_from_ast(schema, declared.type), variables[name]) if name in variables else None
        if path is not None:
            at = f" at {path}" if path else ""
            errors.append(_error(f"Variable '${name}' has invalid value{at}: {REASON}", declared))
    return errors


class KeptTexts(ValidationRule):
    """The same for what is written into the document, defaults of variables included."""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        known = self.context.get_argument()
        value = value_from_ast_untyped(node.value, {})
        if known is not None and _unkept(known.type, value) is not None:
            self.report_error(_error(f"Argument '{node.name.value}' has invalid value: {REASON}", node))

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        default = value_from_ast_untyped(node.default_value, {}) if node.default_value else None
        if _unkept(type_from_ast(self.context.schema, node.type), default) is not None:
            name = node.variable.name.value
            self.report_error(_error(f"Variable '${name}' has invalid default value: {REASON}", node))


def _error(message: str, node: Any) -> GraphQLError:
    return GraphQLError(message, node, extensions={"code": "BAD_USER_INPUT"})


def _unkept(kind: Any, value: Any) -> str | None:
    """The path to the first such text in a value, empty for the value itself; None when there is none."""
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        within = value if isinstance(value, list) else [value]
        return _first((f"[{at}]", _unkept(kind.of_type, inner)) for at, inner in enumerate(within))
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        fields = ((name, kind.fields.get(name), inner) for name, inner in value.items())
        return _first((f".{n}", _unkept(f.type, inner)) for n, f, inner in fields if f and not _is_content(f))
    if kind in (GraphQLString, GraphQLID) and isinstance(value, str) and not is_kept(value):
        return ""
    return None


def _first(found: Iterable[tuple[str, str | None]]) -> str | None:
    return next((step + path for step, path in found if path is not None), None)


def _is_content(field: GraphQLInputField) -> bool:
    definition = field.extensions.get("strawberry-definition")
    return bool(getattr(definition, "metadata", {}).get("content"))
