"""A rate per address, for endpoints that strangers may call: those that find out who somebody is."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api.traffic.buckets import Buckets
from api.traffic.refusals import whole

_NETWORK = 64
"""Bits of an IPv6 address that one household has to itself."""


class PerAddress:
    """Every request counts, refused ones too: 429 in the form of OAuth's errors (RFC 6749, section 5.2)."""

    def __init__(self, app: ASGIApp, buckets: Buckets[str]) -> None:
        """Applications that are given the same buckets are bounded together."""
        self.app = app
        self.buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self.buckets.take(origin(scope), 1)
        await (_refusal(whole(wait)) if wait else self.app)(scope, receive, send)


def per_address(routes: Iterable[Route], buckets: Buckets[str]) -> list[Route]:
    """The routes, each bounded, all together."""
    bounded = list(routes)
    for route in bounded:
        route.app = PerAddress(route.app, buckets)
    return bounded


def origin(scope: Scope) -> str:
    """The peer's address as the server knows it; of IPv6 its network, within which addresses cost nothing."""
    host: str = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Address(int(address) >> (128 - _NETWORK) << (128 - _NETWORK)))


def _refusal(seconds: int) -> JSONResponse:
    said = f"Too many requests from this address; try again in {seconds} seconds."
    body = {"error": "temporarily_unavailable", "error_description": said}
    return JSONResponse(body, 429, {"Retry-After": str(seconds), "Cache-Control": "no-store"})
