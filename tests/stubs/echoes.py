"""A vendor that accepts every key at first, then fails in one way after the other, and tells the key where it can."""

import base64
import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.stubs import asgi
from tests.stubs.asgi import JSON, SSE, Receive, Scope, Send
from tests.stubs.misbehaviour import FAILURES, Failure, refusal
from tests.stubs.vendor import PATHS, Vendor

_LIMIT = 64 * 1024
_UNREADABLE = refusal(422, "unreadable", "this is not what was expected")
_HEADERS = (b"x-api-key", b"x-goog-api-key", b"api-key", b"authorization")


def _told(answer: Callable[[str], tuple[int, bytes, str, dict[str, str]]]) -> Failure:
    """A whole answer, made of the key that came: status, body, media type, headers."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        status, body, media_type, headers = answer(key_of(scope))
        await asgi.whole(send, status, body, media_type, headers)

    return tell


def _refusing(message: Callable[[str], str], status: int = 400) -> Failure:
    def answer(key: str) -> tuple[int, bytes, str, dict[str, str]]:
        body = json.dumps({"error": {"message": message(key), "code": "bad", "type": message(key)}})
        headers = {"x-request-id": quote(key), "www-authenticate": quote(key), "retry-after": "60"}
        return status, body.encode(), JSON, headers

    return _told(answer)


def _streaming(message: Callable[[str], str]) -> Failure:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.start(send, 200, SSE)
        event = json.dumps({"error": {"message": message(key_of(scope)), "code": 500}})
        await asgi.body(send, f"data: {event}\n\n".encode(), more=True)
        await asgi.body(send, b"")

    return stream


ECHOES: dict[str, Failure] = {
    **{
        f"key in a {status}": _refusing(lambda key: f"bad key {key}.", status)
        for status in (400, 401, 402, 404, 429, 500)
    },
    "quoted key": _refusing(lambda key: f"{key!r} and {json.dumps(key)} and {quote(key)} and {quote(key, safe='')}"),
    "escaped key": _refusing(lambda key: html.escape(key)),
    "key in base64": _refusing(lambda key: base64.b64encode(key.encode()).decode()),
    "key in a long text": _refusing(lambda key: "x" * 490 + key),
    "key at the end of what is read": _told(lambda key: (400, b"y" * (_LIMIT - 12) + key.encode(), "text/plain", {})),
    "key in a web page": _told(lambda key: (502, f"<h1>{html.escape(key)}</h1>{key}".encode(), "text/html", {})),
    "key in a text": _told(lambda key: (403, key.encode(), "text/plain", {})),
    "key in a redirect": _told(lambda key: (307, key.encode(), JSON, {"location": f"/?key={quote(key)}"})),
    "key in a 200": _told(lambda key: (200, json.dumps({"error": {"message": key}}).encode(), JSON, {})),
    "key in no JSON": _told(lambda key: (200, key.encode(), JSON, {"set-cookie": f"k={quote(key)}"})),
    "key in a list": _told(lambda key: (200, json.dumps([key]).encode(), JSON, {})),
    "key for a number": _told(
        lambda key: (200, json.dumps({"data": [{"embedding": key, "index": key}]}).encode(), JSON, {})
    ),
    "key as a type": _told(lambda key: (200, b"{}", "text/" + "".join(filter(str.isalnum, key)), {})),
    "key in a stream": _streaming(lambda key: key),
}
"""The ways to tell the key that was sent."""

_OBLIGING = {
    "message": {"content": "hi"},
    "text": "hi",
    "done": True,
    "done_reason": "stop",
    "embeddings": [[0.5]],
    "models": [],
    "data": [],
    "access_token": "a-token-of-the-stub",
    "expires_in": 3_600,
}
"""What suits most whose ways are not OpenAI's."""
TELLING = frozenset(
    {f"key in a {status}" for status in (400, 401, 429, 500, 200, "list", "text", "stream")}
    | {"key in base64", "key in a web page"}
)
"""Enough for those that share the reading of refusals with others."""
MOODS = FAILURES | ECHOES


@dataclass(slots=True)
class Moody:
    """Answers as an obliging vendor does until it has a mood. `keys` are those that came since."""

    vendor: Vendor = field(default_factory=Vendor)
    mood: str | None = None
    keys: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.mood is not None:
            self.keys.append(key_of(scope))
            scope["streamed"] = True
            await MOODS[self.mood](scope, receive, send)
        elif (path := next(filter(scope["path"].endswith, PATHS), None)) is None:
            wanted = dict(scope["headers"]).get(b"accept", b"").decode()
            if wanted.startswith("audio/"):
                await asgi.whole(send, 200, b"audio", wanted)
            else:
                await asgi.json(send, 200, _OBLIGING)
        else:
            scope["path"], self.vendor.keys = f"/v1{path}", [key_of(scope), ""]
            try:
                await self.vendor(scope, receive, send)
            except LookupError:
                await _UNREADABLE(scope, receive, send)


def key_of(scope: Scope) -> str:
    """The key that came with a request, wherever it came."""
    headers = dict(scope["headers"])
    sent = next((headers[name] for name in _HEADERS if name in headers), b"")
    return str(sent.decode()).removeprefix("Bearer ")
