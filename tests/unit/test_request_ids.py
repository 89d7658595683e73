"""A request has one id: in its answer, in its log lines, and in what it leaves behind."""

import logging
import re
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.request_ids import RequestIds, current
from infrastructure.logs import with_request_id
from infrastructure.request_id import request_id

NEW = re.compile(r"[0-9a-f]{32}")


def scope(kind: str, *values: bytes) -> dict[str, Any]:
    return {"type": kind, "headers": [(b"host", b"x"), *((b"x-request-id", value) for value in values)]}


async def nothing() -> Message:
    raise AssertionError


async def answered(kind: str, begins: Message, *values: bytes) -> tuple[str, list[bytes]]:
    """Which id the application saw, and which ids the answer has."""
    seen, sent = [], []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        seen.append(current())
        await send(begins)
        await send({"type": "something.else"})

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestIds(app)(scope(kind, *values), nothing, send)
    assert request_id.get() is None
    assert sent[1] == {"type": "something.else"}
    assert "headers" not in begins or len(begins["headers"]) == 1
    return seen[0], [value for name, value in sent[0]["headers"] if name == b"x-request-id"]


ANSWERS = [
    ("http", {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}),
    ("websocket", {"type": "websocket.accept"}),
    ("websocket", {"type": "websocket.http.response.start", "status": 401, "headers": [(b"a", b"b")]}),
]


@pytest.mark.parametrize(("kind", "begins"), ANSWERS)
async def test_the_id_that_a_request_brings_is_its_own(kind: str, begins: Message) -> None:
    assert await answered(kind, begins, b"from-the_Proxy-1") == ("from-the_Proxy-1", [b"from-the_Proxy-1"])


@pytest.mark.parametrize(
    "values",
    [(), (b"seven77",), (b"x" * 61,), (b"with space",), (b"line\nbreak",), (b"\xc3\xa4" * 8,), (b"x" * 9, b"y" * 9)],
)
@pytest.mark.parametrize(("kind", "begins"), ANSWERS)
async def test_without_a_valid_one_there_is_a_new_one(kind: str, begins: Message, values: tuple[bytes, ...]) -> None:
    seen, told = await answered(kind, begins, *values)
    assert NEW.fullmatch(seen)
    assert told == [seen.encode()]
    assert (await answered(kind, begins, *values))[0] != seen


async def test_what_is_no_request_has_none() -> None:
    seen = []

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        seen.append(request_id.get())

    await RequestIds(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]
    assert seen == [None]


async def test_the_id_is_gone_after_a_failure() -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await RequestIds(app)(scope("http"), nothing, nothing)  # type: ignore[arg-type]
    assert request_id.get() is None


def test_a_log_line_has_the_id_of_its_request_alone() -> None:
    log = logging.getLogger("x")
    assert with_request_id(log, "info", {"event": "e"}) == {"event": "e"}
    here = request_id.set("request-0123")
    assert with_request_id(log, "info", {"event": "e"}) == {"event": "e", "request_id": "request-0123"}
    request_id.reset(here)
