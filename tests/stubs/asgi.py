"""The few ASGI phrases that the stubs speak."""

import asyncio
import email
import email.policy
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from email.message import MIMEPart
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = "application/json"
SSE = "text/event-stream"
AUDIO = "audio/mpeg"
BYTES = "application/octet-stream"


async def start(send: Send, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> None:
    pairs = {"content-type": media_type, **(headers or {})}.items()
    raw = [(name.encode(), value.encode()) for name, value in pairs]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def body(send: Send, content: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": more})


async def whole(
    send: Send, status: int, content: bytes, media_type: str = JSON, headers: Mapping[str, str] | None = None
) -> None:
    await start(send, status, media_type, {"content-length": str(len(content)), **(headers or {})})
    await body(send, content)


async def json(send: Send, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
    await whole(send, status, orjson.dumps(value), headers=headers)


async def read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def read_body(media_type: str, raw: bytes) -> Any:
    """A body of JSON, of bytes, or of a form: texts as they are, a file as its name, type and size."""
    if media_type == BYTES or media_type.startswith("audio/"):
        return raw
    if not media_type.startswith("multipart/"):
        return orjson.loads(raw) if raw else {}
    head = f"content-type: {media_type}\r\n\r\n".encode()
    form = email.message_from_bytes(head + raw, policy=email.policy.HTTP)
    return {str(part.get_param("name", header="content-disposition")): _field(part) for part in form.iter_parts()}


def _field(part: MIMEPart) -> Any:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    if part.get_filename() is None:
        return content.decode()
    return {"filename": part.get_filename(), "content_type": part.get_content_type(), "bytes": len(content)}


def hung_up(receive: Receive) -> asyncio.Task[None]:
    """Done when the caller has left."""

    async def waiting() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return asyncio.create_task(waiting())
