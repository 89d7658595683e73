"""`python -m bench.fairness`: how long tenant B waits for small answers alone, and beside tenant A's flood, in one run.

Three servers take turns: one as it is delivered, one whose rates and budgets nobody reaches, so that only turns protect
B, and one without turns as well. The flood comes from a process of its own, and keeps `CLIENTS` requests under way.
"""

import asyncio
import base64
import contextlib
import json
import multiprocessing
import os
import queue
import secrets
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bench.house import LIFTED, command
from bench.processes import MEASURED_CORE, OTHER_CORE, serving
from bench.shots import JSON, PROVIDERS, TINY
from demo.client import Application
from tests.databases import sqlite

CLIENTS = 120
LEAD = 1.5
SECONDS = 2.0
REQUESTS = 100

SERVERS: Mapping[str, Mapping[str, str]] = {
    "as delivered": {},
    "turns alone": LIFTED,
    "nothing": {**LIFTED, "PORTUNUS_CONCURRENCY": "100000"},
}
FLOODS = {"tiny queries": TINY, "provider lists": PROVIDERS}


@dataclass(frozen=True, slots=True)
class Tenant:
    url: str
    token: str

    def post(self, session: aiohttp.ClientSession, document: str) -> Any:
        headers = {**JSON, "Authorization": f"Bearer {self.token}"}
        return session.post(f"{self.url}/graphql", data=json.dumps({"query": document}), headers=headers)


@dataclass(frozen=True, slots=True)
class Installation:
    """A migrated database with two tenants, to be served with one set of limits after another."""

    home: Path
    environment: Mapping[str, str]
    clients: tuple[tuple[str, str], ...]

    @classmethod
    def under(cls, home: Path) -> "Installation":
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        environment = {"PORTUNUS_DATABASE_URL": sqlite(home).app, "PORTUNUS_MASTER_KEY": key}
        command(environment, "migrate")
        opened = [json.loads(command(environment, "open-tenant", name, "--json")) for name in "AB"]
        return cls(home, environment, tuple((each["client_id"], each["client_secret"]) for each in opened))

    @contextlib.contextmanager
    def served(self, limits: Mapping[str, str]) -> Iterator[list[Tenant]]:
        environment, log = {**self.environment, **limits}, self.home / "log"
        with serving(["-m", "api.cli", "serve"], environment, log, ready="/readyz", core=MEASURED_CORE) as portunus:
            url = portunus.url
            yield [Tenant(url, Application(url, *client).token["access_token"]) for client in self.clients]


async def latencies(tenant: Tenant) -> list[float]:
    """Milliseconds of small requests, one after the other; RuntimeError when one of them is refused."""
    found: list[float] = []
    async with aiohttp.ClientSession(trust_env=False) as session:
        until = time.perf_counter() + SECONDS
        while len(found) < REQUESTS and time.perf_counter() < until:
            began = time.perf_counter()
            async with tenant.post(session, TINY) as answer:
                if b'"viewer"' not in await answer.read():
                    raise RuntimeError(f"tenant B was refused: {answer.status}")
            found.append(1_000 * (time.perf_counter() - began))
    return found


async def flood(tenant: Tenant, document: str) -> Counter[int]:
    """The statuses of what CLIENTS clients get who ask again at once, whatever they are told."""
    statuses: Counter[int] = Counter()
    until = time.perf_counter() + LEAD + SECONDS

    async def client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() < until:
            async with tenant.post(session, document) as answer:
                await answer.read()
                statuses[answer.status] += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return statuses


def flooding(tenant: Tenant, document: str, begins: Any, statuses: "multiprocessing.Queue[Counter[int]]") -> None:
    on_the_other_core()
    os.nice(10)  # B's clock must not wait for A's clients
    begins.set()
    statuses.put(asyncio.run(flood(tenant, document)))


def beside(a: Tenant, b: Tenant, document: str) -> tuple[list[float], Counter[int]]:
    """B's latencies while A floods, and what A was answered."""
    processes = multiprocessing.get_context("spawn")
    statuses: multiprocessing.Queue[Counter[int]] = processes.Queue()
    begins = processes.Event()
    process = processes.Process(target=flooding, args=(a, document, begins, statuses))
    process.start()
    begins.wait(30)
    time.sleep(LEAD)
    found = asyncio.run(latencies(b))
    try:
        answered = statuses.get(timeout=30)
    except queue.Empty:
        answered = Counter[int]()
    process.join(10)
    return found, answered


def report(title: str, alone: list[float], found: list[float], answered: Counter[int]) -> None:
    before, after = statistics.median(alone), statistics.median(found)
    served = answered[200] / (LEAD + SECONDS)
    refused = answered[429] / (LEAD + SECONDS)
    times = f"{before:10.1f}{after:10.1f}{max(found):10.1f}{after / before:8.1f}"
    print(f"  {title:<16}{times}{served:10.0f}{refused:10.0f}")


def on_the_other_core() -> None:
    psutil.Process(os.getpid()).cpu_affinity([OTHER_CORE % (os.cpu_count() or 1)])


def main() -> None:
    on_the_other_core()
    print(f"tenant B's small queries, one at a time, beside {CLIENTS} clients of tenant A; latencies in ms")
    columns = f"{'alone':>10}{'beside A':>10}{'worst':>10}{'ratio':>8}{'A 200/s':>10}{'A 429/s':>10}"
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation.under(Path(folder))
        for name, limits in SERVERS.items():
            print(f"\n{name}\n  {'A floods with':<16}{columns}")
            with installation.served(limits) as (a, b):
                asyncio.run(latencies(b))
                for title, document in FLOODS.items():
                    report(title, asyncio.run(latencies(b)), *beside(a, b, document))


if __name__ == "__main__":
    main()
