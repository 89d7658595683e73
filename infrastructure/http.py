"""The one client that leaves the house: it dials only the addresses that the operator lets tenants reach."""

import logging
import socket
from collections.abc import Sequence
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.typedefs import StrOrURL
from aiohttp.connector import AddrInfoType
from httpx_aiohttp.httpx2 import AiohttpTransport

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))


class ForbiddenAddress(Exception):
    """A host stands for an address that must not be dialled; the address itself is not told."""


def forbidden(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether `address` is neither public (IANA's special-purpose registries) nor in a network of `allowed`.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) is judged by what it carries.
    """
    meant = _unwrapped(address)
    return not (_public(meant) or any(meant in network for network in allowed))


def egress(
    allowed: Sequence[Network] = (),
    *,
    connect: float = 5.0,
    read: float = 300.0,
    connections: int = 1000,
    resolver: AbstractResolver | None = None,
) -> httpx2.AsyncClient:
    """A client with a keep-alive pool per host, without redirects, proxies, cookies or settings of the environment.

    `connect` and `read` are the longest silences in seconds: until a connection stands, and between two pieces of an
    answer. A host that is not to be reached raises ForbiddenAddress before a byte is sent.
    """
    # Its INFO line holds the whole address, and with it a key that travels in the query.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    tls = httpx2.create_ssl_context(trust_env=False)
    session = partial(_session, tuple(allowed), tls, connections, resolver)
    return httpx2.AsyncClient(
        transport=AiohttpTransport(verify=tls, trust_env=False, client=session),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(read, connect=connect, pool=connect),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
