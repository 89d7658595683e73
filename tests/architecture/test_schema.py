"""What must hold of the schema as a whole: it is printed, described, paged, and gives no secret away."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_ast_schema,
    get_directive_values,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
)

from api.graphql.print_schema import printed_schema
from api.graphql.problems import SHOWN
from api.graphql.schema import build_schema
from domain import errors
from domain.model.access import Scope

SCHEMA = build_schema()._schema
PRINTED = build_ast_schema(parse(printed_schema()))
NAMED = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
OBJECTS = {n: t for n, t in NAMED.items() if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)}
BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}


def fields(*kinds: Any) -> list[Any]:
    return [
        pytest.param(field, id=f"{name}.{key}")
        for name, kind in NAMED.items()
        if isinstance(kind, kinds)
        for key, field in kind.fields.items()
    ]


def test_the_printed_schema_is_the_one_in_the_repository() -> None:
    committed = Path(__file__).parents[2] / "schema.graphql"
    assert committed.read_text(encoding="utf-8") == printed_schema(), "run `make schema`"


@pytest.mark.parametrize("name", sorted(set(NAMED) - BUILT_IN))
def test_every_type_is_described(name: str) -> None:
    assert NAMED[name].description


@pytest.mark.parametrize("field", fields(GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType))
def test_every_field_and_argument_is_described(field: Any) -> None:
    assert field.description
    for argument in getattr(field, "args", {}).values():
        assert argument.description


@pytest.mark.parametrize("name", [n for n, t in NAMED.items() if isinstance(t, GraphQLEnumType)])
def test_every_value_of_an_enumeration_is_described(name: str) -> None:
    kind = NAMED[name]
    assert isinstance(kind, GraphQLEnumType)
    assert all(value.description for value in kind.values.values())


def test_no_output_is_a_secret() -> None:
    outputs = {get_named_type(field.type).name for kind in OBJECTS.values() for field in kind.fields.values()}
    assert "Secret" in NAMED
    assert "Secret" not in outputs


def test_every_mutation_takes_one_input_and_gives_a_union_of_its_payload_and_problems() -> None:
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        verb = name[0].upper() + name[1:]
        assert list(field.args) == ["input"]
        assert str(field.args["input"].type) == f"{verb}Input!"
        assert str(field.type) == f"{verb}Result!"
        result = get_named_type(field.type)
        assert isinstance(result, GraphQLUnionType)
        payload, *problems = result.types
        assert payload.name == f"{verb}Payload"
        assert all("Problem" in {i.name for i in problem.interfaces} for problem in problems)


def test_every_root_field_is_printed_with_the_scope_that_it_needs() -> None:
    for root in (PRINTED.query_type, PRINTED.mutation_type, PRINTED.subscription_type):
        assert root is not None
        assert {name for name, field in root.fields.items() if not needed(field)} <= {"viewer", "node", "nodes"}


def test_a_printed_scope_is_one_that_tokens_carry_and_the_description_names_it_too() -> None:
    for kind in PRINTED.type_map.values():
        for field in kind.fields.values() if isinstance(kind, GraphQLObjectType) else ():
            scope = needed(field)
            assert scope is None or scope in set(Scope)
            assert ("Needs `" in (field.description or "")) is (scope is not None)
            assert scope is None or f"Needs `{scope}`." in (field.description or "")


def needed(field: GraphQLField) -> str | None:
    """The scope of a printed field's `@needs`."""
    directive = PRINTED.get_directive("needs")
    assert directive is not None
    found = get_directive_values(directive, field.ast_node) if field.ast_node else None
    return found["scope"] if found else None


def test_every_connection_is_paged_by_first_and_after() -> None:
    every = [field for kind in OBJECTS.values() for field in kind.fields.values()]
    paged = [field for field in every if get_named_type(field.type).name.endswith("Connection")]
    assert len(paged) >= 5
    for field in paged:
        assert is_non_null_type(field.type)
        assert {"first", "after"} <= set(field.args)
        assert field.args["first"].default_value == 50


def test_lists_hold_no_nulls_but_where_an_id_is_unknown() -> None:
    nullable = {
        f"{name}.{key}"
        for name, kind in OBJECTS.items()
        for key, field in kind.fields.items()
        if is_list_type(getattr(field.type, "of_type", field.type))
        and not is_non_null_type(getattr(field.type, "of_type", field.type).of_type)
    }
    assert nullable == {"Query.nodes"}


def test_every_refusal_of_the_domain_is_a_problem_or_a_top_level_error() -> None:
    def leaves(kind: type[errors.DomainError]) -> set[type[errors.DomainError]]:
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*(leaves(each) for each in below))

    told = leaves(errors.DomainError) - leaves(errors.OnPages)
    assert told - set(SHOWN) == {errors.Unauthenticated, errors.Forbidden}


def test_a_special_refusal_comes_before_the_general_one() -> None:
    order = list(SHOWN)
    for at, general in enumerate(order):
        assert not any(issubclass(special, general) for special in order[at + 1 :])
