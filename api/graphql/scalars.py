"""Scalars of the schema, none of which repeats a value that it cannot take."""

import re
from base64 import b64encode
from decimal import Decimal
from typing import Any, NewType, NoReturn

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from starlette.datastructures import UploadFile
from strawberry.types.scalar import ScalarDefinition

from api.graphql.texts import REASON, is_kept
from api.graphql.uploads import Upload
from domain.model.secret import Secret

JSON = NewType("JSON", object)
BigInt = NewType("BigInt", int)
Vector = NewType("Vector", tuple[float, ...])
Base64 = NewType("Base64", bytes)

_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_JSON_DEPTH = 64
_JSON_DEFINED = "https://www.rfc-editor.org/rfc/rfc8259"


class BadValue(GraphQLError):
    """A value that a scalar refuses; the message never contains it."""


def _secret(value: Any) -> Secret:
    if not isinstance(value, str):
        raise BadValue("A Secret must be a string.")
    if not is_kept(value):
        raise BadValue(REASON)
    return Secret(value)


def _secret_literal(_node: ValueNode, _variables: Any = None) -> NoReturn:
    raise BadValue("Send a Secret as a variable, not inside the document.")


def _never_shown(_value: Any) -> NoReturn:
    raise BadValue("A Secret is never an output.")


def _big_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise BadValue("A BigInt must be a whole number of at most 63 bits.")
    return value


def _json(value: Any) -> Any:
    """The value as it came; its nesting is bounded because whoever renders it recurses."""
    layer = [value]
    for _ in range(_JSON_DEPTH):
        layer = [inner for outer in layer for inner in _children(outer)]
        if not layer:
            return value
    raise BadValue(f"JSON must not be nested more than {_JSON_DEPTH} levels deep.")


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return _json(value_from_ast_untyped(node, variables))


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unchanged(value: Any) -> Any:
    return value


def _output_only(_value: Any) -> NoReturn:
    raise BadValue("This scalar is never an input.")


def _decimal(value: Any) -> Decimal:
    """From a string, so that it is exact; up to 18 digits on either side of the point."""
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise BadValue('A Decimal must be a string such as "0.15", not below zero.')
    return Decimal(value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _upload(value: Any) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise BadValue("Send an Upload as a file of a multipart request, and null in its place.")
    return value


def _upload_literal(_node: ValueNode, _variables: Any = None) -> NoReturn:
    raise BadValue("Send an Upload as a variable, not inside the document.")


SCALARS: dict[object, ScalarDefinition] = {
    Secret: strawberry.scalar(
        name="Secret",
        description="A key or password that goes in and never comes out. It must be sent as a variable.",
        serialize=_never_shown,
        parse_value=_secret,
        parse_literal=_secret_literal,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description=f"Any JSON value, nested at most {_JSON_DEPTH} levels deep.",
        specified_by_url=_JSON_DEFINED,
        serialize=_unchanged,
        parse_value=_json,
        parse_literal=_json_literal,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number that may need more than 32 bits, as a JSON number.",
        serialize=_big_int,
        parse_value=_big_int,
    ),
    Vector: strawberry.scalar(
        name="Vector",
        description="An embedding: a list of floats, given as one value.",
        serialize=_unchanged,
        parse_value=_output_only,
    ),
    Base64: strawberry.scalar(
        name="Base64",
        description="Bytes in base64.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc4648#section-4",
        serialize=_base64,
        parse_value=_output_only,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file that comes with a multipart request.",
        specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
        serialize=_output_only,
        parse_value=_upload,
        parse_literal=_upload_literal,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number as a string, such as an amount of money.",
        serialize="{:f}".format,
        parse_value=_decimal,
    ),
}
