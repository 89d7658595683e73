"""A form that a client sends, read strictly (RFC 6749, sections 2.3.1 and 3.2), and who it says it is from."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from starlette.requests import ClientDisconnect, Request

LIMIT = 16 * 1_024
"""Bytes of a body."""

BASIC, POST, SIGNED, NONE = "client_secret_basic", "client_secret_post", "private_key_jwt", "none"
"""How a client can prove itself (RFC 7591, section 2)."""

_FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """The request cannot be read: an OAuth error code, its description, and the HTTP status."""

    def __init__(self, description: str, status: int = 400, error: str = "invalid_request") -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent. `authorization` is empty unless it is readable HTTP Basic; so is the id of a client not named.

    `method` is the one way in which the client means to prove itself; nothing of it is proved yet.
    """

    form: Mapping[str, str] = field(repr=False)
    authorization: str = field(repr=False)
    client_id: str
    method: str

    def required(self, name: str) -> str:
        """Refused when it is missing or empty."""
        value = self.form.get(name)
        if not value:
            raise Refused(f"{name} is missing.")
        return value


async def sent_in(request: Request) -> Sent:
    """Refused for what is no form, is too long, or authenticates in two ways."""
    form = _parameters(await _body(request))
    headers = request.headers.getlist("authorization")
    ways = len(headers) + ("client_secret" in form) + ("client_assertion" in form)
    if ways > 1:
        raise Refused("Authenticate in one way only.")
    if "client_assertion" in form:
        return Sent(form, "", form.get("client_id") or _subject(form["client_assertion"]), SIGNED)
    if not headers:
        return Sent(form, "", form.get("client_id", ""), POST if "client_secret" in form else NONE)
    user = _basic_user(headers[0])
    if user is None:
        return Sent(form, "", form.get("client_id", ""), BASIC)
    if form.get("client_id", user) != user:
        raise Refused("The form names another client than the Authorization header.")
    return Sent(form, headers[0], user, BASIC)


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
    if sum(name == "resource" for name, _ in pairs) > 1:
        raise Refused("Name one resource; a token is for one alone.", error="invalid_target")
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Refused("A parameter is given more than once.")
    return form


def _basic_user(header: str) -> str | None:
    """None for another scheme than Basic, and for what is not base64 of UTF-8."""
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    return unquote(pair.partition(":")[0]) if scheme.lower() == "basic" else None


def _subject(assertion: str) -> str:
    """Whom a signed proof is about, before anything of it is believed; empty when it cannot be read."""
    payload = assertion.split(".")[1:2]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload[0] + "==")) if payload else {}
    except (ValueError, RecursionError):
        return ""
    told = claims.get("sub") if isinstance(claims, dict) else None
    return told if isinstance(told, str) else ""
