"""Parsing, checking and measuring documents, each at most once: the last 128 are remembered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.graphql import OperationType

from api.graphql.errors import REPORTED, Refused, like, quiet
from api.graphql.limits import Ruler, Size, excess
from api.graphql.scalars import BadValue

REMEMBERED = 128
TOKENS = 1_000


class QuietValues(ValuesOfCorrectTypeRule):
    """The standard rule on literals, without the literals in its messages."""

    def report_error(self, error: GraphQLError) -> None:
        said = error.message if isinstance(error, BadValue) else quiet(error.message)
        super().report_error(GraphQLError(said, error.nodes))


RULES = (
    *(QuietValues if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules),
    OneOfInputValidationRule,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parses: its faults, if any, and the size of its largest operation.

    `flexible` is true when that size depends on the variables.
    """

    document: DocumentNode
    faults: tuple[GraphQLError, ...]
    size: Size
    flexible: bool
    operations: int


class Library:
    """The documents of one schema, prepared."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.prepare = lru_cache(REMEMBERED)(self._prepare)

    def size(self, prepared: Prepared, variables: Mapping[str, Any]) -> Size:
        """How large the document is with these variables."""
        return Ruler(self.schema, prepared.document, variables).largest() if prepared.flexible else prepared.size

    def _prepare(self, text: str) -> Prepared:
        """A GraphQLSyntaxError is raised, and not remembered. What is too large is not validated as well."""
        document = parse(text, max_tokens=TOKENS)
        ruler = Ruler(self.schema, document, {})
        size = ruler.largest()
        faults = () if excess(replace(size, cost=0)) else self._faults(document)
        operations = sum(isinstance(d, OperationDefinitionNode) for d in document.definitions)
        return Prepared(document, faults, size, ruler.flexible, operations)

    def _faults(self, document: DocumentNode) -> tuple[GraphQLError, ...]:
        found = validate(self.schema, document, RULES, max_errors=REPORTED, hide_suggestions=True)
        return tuple(like(error, error.message, code="GRAPHQL_VALIDATION_FAILED") for error in found)


class Documents(SchemaExtension):
    """Puts the prepared document of a request in place of parsing and validation."""

    def __init__(self, library: Library, *, introspection: bool) -> None:
        super().__init__()
        self.library = library
        self.introspection = introspection
        self.prepared: Prepared | None = None
        self.cost: int | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = TOKENS
        try:
            self.prepared = self.library.prepare(context.query or "")
            context.graphql_document = self.prepared.document
        except GraphQLError:
            self.prepared = None  # strawberry parses again and reports it
        yield

    def on_validate(self) -> Iterator[None]:
        if self.prepared is not None:
            self.execution_context.pre_execution_errors = list(self._refusals(self.prepared))
        yield

    def get_results(self) -> dict[str, Any]:
        return {} if self.cost is None else {"cost": {"requested": self.cost}}

    def _refusals(self, prepared: Prepared) -> Iterator[GraphQLError]:
        context = self.execution_context
        size = self.library.size(prepared, context.variables or {})
        if context.operation_type is not OperationType.SUBSCRIPTION:
            self.cost = size.cost
        exceeded = excess(size)
        if exceeded:
            yield Refused("QUERY_TOO_COMPLEX", f"The operation has {exceeded}; ask for less at a time.")
        elif prepared.faults:
            yield from prepared.faults
        elif prepared.operations > 1 and context._provided_operation_name is None:
            yield Refused("BAD_USER_INPUT", "The document has several operations: name one as `operationName`.")
        elif size.introspects and not self.introspection:
            yield Refused("FORBIDDEN", "This installation does not show its schema; see its schema.graphql.")
