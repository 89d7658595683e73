"""A vendor that serves well, or ill in the way that the model's name asks for; what is ill has a mark in it."""

import asyncio
import gzip
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.stubs import asgi
from tests.stubs.asgi import AUDIO, JSON, SSE, Receive, Scope, Send
from tests.stubs.misbehaviour import Failure, body, refusal, silence, stream
from tests.stubs.vendor import Vendor

MARK = "mark-of-an-ill-vendor"
_MARK = MARK.encode()


def _again(piece: bytes, media_type: str, status: int = 200, *, pause: float = 0.01) -> Failure:
    """One piece after the other until the caller leaves."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        gone = asgi.hung_up(receive)
        await asgi.start(send, status, media_type)
        while not gone.done():
            await asgi.body(send, piece, more=True)
            await asyncio.sleep(pause)

    return answer


def _event(text: str) -> bytes:
    return b"data: %s\n\n" % orjson.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})


ILL: dict[str, Failure] = {
    "refused": refusal(400, "bad", MARK),
    "rejected": refusal(401, "invalid_api_key", MARK),
    "unpaid": refusal(402, "insufficient_balance", MARK),
    "limited": refusal(429, "rate_limit_exceeded", MARK, retry_after="1e300"),
    "down": refusal(503, "overloaded", MARK),
    "refusal-that-drips": _again(b"m", JSON, 400, pause=0.05),
    "bomb-400": body(gzip.compress(_MARK * 2**19), JSON, 400, content_encoding="gzip"),
    "bomb": body(gzip.compress(_MARK * 2**19), content_encoding="gzip"),
    "page": body(b"<h1>%s</h1>" % _MARK, "text/html"),
    "page-502": body(b"<h1>%s</h1>" % _MARK, "text/html", 502),
    "redirect": body(_MARK, status=307, location=f"/{MARK}"),
    "garbage": body(_MARK),
    "bad-utf8": body(b'{"%s":"\xff\xfe"}' % _MARK),
    "deep": body(b'{"%s":' % _MARK * 10_000),
    "shapeless": body(orjson.dumps([MARK])),
    "image": body(b"\x89PNG\r\n" + _MARK, "image/png"),
    "error-in-200": body(orjson.dumps({"error": {"message": MARK, "code": "insufficient_quota"}})),
    "drip": _again(b" ", JSON, pause=0.05),
    "silence": silence,
}
"""What ends alike whatever was asked for."""

ILL_STREAMS: dict[str, Failure] = {
    "half": stream(_event(MARK), _event(MARK), complete=False),
    "unfinished": stream(_event(MARK)),
    "endless": _again(_event(MARK), SSE),
    "comments": _again(b": %s\n\n" % _MARK, SSE),
    "bad-event": stream(_event(MARK), b"data: \xff\n\n"),
}
ILL_VOICES: dict[str, Failure] = {
    "half-voice": stream(_MARK, complete=False, media_type=AUDIO),
    "endless-voice": _again(_MARK, AUDIO),
    "no-voice": body(b"", AUDIO),
}
ILL_VECTORS: dict[str, Failure] = {
    "nan": body(orjson.dumps({"data": [{"embedding": ["NaN"], "index": 0}], "model": MARK})),
    "infinite": body(b'{"data":[{"embedding":[1e999],"index":0}],"model":"%s"}' % _MARK),
    "too-many": body(orjson.dumps({"data": [{"embedding": [0.5]}] * 2, "model": MARK})),
}
ALL_ILL = ILL | ILL_STREAMS | ILL_VOICES | ILL_VECTORS


@dataclass(slots=True)
class Marked:
    """An ASGI application. What is ranked is ill by its query; `mood` makes all ill. `open` counts calls under way."""

    well: Vendor
    mood: str | None = None
    open: int = 0
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await asgi.read(receive)
        given = asgi.read_body(dict(scope["headers"]).get(b"content-type", b"").decode(), raw)
        wish = self.mood or next((w for w in (given.get("query"), given.get("model")) if w in ALL_ILL), None)
        self.asked[wish or ""] += 1
        self.open += 1
        try:
            if wish:
                await ALL_ILL[wish](scope, receive, send)
            else:
                await self.well(scope, _again_read(raw, receive), send)
        finally:
            self.open -= 1


def _again_read(raw: bytes, receive: Receive) -> Receive:
    """The request once more, then what else comes."""
    left: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": raw}]

    async def message() -> MutableMapping[str, Any]:
        return left.pop() if left else await receive()

    return message
