"""The least that a gateway in this stack can cost: Starlette and httpx2 passing bytes through, checking nothing."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

UPSTREAM = os.environ.get("BENCH_UPSTREAM", "")
client = httpx2.AsyncClient(trust_env=False, timeout=60, limits=httpx2.Limits(max_connections=None))


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with client:
        yield


async def forward(request: Request) -> Response:
    body = await request.body()
    call = client.build_request(
        "POST", UPSTREAM + request.path_params["path"], content=body, headers={"content-type": "application/json"}
    )
    if b'"stream":true' not in body:
        answer = await client.send(call)
        return Response(answer.content, media_type="application/json")
    stream = await client.send(call, stream=True)

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in stream.aiter_raw():
            yield piece
        await stream.aclose()

    return StreamingResponse(pieces(), media_type="text/event-stream")


app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])], lifespan=lifespan)
