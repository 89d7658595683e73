"""Scopes in the schema: the directives that declare what a field needs, and the refusal of a schema that lacks one."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from domain.model.access import Scope


@strawberry.schema_directive(
    name="needs",
    locations=[Location.FIELD_DEFINITION],
    description="Only a token with this scope may ask for it.",
)
class Needs:
    scope: str = strawberry.field(description="The scope, as tokens carry it.")


@strawberry.schema_directive(
    name="authenticated",
    locations=[Location.FIELD_DEFINITION],
    description="Any valid token may ask for it; what it leads to may need a scope.",
)
class Authenticated:
    pass


class UndeclaredScope(Exception):
    """A field that must say what it needs, and does not."""


def scope_of(field: GraphQLField) -> Scope | None:
    """The scope that a field declares; None when it declares none."""
    return next((Scope(each.scope) for each in _directives(field) if isinstance(each, Needs)), None)


def check_declared(schema: GraphQLSchema) -> None:
    """UndeclaredScope names each field that must declare what it needs and does not."""
    missing = [name for name, field in _declaring(schema) if not _is_declared(field)]
    if missing:
        raise UndeclaredScope(f"say with `needs` or `authenticated` who may ask for {', '.join(missing)}")


def _declaring(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    """Root fields, and every other field that can reach a use case."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                if kind in roots or _reaches_further(field):
                    yield f"{kind.name}.{name}", field


def _reaches_further(field: GraphQLField) -> bool:
    """Whether it may show more than the object it is on holds: it waits for something, or takes the request."""
    definition = _definition(field)
    resolver = definition.base_resolver if definition else None
    return resolver is not None and (resolver.is_async or resolver.info_parameter is not None)


def _is_declared(field: GraphQLField) -> bool:
    return any(isinstance(each, Needs | Authenticated) for each in _directives(field))


def _directives(field: GraphQLField) -> list[object]:
    definition = _definition(field)
    return list(definition.directives) if definition else []


def _definition(field: GraphQLField) -> StrawberryField | None:
    found = field.extensions.get("strawberry-definition")
    return found if isinstance(found, StrawberryField) else None
