"""The outbound client on real sockets: which addresses it dials. Only loopback is ever contacted."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

import httpx2
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from infrastructure.http import ForbiddenAddress, egress
from tests.stubs.serve import conversing, request_read, serving
from tests.stubs.vendor import Vendor

FIRST, SECOND, ALL = (ip_network(n) for n in ("127.0.0.1/32", "127.0.0.2/32", "127.0.0.0/8"))


class Names(AbstractResolver):
    """Answers each lookup of any name with the next list of addresses; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=a, port=port, family=socket.AF_INET, proto=0, flags=0) for a in answer
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def vendor_port(host: str = "127.0.0.1") -> AsyncIterator[tuple[Vendor, str]]:
    vendor = Vendor()
    async with serving(vendor, host) as url:
        yield vendor, url.rpartition(":")[2]


async def status(client: httpx2.AsyncClient, url: str) -> int:
    async with client:
        return (await client.get(url, headers={"authorization": "Bearer sk-good"})).status_code


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],  # noqa: S104 - dialled, not bound
)
async def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    async with vendor_port() as (vendor, port):
        with pytest.raises(ForbiddenAddress):
            await status(egress(), f"http://{host}:{port}/v1/models")
    assert vendor.seen == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0177.0.0.1", "017700000001"])
async def test_old_ways_to_write_an_address_are_refused(host: str) -> None:
    async with vendor_port() as (vendor, port):
        with pytest.raises((httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
            await status(egress([ALL]), f"http://{host}:{port}/v1/models")
    assert vendor.seen == []


async def test_a_path_and_a_query_arrive_as_they_were_written() -> None:
    """A signature over them holds only then."""
    target = "/model/arn%3Aaws%2Fx%2Dy~/converse?a=%2B%3D%20%3A"
    arrived = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with conversing(answer) as url:
        assert await status(egress([FIRST]), url + target) == 204
    assert await arrived == target


async def test_an_allowed_network_is_reached() -> None:
    async with vendor_port() as (_, port):
        assert await status(egress([FIRST]), f"http://127.0.0.1:{port}/v1/models") == 200


async def test_an_allowed_network_opens_no_other() -> None:
    async with vendor_port() as (vendor, port):
        with pytest.raises(ForbiddenAddress):
            await status(egress([SECOND]), f"http://127.0.0.1:{port}/v1/models")
    assert vendor.seen == []


async def test_a_name_is_dialled_at_the_address_it_resolves_to() -> None:
    async with vendor_port("127.0.0.2") as (_, port):
        client = egress([SECOND], resolver=Names(["127.0.0.2"]))
        assert await status(client, f"http://vendor.test:{port}/v1/models") == 200


async def test_a_name_with_one_forbidden_address_is_refused_whole() -> None:
    async with vendor_port("127.0.0.2") as (vendor, port):
        client = egress([SECOND], resolver=Names(["127.0.0.2", "127.0.0.1"]))
        with pytest.raises(ForbiddenAddress):
            await status(client, f"http://vendor.test:{port}/v1/models")
    assert vendor.seen == []


async def test_a_name_that_changes_its_address_is_resolved_once_for_the_check_and_the_connection() -> None:
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with vendor_port("127.0.0.1") as (vendor, port):
        with pytest.raises(httpx2.TransportError):
            await status(egress([SECOND], resolver=names), f"http://vendor.test:{port}/v1/models")
    assert (names.asked, vendor.seen) == (1, [])


async def test_a_redirect_is_not_followed() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 307 Over there\r\nlocation: /v1/models\r\ncontent-length: 0\r\n\r\n")

    async with conversing(answer) as url:
        assert await status(egress([ALL]), url) == 307


async def test_cookies_are_not_kept() -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nset-cookie: a=b; path=/\r\ncontent-length: 0\r\n\r\n")

    async with conversing(answer) as url, egress([ALL]) as client:
        await client.get(url)
        await client.get(url)
    assert len(seen) == 2
    assert not any(b"cookie" in head.lower() for head in seen)


async def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with vendor_port() as (_, port):
        assert await status(egress([ALL]), f"http://127.0.0.1:{port}/v1/models") == 200


async def test_an_answer_that_nobody_asked_for_is_not_the_next_ones() -> None:
    """A vendor that answers twice would else tell one tenant what is another's."""
    asked: list[bytes] = []
    again = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append((await request_read(reader)).split()[1])
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n%s" % asked[-1])
            if len(asked) == 1:
                await again.wait()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/1")

    async with conversing(answer) as url, egress([ALL]) as client:
        assert (await client.get(f"{url}/1")).content == b"/1"
        again.set()
        await asyncio.sleep(0.1)
        assert (await client.get(f"{url}/2")).content == b"/2"
        assert (await client.get(f"{url}/3")).content == b"/3"
    assert asked == [b"/1", b"/2", b"/3"]


async def test_a_connection_is_kept_for_the_next_request() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            await request_read(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with conversing(answer) as url, egress([ALL]) as client:
        for _ in range(3):
            await client.get(url)
    assert len(connections) == 1
