"""graphql-core's executor with a short way for what is plain: attributes, pure methods, and objects made of nothing
else, which is most of any list."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

Details = list[FieldDetails]
Grouped = dict[str, Details]
Read = Callable[[Any], Any]


_ROOT = 0


class Plan(NamedTuple):
    """How to answer a field set: `plain` is read from the source, `others` go graphql-core's way.

    `fields` is the set itself, kept because plans are found by its id, which could be another's once it is gone. The
    root's is found by `_ROOT`: graphql-core collects that set anew for every event of a subscription.
    """

    fields: Grouped
    plain: dict[str, Read]
    others: Grouped


class Executor(StrawberryGraphQLCoreExecutionContext):
    """The answer is that of graphql-core: where anything is odd, the whole object goes the long way again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, Plan] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        plan = self._plan(parent_type, grouped_field_set, _ROOT if path is None else id(grouped_field_set))
        try:
            values = {name: read(source_value) for name, read in plan.plain.items()}
        except Exception:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not plan.others:
            return values
        rest = super().execute_fields(parent_type, source_value, path, plan.others, position_context)
        if self.is_awaitable(rest):
            return self._joined_later(plan, values, rest)
        return _joined(plan, values, cast(dict[str, Any], rest))

    async def _joined_later(self, plan: Plan, values: dict[str, Any], rest: Any) -> dict[str, Any]:
        return _joined(plan, values, await rest)

    def projection(self) -> Read | None:
        """How to answer an event of a subscription whose only field is plain: the data, or an exception where
        graphql-core would report an error. None for a subscription that needs graphql-core for each event.
        """
        root = self.schema.subscription_type
        assert root is not None
        fields = collect_fields(self.schema, self.fragments, self.variable_values, root, self.operation)
        ((name, details),) = fields.grouped_field_set.items()  # by SingleFieldSubscriptionsRule
        complete = self._completion(root.fields[details[0].node.name.value].type, details)
        return _named(name, complete) if complete else None

    def _plan(self, parent_type: GraphQLObjectType, grouped: Grouped, key: int) -> Plan:
        found = self._plans.get(key)
        if found is None:
            reads = {name: self._read(parent_type, details) for name, details in grouped.items()}
            plain = {name: read for name, read in reads.items() if read is not None}
            others = {name: details for name, details in grouped.items() if name not in plain}
            found = self._plans[key] = Plan(grouped, plain, others)
        return found

    def _read(self, parent_type: GraphQLObjectType, details: Details) -> Read | None:
        """How to answer a field from its source; None for a field that is not plain."""
        name = details[0].node.name.value
        if name == "__typename":
            return lambda _: parent_type.name
        known = parent_type.fields.get(name)
        take = self._taking(known, details[0]) if known else None
        complete = self._completion(known.type, details) if known and take else None
        return _composed(complete, take) if complete and take else None

    def _taking(self, known: GraphQLField, details: FieldDetails) -> Read | None:
        """How to get the value of a field: an attribute, or a method that needs nothing but its arguments."""
        definition = known.extensions.get("strawberry-definition")
        if not isinstance(definition, StrawberryField) or definition.extensions:
            return None
        resolver = definition.base_resolver
        if resolver is None:
            return _attribute(definition.python_name)
        if definition.is_async or resolver.info_parameter is not None or resolver.self_parameter is None:
            return None
        converter = self.schema.extensions["strawberry-definition"].schema_converter
        sent = get_argument_values(known, details.node, self.variable_values, details.fragment_variable_values)
        arguments = convert_arguments(
            sent, definition.arguments, scalar_registry=converter.scalar_registry, config=converter.config
        )
        return _method(cast(Callable[..., Any], resolver.wrapped_func), arguments)

    def _completion(self, of_type: Any, details: Details) -> Read | None:
        """How to complete a value; it raises where graphql-core would report an error. None for what is not plain."""
        required = isinstance(of_type, GraphQLNonNull)
        present = self._present(of_type.of_type if required else of_type, details)
        if present is None:
            return None
        return _required(present) if required else _unless_null(present)

    def _present(self, of_type: Any, details: Details) -> Read | None:
        """How to complete a value that is not null."""
        match of_type:
            case GraphQLList():
                inner = self._completion(of_type.of_type, details)
                return _each(inner) if inner else None
            case GraphQLEnumType():
                return cache(of_type.coerce_output_value)
            case GraphQLScalarType():
                return of_type.coerce_output_value
            case GraphQLObjectType():
                grouped = self.collect_subfields(of_type, details)[0]
                plan = self._plan(of_type, grouped, id(grouped))
                return None if plan.others else _object(plan.plain)
            case GraphQLUnionType():
                return self._member(of_type, details)
        return None

    def _member(self, union: GraphQLUnionType, details: Details) -> Read:
        """How to complete a member of a union, known by its class. It raises for one that is not plain."""
        members = {each.extensions["strawberry-definition"].origin: each for each in union.types}

        reads: dict[type, Read] = {}

        def member(value: Any) -> Any:
            kind = type(value)
            if kind not in reads:
                read = self._present(members[kind], details)
                if read is None:
                    raise LookupError(kind)
                reads[kind] = read
            return reads[kind](value)

        return member


def _joined(plan: Plan, values: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    """Both in the order in which the fields were asked for."""
    every = {**values, **rest}
    return {name: every[name] for name in plan.fields if name in every}


def _composed(complete: Read, take: Read) -> Read:
    return lambda source: complete(take(source))


def _named(name: str, complete: Read) -> Read:
    return lambda value: {name: complete(value)}


def _attribute(name: str) -> Read:
    return lambda source: getattr(source, name)


def _method(function: Callable[..., Any], arguments: dict[str, Any]) -> Read:
    return partial(function, **arguments) if arguments else function


def _object(plain: dict[str, Read]) -> Read:
    return lambda source: {name: read(source) for name, read in plain.items()}


def _each(complete: Read) -> Read:
    return lambda values: [complete(value) for value in values]


def _unless_null(complete: Read) -> Read:
    return lambda value: None if value is None else complete(value)


def _required(complete: Read) -> Read:
    def required(value: Any) -> Any:
        if value is None:
            raise ValueError
        return complete(value)

    return required
