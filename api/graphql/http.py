"""What GraphQL over HTTP demands of requests: their method, media types and form, each refusal with its status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Message, Receive

from api.graphql.sse import EVENTS

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"

DOCUMENT_LIMIT = 64 * 1024


@dataclass(eq=False)
class Unserved(Exception):
    """A request that is refused before GraphQL sees it."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client takes: the media type of a single answer, if any, and whether it takes a stream of events."""

    answer: str | None
    events: bool


_ANSWERS = {GRAPHQL: GRAPHQL, JSON: JSON, "application/*": JSON, "*/*": JSON}


@lru_cache(128)
def accepted(header: str | None) -> Accepted:
    """What an Accept header says; without one, JSON is taken. Unserved(406) when nothing of it can be given."""
    ranges = by_preference(header or "*/*")
    answer = next((_ANSWERS[r] for r in ranges if r in _ANSWERS), None)
    if answer is None and EVENTS not in ranges:
        raise Unserved(406, "NOT_ACCEPTABLE", f"Accept {GRAPHQL}, {JSON} or {EVENTS}.")
    return Accepted(answer, EVENTS in ranges)


@dataclass(frozen=True, slots=True)
class Parameters:
    """A well-formed GraphQL request."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None


async def parameters(request: Request) -> Parameters:
    """What a GET or POST asks for; Unserved says what is wrong with its form."""
    return checked(_from_query(request) if request.method == "GET" else await _from_body(request))


def checked(sent: Any) -> Parameters:
    """The parameters of a decoded message, each of the right type; Unserved(400 or 413) otherwise."""
    if not isinstance(sent, dict):
        raise malformed("The body must be a JSON object.")
    query = sent.get("query")
    if not isinstance(query, str) or not query:
        raise malformed("Send a GraphQL document as `query`, a string.")
    if len(query) > DOCUMENT_LIMIT or len(query.encode(errors="surrogatepass")) > DOCUMENT_LIMIT:
        raise Unserved(413, "DOCUMENT_TOO_LARGE", f"The document is larger than {DOCUMENT_LIMIT} bytes; use variables.")
    name = sent.get("operationName")
    if not isinstance(name, str | None):
        raise malformed("`operationName` must be a string or null.")
    for part in ("variables", "extensions"):
        if not isinstance(sent.get(part), dict | None):
            raise malformed(f"`{part}` must be an object or null.")
    return Parameters(query, sent.get("variables"), name, sent.get("extensions"))


def malformed(message: str) -> Unserved:
    return Unserved(400, "BAD_REQUEST", message)


def decoded(text: str | bytes) -> Any:
    """The JSON value; Unserved(400) for what is not JSON. The text is not repeated."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise malformed("This is not valid JSON.") from None


def limited(receive: Receive, limit: int) -> Receive:
    """Receives a request whose body may have `limit` bytes; Unserved(413) when it has more."""
    received = 0

    async def receive_within_limit() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise Unserved(413, "BODY_TOO_LARGE", f"The body is larger than {limit} bytes.")
        return message

    return receive_within_limit


def _from_query(request: Request) -> dict[str, Any]:
    return {
        name: decoded(str(value)) if name in ("variables", "extensions") else value
        for name, value in request.query_params.items()
    }


async def _from_body(request: Request) -> Any:
    """Only JSON is taken, exactly: the media types that a foreign page can send unasked are not."""
    content_type, _, parameter = request.headers.get("content-type", "").partition(";")
    charset = parameter.replace(" ", "").replace('"', "").lower()
    if content_type.strip().lower() != JSON or charset not in ("", "charset=utf-8"):
        raise Unserved(415, "UNSUPPORTED_MEDIA_TYPE", f"Send the request as {JSON} in UTF-8.")
    return decoded(await request.body())


def by_preference(header: str) -> list[str]:
    """The ranges of an Accept header of any kind, in lower case, without those that are refused (RFC 9110 §12.4.2)."""
    weighed = [(_quality(entry), entry.partition(";")[0].strip().lower()) for entry in header.split(",")]
    return [media for quality, media in sorted(weighed, key=lambda each: -each[0]) if quality > 0]


def _quality(entry: str) -> float:
    """The q of a range; 1 without one, 0 for a malformed one."""
    for parameter in entry.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1
