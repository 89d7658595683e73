"""Strangers are bounded by where they come from, and told so as OAuth's clients expect it."""

from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, Router
from starlette.types import Message

from api.traffic.addresses import origin, per_address
from api.traffic.buckets import Buckets
from domain.model.allowance import Allowance
from tests.fakes import FakeSeconds


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(one: str, other: str, same: bool) -> None:
    assert (origin({"client": (one, 1)}) == origin({"client": (other, 2)})) is same


def test_a_peer_without_an_address_has_one_of_its_own() -> None:
    assert origin({"client": None}) == ""
    assert origin({"client": ("a-socket", 0)}) == "a-socket"


async def ask(app: Any, path: str, host: str = "192.0.2.1", method: str = "POST") -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": method, "path": path, "headers": [], "client": (host, 5), "query_string": b""}
    await app(scope, receive, send)
    return sent


async def test_refused_and_granted_requests_count_together_until_it_lets_them() -> None:
    async def token(_: Request) -> JSONResponse:
        return JSONResponse({"error": "invalid_client"}, 401)

    async def other(_: Request) -> JSONResponse:
        return JSONResponse({})

    clock = FakeSeconds()
    routes = [Route("/token", token, methods=["POST"]), Route("/other", other, methods=["POST"])]
    app = Router(per_address(routes, Buckets[str](Allowance(2, 0.5), clock)))
    statuses = [(await ask(app, path))[0]["status"] for path in ("/token", "/other", "/token", "/other")]
    assert statuses == [401, 200, 429, 429]
    refused = await ask(app, "/token")
    assert (b"retry-after", b"2") in refused[0]["headers"]
    assert orjson.loads(refused[1]["body"])["error"] == "temporarily_unavailable"
    assert (await ask(app, "/token", host="192.0.2.2"))[0]["status"] == 401
    clock.now += 2
    assert [(await ask(app, "/token"))[0]["status"] for _ in range(2)] == [401, 429]
