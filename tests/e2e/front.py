"""The GraphQL front on a real socket, with an HTTP client and a WebSocket that speak to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import uvicorn
import websockets
from starlette.routing import Mount, Route, Router, WebSocketRoute

from api.graphql.context import GraphQLOptions
from tests.graphql_house import OPTIONS, House
from tests.stubs.serve import _Server

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
SCHEMA_JSON = "application/graphql-response+json"


class Front:
    """Asks the front at `url` as the bearer of `token`."""

    def __init__(self, url: str, token: str, client: httpx2.AsyncClient) -> None:
        self.url = url
        self.token = token
        self.client = client

    async def post(self, body: Any, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(self.url, content=content, headers={k: v for k, v in sent.items() if v})

    async def get(self, accept: str = SCHEMA_JSON, **parameters: str) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept": accept}
        return await self.client.get(self.url, params=parameters, headers=headers)

    async def events(self, query: str, **variables: Any) -> list[tuple[str, Any]]:
        """The name and decoded data of each server-sent event."""
        body = {"query": query, "variables": variables}
        answer = await self.post(body, accept="text/event-stream")
        blocks = [block.splitlines() for block in answer.text.split("\r\n\r\n") if block.startswith("event:")]
        return [(e.removeprefix("event: "), json.loads(d.removeprefix("data: ") or "null")) for e, d in blocks]

    @asynccontextmanager
    async def socket(self, **headers: str) -> AsyncIterator["Socket"]:
        url = self.url.replace("http://", "ws://")
        connecting = websockets.connect(url, subprotocols=[PROTOCOL], additional_headers=headers, proxy=None)
        async with connecting as connection:
            yield Socket(connection)


class Socket:
    """A WebSocket that sends and receives JSON."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> Any:
        return json.loads(await self.connection.recv(decode=True))

    async def init(self, token: str) -> None:
        await self.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query: str, identity: str = "1", **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send({"id": identity, "type": "subscribe", "payload": payload})

    async def closed(self) -> int | None:
        """The code with which the server closes, after whatever it still sends."""
        with suppress(websockets.ConnectionClosed):
            while True:
                await self.connection.recv()
        return self.connection.close_code


@asynccontextmanager
async def front(house: House, options: GraphQLOptions = OPTIONS) -> AsyncIterator[Front]:
    app = house.app(options)
    router = Router([Route("/graphql", app), WebSocketRoute("/graphql", app), Mount("/graphql", app)])
    async with serving(router) as url, httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        yield Front(f"{url}/graphql", house.token(), client)


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The address of `app`, served by uvicorn in this event loop on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.001)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.ended.set()
        await running
