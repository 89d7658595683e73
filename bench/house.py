"""Portunus as it is measured: PostgreSQL, a tenant with its own sealed key at the stub, everything on."""

import base64
import contextlib
import functools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.processes import MEASURED_CORE, Server, serving
from demo import documents
from demo.client import Application
from demo.servers import ROOT
from tests.databases import postgres

LIFTED = {
    f"PORTUNUS_{whose}_{what}": "1000000000"
    for whose in ("CLIENT", "TENANT")
    for what in ("COST", "COST_PER_SECOND", "REQUESTS_PER_SECOND", "CONCURRENCY")
}
"""Limits that one client which measures must not meet."""

_CLIENTS: dict[str, tuple[str, str]] = {}


def command(environment: Mapping[str, str], *arguments: str) -> str:
    """The output of one `portunus` command."""
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@contextlib.contextmanager
def portunus(home: Path, stub_url: str) -> Iterator[Server]:
    """A served Portunus with one tenant, whose client `bearer` knows."""
    with postgres(home) as urls:
        environment = {
            "PORTUNUS_DATABASE_URL": urls.app,
            "PORTUNUS_MIGRATION_URL": urls.owner,
            "PORTUNUS_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "PORTUNUS_ALLOWED_NETWORKS": "127.0.0.0/8",
            **LIFTED,
        }
        command(environment, "migrate")
        opened = json.loads(command(environment, "open-tenant", "Bench", "--json"))
        arguments = ["-m", "api.cli", "serve"]
        log = home / "portunus.log"
        with serving(arguments, environment, log, ready="/readyz", core=MEASURED_CORE) as server:
            _CLIENTS[server.url] = (opened["client_id"], opened["client_secret"])
            _bring_key(application(server.url), stub_url)
            yield server


@functools.cache
def application(url: str) -> Application:
    """An application of the tenant served at `url`."""
    return Application(url, *_CLIENTS[url])


def bearer(url: str) -> str:
    """Its access token."""
    token: str = application(url).token["access_token"]
    return token


def _bring_key(app: Application, stub_url: str) -> None:
    fields = [{"name": "openai_api_key", "value": "sk-bench"}, {"name": "openai_api_base", "value": f"{stub_url}/v1"}]
    added = app.ask(documents.ADD_CREDENTIAL, input={"provider": "openai", "name": "bench", "fields": fields})
    if "credential" not in added["addCredential"]:
        raise RuntimeError(added["addCredential"]["message"])
