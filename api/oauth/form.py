"""A token request, read strictly (RFC 6749, sections 2.3.1 and 3.2)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from starlette.requests import ClientDisconnect, Request

LIMIT = 16 * 1_024
"""Bytes of a body."""

_FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """The request cannot be read: an OAuth error code, its description, and the HTTP status."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = "invalid_request"
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """What was sent. `authorization` is empty unless it is readable HTTP Basic; so is the id of a client not named."""

    form: Mapping[str, str]
    authorization: str
    client_id: str


async def asked(request: Request) -> Asked:
    """Refused for what is no form, is too long, or authenticates in two ways."""
    form = _parameters(await _body(request))
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in form):
        raise Refused("Authenticate in one way only.")
    user = _basic_user(headers[0]) if headers else None
    if user is None:
        return Asked(form, "", form.get("client_id", ""))
    if form.get("client_id", user) != user:
        raise Refused("The form names another client than the Authorization header.")
    return Asked(form, headers[0], user)


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused(f"The body must be {_FORM}.", 415)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LIMIT:
                raise Refused(f"The body is longer than {LIMIT} bytes.", 413)
    except ClientDisconnect:
        raise Refused("The body broke off.") from None
    return bytes(body)


def _parameters(body: bytes) -> dict[str, str]:
    """Each parameter once. Empty ones are kept: an empty scope is not an absent one."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Refused("The body is not a form in UTF-8.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Refused("A parameter is given more than once.")
    if not form.get("grant_type"):
        raise Refused("grant_type is missing.")
    return form


def _basic_user(header: str) -> str | None:
    """None for another scheme than Basic, and for what is not base64 of UTF-8."""
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    return unquote(pair.partition(":")[0]) if scheme.lower() == "basic" else None
