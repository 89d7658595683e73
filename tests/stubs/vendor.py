"""A vendor on loopback: OpenAI's shapes, Jina's reranking, Anthropic's messages, and failures by model name."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.stubs import asgi, shapes
from tests.stubs.asgi import AUDIO, SSE, Receive, Scope, Send
from tests.stubs.misbehaviour import FAILURES, refusal

_DENIED = refusal(401, "invalid_api_key", "Incorrect API key provided")
_UNKNOWN = refusal(404, "unknown_url", "Unknown request URL")
PATHS = (
    "/chat/completions",
    "/embeddings",
    "/rerank",
    "/ranking",
    "/audio/transcriptions",
    "/audio/speech",
    "/messages",
)
"""What it answers to below /v1."""


@dataclass(slots=True)
class Vendor:
    """An ASGI application. A model named as in FAILURES fails that way, any other name answers.

    `words` is the length of an answer and so the number of its text events, `delay` the seconds before the answer and
    before each event. `flaky` counts down the calls that are refused with a 503 first. `bill` counts the calls that
    were answered with success, by key; `seen` keeps the bodies of all; `open` counts the calls in progress.
    """

    keys: Sequence[str] = ("sk-good",)
    models: Sequence[str] = ("stub-chat", "stub-embed")
    words: int = 8
    delay: float = 0.0
    dimensions: int = 8
    flaky: int = 0
    bill: Counter[str] = field(default_factory=Counter)
    seen: list[Mapping[str, Any]] = field(default_factory=list)
    open: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        self.open += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self.open -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await asgi.read(receive)
        kind = dict(scope["headers"]).get(b"content-type", b"")
        body: Mapping[str, Any] = asgi.read_body(kind.decode(), raw)
        scope["streamed"] = bool(body.get("stream"))
        self.seen.append(body)
        key = _key(scope)
        if body.get("model") in FAILURES:
            await FAILURES[body["model"]](scope, receive, send)
        elif key not in self.keys:
            await _DENIED(scope, receive, send)
        elif self.flaky:
            self.flaky -= 1
            await FAILURES["fail-503"](scope, receive, send)
        else:
            await self._serve(scope, receive, send, key, body)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, key: str, body: Mapping[str, Any]) -> None:
        await asyncio.sleep(self.delay)
        match scope["path"]:
            case "/v1/models":
                data = [{"id": name, "object": "model"} for name in self.models]
                await asgi.json(send, 200, {"object": "list", "data": data})
            case "/v1/chat/completions" if scope["streamed"]:
                events = (b"data: %s\n\n" % orjson.dumps(c) for c in shapes.completion_chunks(body, self.words))
                await self._stream(send, [*events, b"data: [DONE]\n\n"])
            case "/v1/chat/completions":
                await asgi.json(send, 200, shapes.completion(body, self.words))
            case "/v1/embeddings":
                await asgi.json(send, 200, shapes.embeddings(body, self.dimensions))
            case "/v1/rerank":
                await asgi.json(send, 200, shapes.rerank(body))
            case "/v1/ranking":
                await asgi.json(send, 200, shapes.ranking(body))
            case "/v1/audio/transcriptions":
                await asgi.json(send, 200, shapes.transcription(body))
            case "/v1/audio/speech" if scope["streamed"]:
                await self._stream(send, shapes.speech_events(body))
            case "/v1/audio/speech":
                await self._stream(send, shapes.speech(body), AUDIO)
            case "/v1/messages" if scope["streamed"]:
                await self._stream(send, map(_named, shapes.message_events(body, self.words)))
            case "/v1/messages":
                await asgi.json(send, 200, shapes.message(body, self.words))
            case _:
                await _UNKNOWN(scope, receive, send)
                return
        self.bill[key] += 1

    async def _stream(self, send: Send, events: Iterable[bytes], media_type: str = SSE) -> None:
        await asgi.start(send, 200, media_type)
        for event in events:
            await asyncio.sleep(self.delay)
            await asgi.body(send, event, more=True)
        await asgi.body(send, b"")


def _named(event: Mapping[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))


def _key(scope: Scope) -> str:
    headers = dict(scope["headers"])
    if b"x-api-key" in headers:
        return str(headers[b"x-api-key"].decode())
    return str(headers.get(b"authorization", b"").decode().removeprefix("Bearer "))
