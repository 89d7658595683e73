"""The form of a token request, read strictly (RFC 6749, section 3.2)."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

LIMIT = 16 * 1_024


class Refused(Exception):
    """The request cannot be read: an OAuth error code, its description, and the HTTP status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


async def form_of(request: Request) -> dict[str, str]:
    """Its parameters, each once; empty ones are kept, since an empty scope is not an absent one."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refused("invalid_request", "The body must be application/x-www-form-urlencoded.", 415)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT:
            raise Refused("invalid_request", f"The body is longer than {LIMIT} bytes.", 413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise Refused("invalid_request", "The body is not a form in UTF-8.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Refused("invalid_request", "A parameter is given more than once.")
    if not form.get("grant_type"):
        raise Refused("invalid_request", "grant_type is missing.")
    return form


def named_client(headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """The id of the client that the request names, by HTTP Basic or in the form; empty when it names none."""
    header = headers.get("authorization")
    if header is None:
        return form.get("client_id", "")
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Refused("invalid_request", "Authenticate with HTTP Basic, or with client_id and client_secret.")
    if "client_secret" in form:
        raise Refused("invalid_request", "Authenticate in one way only.")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("invalid_request", "The Authorization header is not base64 of UTF-8 text.") from None
    return unquote_plus(pair.partition(":")[0])
