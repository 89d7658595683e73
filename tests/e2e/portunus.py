"""Portunus as an operator runs it: migrated, served by its own command in a process of its own, tenants opened."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from demo.servers import ROOT, free_port, running, wait_for
from tests.databases import Urls

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
PLATFORM_KEY = "sk-platform-0123456789"


def command(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What one `portunus` command did."""
    call, own = [sys.executable, "-m", "api.cli", *arguments], {**os.environ, **environment}
    return subprocess.run(call, env=own, cwd=ROOT, capture_output=True, text=True, timeout=120)


def environment(urls: Urls, vendor: str, **more: str) -> dict[str, str]:
    """`vendor` is where the platform's own OpenAI key is good."""
    return {
        "PORTUNUS_DATABASE_URL": urls.app,
        "PORTUNUS_MIGRATION_URL": urls.owner,
        "PORTUNUS_MASTER_KEY": MASTER_KEY,
        "PORTUNUS_PLATFORM_KEYS": json.dumps(
            {"openai": {"openai_api_key": PLATFORM_KEY, "openai_api_base": f"{vendor}/v1"}}
        ),
        "PORTUNUS_TRIAL_CALLS": "3",
        "PORTUNUS_ALLOWED_NETWORKS": "127.0.0.0/8",
        **more,
    }


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def open_tenant(self, name: str, *options: str) -> dict[str, str]:
        """Its id, client id and client secret."""
        opened = command(self.environment, "open-tenant", name, "--json", *options)
        assert opened.returncode == 0, opened.stderr
        found: dict[str, str] = json.loads(opened.stdout)
        return found

    @asynccontextmanager
    async def client_of(self, opened: Mapping[str, str], scope: str | None = None) -> AsyncIterator["Client"]:
        async with httpx2.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as http:
            asked = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
            answer = await http.post("/oauth/token", data=asked, auth=(opened["client_id"], opened["client_secret"]))
            assert answer.status_code == 200, answer.text
            http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield Client(http)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def served(environment: Mapping[str, str], home: Path, port: int | None = None) -> Iterator[Served]:
    """A migrated database with Portunus serving it, on a free port unless one is named."""
    done = command(environment, "migrate")
    assert done.returncode == 0, done.stderr
    with serving(environment, home, port) as portunus:
        yield portunus


@contextlib.contextmanager
def serving(environment: Mapping[str, str], home: Path, port: int | None = None) -> Iterator[Served]:
    port = port or free_port()
    log = home / f"portunus-{port}.log"
    with running(["-m", "api.cli", "serve", "--port", str(port)], environment, log) as process:
        wait_for(f"http://127.0.0.1:{port}/readyz", log)
        yield Served(f"http://127.0.0.1:{port}", environment, process, log)


@dataclass(frozen=True, slots=True)
class Client:
    """A tenant's application."""

    http: httpx2.AsyncClient

    async def ask(self, document: str, **variables: Any) -> Any:
        """The `data` of the answer, which must have no errors."""
        body = (await self.http.post("/graphql", json={"query": document, "variables": variables})).json()
        assert "errors" not in body, body
        return body["data"]

    async def refused(self, document: str, **variables: Any) -> list[str]:
        """The codes of the answer's errors."""
        body = (await self.http.post("/graphql", json={"query": document, "variables": variables})).json()
        return [error["extensions"]["code"] for error in body["errors"]]

    @asynccontextmanager
    async def subscribed(self, document: str, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """The `data` of each event over Server-Sent Events; leaving hangs up."""
        body = {"query": document, "variables": variables}
        accept = {"Accept": "text/event-stream"}
        async with self.http.stream("POST", "/graphql", json=body, headers=accept) as answer:
            assert answer.status_code == 200

            async def events() -> AsyncIterator[Any]:
                async for line in answer.aiter_lines():
                    if line.startswith("data: {"):
                        yield json.loads(line.removeprefix("data: "))["data"]

            yield events()
