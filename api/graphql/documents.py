"""Parsing, checking and measuring documents, each at most once: the last 128 are remembered."""

from collections.abc import Mapping, Sequence
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
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.graphql.errors import REPORTED, Refused, like, quiet
from api.graphql.limits import Ruler, Size, excess
from api.graphql.needs import Needs, needs_of
from api.graphql.scalars import BadValue
from api.graphql.tally import Branch, Surveyor
from api.graphql.texts import KeptTexts
from domain.model.access import Actor

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
    KeptTexts,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parses: its faults, if any, and the size of its largest operation.

    `flexible` is true when that size depends on the variables. `needs` has the mutations of a faultless one by name,
    `branches` where each operation's answer has lists.
    """

    document: DocumentNode
    faults: tuple[GraphQLError, ...]
    size: Size
    flexible: bool
    operations: tuple[OperationDefinitionNode, ...]
    needs: Mapping[str | None, Needs]
    branches: Mapping[str | None, tuple[Branch, ...]]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of this name, if there is one; without a name, the first."""
        return next((o for o in self.operations if name is None or (o.name and o.name.value == name)), None)

    def lacks(
        self, operation: OperationDefinitionNode, actor: Actor | None, variables: Mapping[str, Any]
    ) -> Sequence[GraphQLError]:
        """Why the actor must not run a mutation: its fields declare scopes that the actor does not have."""
        needs = self.needs.get(operation.name.value if operation.name else None)
        return needs.lacked_by(actor, variables) if needs and actor else ()


def name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


class Library:
    """The documents of one schema, prepared."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True) -> None:
        self.schema = schema
        self.introspection = introspection
        self.prepare = lru_cache(REMEMBERED)(self._prepare)

    def size(self, prepared: Prepared, variables: Mapping[str, Any]) -> Size:
        """How large the document is with these variables."""
        return Ruler(self.schema, prepared.document, variables).largest() if prepared.flexible else prepared.size

    def refusals(self, prepared: Prepared, size: Size, name: str | None) -> tuple[GraphQLError, ...]:
        """Why the operation `name` must not run; `size` is the document's with its variables."""
        exceeded = excess(size)
        if exceeded:
            return (Refused("QUERY_TOO_COMPLEX", f"The operation has {exceeded}; ask for less at a time."),)
        if prepared.faults:
            return prepared.faults
        if len(prepared.operations) > 1 and name is None:
            return (Refused("BAD_USER_INPUT", "The document has several operations: name one as `operationName`."),)
        if size.introspects and not self.introspection:
            return (Refused("FORBIDDEN", "This installation does not show its schema; see its schema.graphql."),)
        return ()

    def _prepare(self, text: str) -> Prepared:
        """A GraphQLSyntaxError is raised, and not remembered. What is too large is not validated as well."""
        document = parse(text, max_tokens=TOKENS)
        ruler = Ruler(self.schema, document, {})
        size = ruler.largest()
        huge = excess(replace(size, cost=0)) is not None
        faults = () if huge else self._faults(document)
        operations = tuple(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        if huge or faults:
            return Prepared(document, faults, size, ruler.flexible, operations, {}, {})
        needs, branches = needs_of(self.schema, document), self._branches(document, operations)
        return Prepared(document, faults, size, ruler.flexible, operations, needs, branches)

    def _branches(
        self, document: DocumentNode, operations: tuple[OperationDefinitionNode, ...]
    ) -> dict[str | None, tuple[Branch, ...]]:
        surveyor = Surveyor(self.schema, document)
        return {name_of(o): surveyor.branches(o) for o in operations}

    def _faults(self, document: DocumentNode) -> tuple[GraphQLError, ...]:
        found = validate(self.schema, document, RULES, max_errors=REPORTED, hide_suggestions=True)
        return tuple(like(e, e.message, **{"code": "GRAPHQL_VALIDATION_FAILED", **(e.extensions or {})}) for e in found)
