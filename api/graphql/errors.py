"""Top-level errors as callers may see them: with a code, without a value that was sent, the unforeseen masked."""

import logging
import re
import traceback
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError, StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from api import request_ids
from api.graphql.scalars import BadValue
from domain.errors import DomainError, Forbidden

REPORTED = 5

_LOG = logging.getLogger("portunus.graphql")

_INPUT = re.compile(
    r"((?:Variable '\$\w+'|Argument '\w+') has invalid (?:default )?value(?: at [\w.\[\]]+)?): (.*)", re.DOTALL
)
_REASON = re.compile(
    r"(?:Expected (?:a )?value of (?:non-null )?type '[\w!\[\]]+'"
    r"(?: to be an object| to be provided| not to be None| (?:not )?to include (?:unknown|required) field '\w+')?"
    r"|(?:Int|Float|String|Boolean|ID) cannot represent [a-zA-Z0-9 -]+ value"
    r"|Enum '\w+' cannot represent non-(?:enum|string) value"
    r"|Within OneOf Input Object type '\w+', exactly one field must be specified"
    r"|Expected variable '\$\w+' provided to (?:non-null )?(?:type '[\w!\[\]]+'|field '\w+'))"
)

_UNDETERMINED: dict[type, str] = {
    CannotGetOperationTypeError: "The document has no operation of this name.",
    InvalidOperationTypeError: "This kind of operation is not served this way.",
    MissingQueryError: "Send a GraphQL document as `query`.",
}


class Refused(GraphQLError):
    """An operation that is refused before it runs, for a reason that repeats nothing of it."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message, extensions={"code": code, **more})


def present(errors: Sequence[GraphQLError]) -> list[GraphQLError]:
    """The first five errors, each fit to be seen."""
    return [_presented(error) for error in errors[:REPORTED]]


def quiet(message: str) -> str:
    """What may be said of a value that does not fit, from graphql-core's words, which end in the value itself."""
    found = _REASON.match(message)
    return f"{found.group()}." if found else "The value does not fit its type."


def _presented(error: GraphQLError) -> GraphQLError:
    cause = error.original_error
    if "code" in (error.extensions or {}):
        return error
    if isinstance(cause, DomainError):
        needs = {"needs": str(cause.needs)} if isinstance(cause, Forbidden) else {}
        return like(error, cause.message, code=cause.code, **needs)
    if isinstance(error, GraphQLSyntaxError):
        return like(error, re.split("['\"]", error.message)[0].strip(), code="GRAPHQL_PARSE_FAILED")
    said = _UNDETERMINED.get(type(cause)) or _said_of_input(error)
    if said is not None:
        return like(error, said, code="BAD_USER_INPUT")
    return _masked(error, cause or error)


def _said_of_input(error: GraphQLError) -> str | None:
    if isinstance(error, StrawberryInputCoercionError):
        return error.message
    cause = error.original_error
    found = _INPUT.match(error.message)
    if found is None or not (cause is None or isinstance(cause, GraphQLError)):
        return None
    reason = cause.message if isinstance(cause, BadValue) else quiet(found.group(2))
    return f"{found.group(1)}: {reason}"


def _masked(error: GraphQLError, cause: BaseException) -> GraphQLError:
    correlation = request_ids.current()
    frames = traceback.extract_tb(cause.__traceback__)
    at = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    _LOG.error("unforeseen %s at %s, correlation id %s", type(cause).__qualname__, at, correlation)
    message = "Something unforeseen happened; tell the operator the correlation id."
    return like(error, message, code="INTERNAL_SERVER_ERROR", correlationId=correlation)


def like(error: GraphQLError, message: str, **extensions: Any) -> GraphQLError:
    """The same place in document and answer, with other words."""
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=extensions)
