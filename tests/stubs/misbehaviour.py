"""The ways in which a vendor fails, each under the model name that asks for it."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

from tests.stubs import asgi
from tests.stubs.asgi import JSON, SSE, Receive, Scope, Send

Failure = Callable[[Scope, Receive, Send], Awaitable[None]]

_HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"


def refusal(status: int, code: str, message: str, **headers: str) -> Failure:
    """An answer in OpenAI's error shape."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        value = {"error": {"message": message, "type": "stub_error", "code": code}}
        await asgi.json(send, status, value, {name.replace("_", "-"): text for name, text in headers.items()})

    return refuse


def body(content: bytes, media_type: str = JSON, status: int = 200, **headers: str) -> Failure:
    """An answer of these very bytes."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.whole(send, status, content, media_type, {n.replace("_", "-"): v for n, v in headers.items()})

    return answer


def stream(*pieces: bytes, complete: bool = True, media_type: str = SSE) -> Failure:
    """A stream of these pieces; one that is not complete breaks off."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await asgi.start(send, 200, media_type)
        for piece in pieces:
            await asgi.body(send, piece, more=True)
        if complete:
            await asgi.body(send, b"")

    return answer


async def silence(scope: Scope, receive: Receive, send: Send) -> None:
    """No answer until the caller leaves."""
    await asgi.hung_up(receive)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """A stream that goes on until the caller leaves."""
    gone = asgi.hung_up(receive)
    await asgi.start(send, 200, SSE)
    while not gone.done():
        await asgi.body(send, _event("on and on "), more=True)
        await asyncio.sleep(0.001)


async def lingering(scope: Scope, receive: Receive, send: Send) -> None:
    """A complete stream whose connection stays open until the caller leaves."""
    gone = asgi.hung_up(receive)
    await asgi.start(send, 200, SSE)
    for piece in (_event("all of it"), _END, b"data: [DONE]\n\n"):
        await asgi.body(send, piece, more=True)
    await gone


async def huge(scope: Scope, receive: Receive, send: Send) -> None:
    """A body that goes on until the caller leaves, on one line."""
    gone = asgi.hung_up(receive)
    await asgi.start(send, 200, SSE if scope["streamed"] else JSON)
    await asgi.body(send, b'data: "' if scope["streamed"] else b'"', more=True)
    while not gone.done():
        await asgi.body(send, b"a" * 65_536, more=True)
        await asyncio.sleep(0)


async def echo_key(scope: Scope, receive: Receive, send: Send) -> None:
    """A refusal that repeats the credential it was sent."""
    headers = dict(scope["headers"])
    shown = headers.get(b"authorization", headers.get(b"x-api-key", b"")).decode()
    await refusal(400, "bad", f"cannot serve the caller {shown} with {shown!r}")(scope, receive, send)


def _event(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text.encode()


_END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def _vectors(*embeddings: str) -> bytes:
    rows = ",".join(f'{{"index":{index},"embedding":{vector}}}' for index, vector in enumerate(embeddings))
    return b'{"data":[%s],"usage":{"prompt_tokens":1}}' % rows.encode()


FAILURES: dict[str, Failure] = {
    "fail-400": refusal(400, "bad", "the request cannot be taken"),
    "fail-401": refusal(401, "invalid_api_key", "Incorrect API key provided"),
    "fail-402": refusal(402, "insufficient_balance", "no balance left"),
    "fail-404": refusal(404, "model_not_found", "no such model"),
    "fail-429": refusal(429, "rate_limit_exceeded", "slow down", retry_after="30"),
    "fail-500": refusal(500, "server_error", "something broke"),
    "fail-503": refusal(503, "overloaded", "come back later"),
    "fail-context": refusal(400, "context_length_exceeded", "the context is 8 tokens long"),
    "slow": silence,
    "garbage": body(b"\x00\x01 this is not JSON"),
    "empty": body(b""),
    "list": body(b"[1, 2]"),
    "html": body(_HTML, "text/html"),
    "html-502": body(_HTML, "text/html", 502),
    "error-in-200": body(b'{"error":{"message":"quota is used up","code":"insufficient_quota"}}'),
    "redirect": body(b"", status=302, location="/v1/elsewhere"),
    "bomb": body(gzip.compress(b"0" * 2**24), content_encoding="gzip"),
    "huge": huge,
    "bad-utf8": body(b'{"choices":[{"message":{"content":"\xff\xfe"}}]}'),
    "bad-utf8-stream": stream(b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n', b"data: [DONE]\n\n"),
    "truncated-stream": stream(_event("half an "), _event("answ"), complete=False),
    "unfinished-stream": stream(_event("half an "), _event("answer")),
    "half-event": stream(_event("half an "), b'data: {"choices":[{"delta":{"cont'),
    "error-in-stream": stream(_event("half "), b'data: {"error":{"message":"the engine died","code":500}}\n\n'),
    "error-at-once": stream(b'data: {"error":{"message":"slow down","code":429}}\n\n'),
    "garbage-stream": stream(b"data: not json\n\n", b"data: [DONE]\n\n"),
    "endless": endless,
    "no-done": stream(_event("all "), _event("of it"), _END),
    "single-newlines": stream(_event("all ")[:-1], _event("of it")[:-1], _END[:-1], b"data: [DONE]\n"),
    "crlf": stream(*(p.replace(b"\n", b"\r\n") for p in (b": hi\n\n", _event("all of it"), _END, b"data: [DONE]\n\n"))),
    "lingering": lingering,
    "nan-vectors": body(_vectors('["NaN"]')),
    "wrong-count": body(_vectors(*["[0.5, 0.25]"] * 7)),
    "echo-key": echo_key,
}
