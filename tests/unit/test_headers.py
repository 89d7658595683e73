"""Every answer tells browsers and caches what they must not do with it."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.headers import Headers


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hi", headers=dict(request.query_params))


async def told(path: str, *, tls: bool = False) -> httpx2.Headers:
    app = Headers(Starlette(routes=[Route("/{rest:path}", answer)]), tls=tls)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://portunus.example") as http:
        return (await http.get(path)).headers


async def test_no_answer_is_taken_for_another_type() -> None:
    assert (await told("/graphql"))["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/graphql", "/usage.csv", "/readyz", "/oauth/token"])
async def test_what_is_somebodys_is_not_stored(path: str) -> None:
    assert (await told(path))["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/graphql/graphiql.js", "/static/pages.css"])
async def test_what_is_the_same_for_everybody_may_be(path: str) -> None:
    assert "cache-control" not in await told(path)


async def test_what_an_answer_says_itself_stands() -> None:
    headers = await told("/oauth/jwks?Cache-Control=max-age%3D300&X-Content-Type-Options=nosniff")
    assert headers.get_list("cache-control") == ["max-age=300"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]


async def test_only_where_tls_is_used_is_there_no_way_without() -> None:
    assert "strict-transport-security" not in await told("/graphql")
    assert "includeSubDomains" in (await told("/graphql", tls=True))["strict-transport-security"]
