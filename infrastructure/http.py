"""The one client that leaves the house: it dials only the addresses that the operator lets tenants reach."""

import io
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
import httpx2
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from httpx_aiohttp.httpx2.transport import AiohttpTransport, map_aiohttp_exceptions

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_LARGE = 2**19
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
    return httpx2.AsyncClient(
        transport=outward(allowed, connections=connections, resolver=resolver),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(read, connect=connect, pool=connect),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def outward(
    allowed: Sequence[Network] = (), *, connections: int = 10, resolver: AbstractResolver | None = None
) -> httpx2.AsyncBaseTransport:
    """What dials only public addresses and those in `allowed`, for a client that is made elsewhere."""
    # Its INFO line holds the whole address, and with it a key that travels in the query.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    tls = httpx2.create_ssl_context(trust_env=False)
    session = partial(_session, tuple(allowed), tls, connections, resolver)
    return _Outward(verify=tls, trust_env=False, client=session)


class _Outward(AiohttpTransport):
    """The library's transport with less done per request: headers go over as they are, time limits are made once, and
    bodies, which must be in memory, come in the pieces in which they arrive.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        limits = request.extensions.get("timeout", {})
        with map_aiohttp_exceptions():
            response = await self.client.request(
                request.method,
                _as_signed(request.url),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=_sendable(request.content),
                allow_redirects=False,
                timeout=_time_limits(limits.get("connect"), limits.get("read"), limits.get("pool")),
            )
        return httpx2.Response(response.status, headers=response.raw_headers, stream=_Body(response), request=request)


class _Body(httpx2.AsyncByteStream):
    """The body of an answer. aiohttp's exceptions pass as they are."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.content.iter_any()

    async def aclose(self) -> None:
        await self._response.__aexit__(None, None, None)


def _as_signed(url: httpx2.URL) -> yarl.URL:
    """The address with every escape of its path kept, which aiohttp would rewrite under a signature over it."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    checked = yarl.URL(str(url))
    return yarl.URL.build(
        scheme=checked.scheme, authority=checked.raw_authority, path=path, query_string=query, encoded=True
    )


def _sendable(content: bytes) -> bytes | io.BytesIO | None:
    """A large body goes in pieces, so that others get their turn in between."""
    return io.BytesIO(content) if len(content) > _LARGE else content or None


@lru_cache
def _time_limits(connect: float | None, read: float | None, pool: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read, connect=pool)


class _Connections(aiohttp.TCPConnector):
    """Drops a kept connection on which something came unasked: it would pass for the answer to the next request, which
    may be another tenant's. The library has no public place for this.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (kept := await super()._get(key, traces)) is not None:
            if kept.protocol is not None and not kept.protocol.should_close:
                return kept
            kept.close()
        return None


class _CheckedResolver(AbstractResolver):
    """Refuses a whole answer when one of its addresses is forbidden."""

    def __init__(self, inner: AbstractResolver, allowed: Sequence[Network]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = await self._inner.resolve(host, port, family)
        for answer in answers:
            _check(answer["host"], self._allowed)
        return answers

    async def close(self) -> None:
        await self._inner.close()


def _session(
    allowed: Sequence[Network], tls: ssl.SSLContext, connections: int, resolver: AbstractResolver | None
) -> aiohttp.ClientSession:
    connector = _Connections(
        resolver=_CheckedResolver(resolver or aiohttp.ThreadedResolver(), allowed),
        socket_factory=partial(_checked_socket, allowed),
        ssl=tls,
        limit=connections,
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
    )


def _checked_socket(allowed: Sequence[Network], info: aiohttp.AddrInfoType) -> socket.socket:
    """The choke point: it sees the very address that is dialled, be it from a name or written in the URL."""
    family, kind, protocol, _, address = info
    _check(str(address[0]), allowed)
    return socket.socket(family, kind, protocol)


def _check(host: str, allowed: Sequence[Network]) -> None:
    if forbidden(ip_address(host), allowed):
        raise ForbiddenAddress


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
