"""An OpenAI-shaped vendor that answers from prepared bytes; a chat takes DELAY seconds, a stream has EVENTS events."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DELAY = float(os.environ.get("BENCH_DELAY", "0.05"))
EVENTS = 64
DIMENSIONS = 256

USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
CHAT = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "bench",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 60}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()
VECTOR = [0.125] * DIMENSIONS
PACKED = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *VECTOR)).decode()


def _embedding(vector: object) -> bytes:
    data = [{"index": 0, "object": "embedding", "embedding": vector}]
    return json.dumps({"object": "list", "data": data, "usage": USAGE}).encode()


EMBEDDING, EMBEDDING_BASE64 = _embedding(VECTOR), _embedding(PACKED)
MODELS = json.dumps({"object": "list", "data": []}).encode()


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    )


STREAM = [_event({"content": "word "}) for _ in range(EVENTS)]
STREAM += [_event({}, "stop"), b'data: {"choices":[],"usage":' + json.dumps(USAGE).encode() + b"}\n\n"]
STREAM += [b"data: [DONE]\n\n"]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    path = scope["path"]
    if path.endswith("/embeddings"):
        await _answer(send, EMBEDDING_BASE64 if b"base64" in body else EMBEDDING)
    elif path.endswith("/chat/completions") and b'"stream":true' in body.replace(b" ", b""):
        await _stream(send)
    elif path.endswith("/chat/completions"):
        await asyncio.sleep(DELAY)
        await _answer(send, CHAT)
    else:
        await _answer(send, MODELS)


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for event in STREAM:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})
