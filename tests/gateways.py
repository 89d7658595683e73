"""Gateways as tests use them: on real sockets, allowed on loopback, and impatient."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network

from infrastructure.http import egress
from infrastructure.providers.gateway import HttpGateway, Limits
from infrastructure.providers.retries import Patience
from infrastructure.providers.spec import Adapter
from tests.stubs import plain
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
IMPATIENT = Patience(backoff=0.001, longest=0.05)
LIMITS = Limits(whole=2**20, stream=2**20, frame=2**18, patience=IMPATIENT)


@asynccontextmanager
async def gateway(
    limits: Limits = LIMITS, adapters: Mapping[str, Adapter] | None = None, read: float = 10.0
) -> AsyncIterator[HttpGateway]:
    """A gateway that may reach loopback; `read` is the longest silence in seconds."""
    async with egress(LOOPBACK, connect=2.0, read=read) as client:
        yield HttpGateway(adapters or {"plain": plain.adapter()}, client, limits)


@dataclass(frozen=True, slots=True)
class Bench:
    """A gateway beside the vendor it calls."""

    gateway: HttpGateway
    vendor: Vendor
    url: str


@asynccontextmanager
async def bench(limits: Limits = LIMITS, read: float = 10.0) -> AsyncIterator[Bench]:
    vendor = Vendor()
    async with serving(vendor) as url, gateway(limits, read=read) as subject:
        yield Bench(subject, vendor, url)
