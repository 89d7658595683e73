"""The composition root: settings in, a running Portunus out."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from api.auth import Authentication, LeasedActors
from api.bounds import Bounds
from api.exports import FORMATS, UsageExport
from api.graphql.app import graphql_app
from api.graphql.context import GraphQLOptions
from api.headers import Headers
from api.hosts import OneHost
from api.house import House, NotReady, now
from api.oauth.authorize import AuthorizationPages
from api.oauth.device_page import DevicePages
from api.oauth.endpoints import routes as oauth_routes
from api.pages.browser import Browser
from api.pages.page import problems
from api.pages.routes import routes as page_routes
from api.request_ids import RequestIds
from api.traffic.addresses import per_address
from api.traffic.buckets import Buckets
from api.traffic.gate import Gate, Limits
from domain.model.allowance import Allowance
from domain.model.issuing import Lifetimes
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.settings import Settings

GRACE = 30
"""Seconds that an operation may take beside the one call to a vendor that it may make."""

BURST = 5
"""Seconds' worth of requests that may come at once."""


def create_app(settings: Settings, house: House | None = None) -> Starlette:
    """The ASGI application, over a house of these settings: a new one, unless one is given.

    NotReady at once without a master key, and at start-up for a database that is not fit.
    """
    house = house or House(settings)
    metadata = f'resource_metadata="{settings.issuer}/.well-known/oauth-protected-resource'
    challenge, elsewhere = f'{metadata}/graphql"', f'{metadata}"'
    gate = Gate(limits(settings))
    guarded = guard(house, gate)
    graphql = guarded(graphql_app(house.usecases, options(house, f"Bearer {challenge}"), gate), challenge)
    exports = {
        f"/usage.{form.ending}": guarded(UsageExport(house.usecases.usage, form, f"Bearer {elsewhere}"), elsewhere)
        for form in FORMATS
    }

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with house:
            yield

    application = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", graphql),
            Mount("/graphql", graphql),
            *(Route(path, export) for path, export in exports.items()),
            Route("/livez", live),
            Route("/readyz", readiness(house)),
            *people_and_partners(house),
        ],
        middleware=[
            Middleware(RequestIds),
            Middleware(Headers, tls=settings.issuer.startswith("https:")),
            Middleware(OneHost),
        ],
        exception_handlers=problems(),
        lifespan=lifespan,
    )
    form_key = derived(house.master_keys, b"portunus forms")
    application.state.browser = Browser(settings.issuer, form_key, house.people.accounts)
    return application


def options(house: House, challenge: str) -> GraphQLOptions:
    settings = house.settings
    return GraphQLOptions(
        cursor_key=derived(house.master_keys, b"portunus cursors"),
        introspection=settings.introspection,
        ide=settings.ide,
        body_limit=settings.max_body_bytes,
        upload_limit=settings.max_upload_bytes,
        uploads=settings.uploads,
        challenge=challenge,
    )


def guard(house: House, gate: Gate) -> Callable[[ASGIApp, str], ASGIApp]:
    """Puts an application behind bearer tokens and the gate."""
    actors = LeasedActors(house.usecases.access.authenticate, now)
    seconds = house.settings.call_seconds + GRACE

    def guarded(app: ASGIApp, challenge: str) -> ASGIApp:
        return Authentication(Bounds(app, gate, seconds=seconds), actors.admit, challenge)

    return guarded


def readiness(house: House) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Whether the database is fit, and if not, why."""

    async def ready(_: Request) -> JSONResponse:
        try:
            await house.check()
        except Exception as problem:
            reason = str(problem) if isinstance(problem, NotReady) else "The database cannot be reached."
            return JSONResponse({"ready": False, "reason": reason}, 503)
        return JSONResponse({"ready": True})

    return ready


def people_and_partners(house: House) -> list[BaseRoute]:
    """Accounts, and the authorization server: its endpoints, and the pages on which people let applications in."""
    lifetimes = Lifetimes(house.settings.token_lifetime, house.settings.refresh_lifetime)
    return [
        *page_routes(house.people),
        *per_address(oauth_routes(house.oauth), Buckets[str](rate(house.settings.address_requests_per_second))),
        *AuthorizationPages(house.authorizing, lifetimes).routes(),
        *DevicePages(house.device_verification, lifetimes).routes(),
    ]


def limits(settings: Settings) -> Limits:
    return Limits(
        client_cost=Allowance(settings.client_cost, settings.client_cost_per_second),
        tenant_cost=Allowance(settings.tenant_cost, settings.tenant_cost_per_second),
        client_rate=rate(settings.client_requests_per_second),
        tenant_rate=rate(settings.tenant_requests_per_second),
        client_concurrency=settings.client_concurrency,
        tenant_concurrency=settings.tenant_concurrency,
        places=settings.concurrency,
        waiting=settings.waiting,
        waiting_seconds=settings.waiting_seconds,
    )


def rate(requests_per_second: int) -> Allowance:
    return Allowance(BURST * requests_per_second, requests_per_second)


async def live(_: Request) -> JSONResponse:
    """The process answers; nothing else is looked at."""
    return JSONResponse({"live": True})


def derived(master_keys: MasterKeys, purpose: bytes) -> bytes:
    """A key that is the same in every worker that shares a master key, and of no use for anything else."""
    return hmac.digest(master_keys.keys[master_keys.first], purpose, hashlib.sha256)
