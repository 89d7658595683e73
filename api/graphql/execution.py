"""graphql-core's executor with a short way for fields that are plain attributes, which most fields of a list are."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

Grouped = dict[str, list[FieldDetails]]
Read = Callable[[Any], Any]


class Executor(StrawberryGraphQLCoreExecutionContext):
    """The answer is that of graphql-core: an object with which anything is odd goes the long way as a whole."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, tuple[Grouped, dict[str, Read], Grouped]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        _, plain, others = self._plans.get(id(grouped_field_set)) or self._plan(parent_type, grouped_field_set)
        try:
            values = {name: read(source_value) for name, read in plain.items()}
        except Exception:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not others:
            return values
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if self.is_awaitable(rest):
            return self._joined_later(grouped_field_set, values, rest)
        return _joined(grouped_field_set, values, rest)

    def _plan(self, parent_type: GraphQLObjectType, grouped: Grouped) -> tuple[Grouped, dict[str, Read], Grouped]:
        """Kept with the field set itself, whose id could be another's once it is gone."""
        reads = {name: _read(parent_type.fields.get(details[0].node.name.value)) for name, details in grouped.items()}
        plain = {name: read for name, read in reads.items() if read is not None}
        others = {name: details for name, details in grouped.items() if name not in plain}
        plan = (grouped, plain, others)
        self._plans[id(grouped)] = plan
        return plan

    async def _joined_later(self, order: Grouped, values: dict[str, Any], rest: Any) -> dict[str, Any]:
        return _joined(order, values, await rest)


def _joined(order: Grouped, values: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    rest.update(values)
    return {name: rest[name] for name in order if name in rest}


def _read(known: GraphQLField | None) -> Read | None:
    """How to read a field that is a plain attribute with a scalar, an enum or a list of them; None for any other."""
    definition = known.extensions.get("strawberry-definition") if known else None
    if known is None or not isinstance(definition, StrawberryField) or not definition.is_basic_field:
        return None
    complete = _completion(known.type)
    if complete is None:
        return None
    return _reader(definition.python_name, complete)


def _reader(attribute: str, complete: Read) -> Read:
    return lambda source: complete(getattr(source, attribute))


def _completion(of_type: Any) -> Read | None:
    """How to complete a leaf, or a list of leaves; it raises on what graphql-core would report."""
    if isinstance(of_type, GraphQLNonNull):
        inner = _completion(of_type.of_type)
        return _required(inner) if inner else None
    if isinstance(of_type, GraphQLList):
        inner = _completion(of_type.of_type)
        return _each(inner) if inner else None
    if isinstance(of_type, GraphQLScalarType | GraphQLEnumType):
        return _leaf(of_type.coerce_output_value)
    return None


def _required(complete: Read) -> Read:
    def required(value: Any) -> Any:
        completed = complete(value)
        if completed is None:
            raise ValueError
        return completed

    return required


def _each(complete: Read) -> Read:
    return lambda values: None if values is None else [complete(value) for value in values]


def _leaf(serialize: Read) -> Read:
    return lambda value: None if value is None else serialize(value)
