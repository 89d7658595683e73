"""The audit suite of the npm package graphql-http, run by Node against a served front: `make audit`.

It needs Node and two packages, which no other test does. `make audit` fetches them and fails without them; elsewhere
the test runs when they are there, and is reported as skipped when they are not.
"""

import asyncio
import json
import os
import shutil
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from tests.e2e.front import Front, front
from tests.graphql_house import House

HERE = Path(__file__).parent / "audit"
DEVIATIONS = {"86EE"}
"""Each is argued in docs/graphql.md."""


async def audited(asked: Front) -> list[dict[str, Any]]:
    command = ("node", str(HERE / "audit.js"), asked.url, asked.token)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return [json.loads(line) for line in said.splitlines()]


def check_tools() -> None:
    """Skip, or under `make audit` fail, without Node or the packages."""
    if shutil.which("node") and (HERE / "node_modules" / "graphql-http").is_dir():
        return
    reason = "the audit needs Node 20 or newer and its packages: run `make audit`"
    if os.environ.get("PORTUNUS_AUDIT"):
        pytest.fail(reason)
    pytest.skip(reason)


async def test_the_audit_suite_finds_nothing_but_what_is_argued() -> None:
    check_tools()
    async with front(House()) as asked:
        audits = await audited(asked)
    assert len(audits) == 61
    assert {audit["id"] for audit in audits if audit["status"] != "ok"} == DEVIATIONS
    assert not [audit for audit in audits if audit["status"] == "error"]
