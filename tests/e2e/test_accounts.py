"""Accounts as an operator and a person meet them: a served Portunus, its command, and a browser on loopback."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import httpx2
import pytest
from uuid_utils.compat import uuid7

from demo.servers import free_port, running, wait_for
from domain.model.access import Role
from domain.model.ids import InvitationId, TenantId
from domain.model.people import Invitation
from domain.model.tokens import Kind, digest, mint
from infrastructure.db.engine import open_engine
from infrastructure.db.work import begin
from tests.browsing import Browser
from tests.databases import Urls
from tests.e2e.portunus import Served, command, environment

EMAIL, PASSWORD, NEW = "ada@portunus.example", "a long enough password", "another long password"


@pytest.fixture
async def portunus(sqlite_urls: Urls, tmp_path: Path) -> AsyncIterator[Served]:
    """One whose issuer is the very address that it is served at."""
    port, log = free_port(), tmp_path / "portunus.log"
    url = f"http://127.0.0.1:{port}"
    settings = environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_ISSUER=url, PORTUNUS_LOG_LEVEL="DEBUG")
    with running(["-m", "api.cli", "serve", "--port", str(port)], settings, log) as process:
        wait_for(f"{url}/readyz", log)
        yield Served(url, settings, process, log)


async def invited(urls: Urls, tenant_id: TenantId) -> str:
    token, now = mint(Kind.INVITATION, tenant_id, token_bytes(32)), datetime.now(UTC)
    engine, ids = open_engine(urls.app), (tenant_id, InvitationId(uuid7()))
    async with begin(engine)(tenant_id) as work:
        week = timedelta(days=7)
        await work.invitations.add(Invitation(*ids, EMAIL, Role.OWNER, digest(token), now, now + week))
    await engine.dispose()
    return token


async def test_from_an_invitation_to_a_lost_password(portunus: Served, sqlite_urls: Urls) -> None:
    tenant_id = TenantId(UUID(portunus.open_tenant("Acme")["tenant"]))
    token = await invited(sqlite_urls, tenant_id)
    async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False, headers={"accept": "text/html"}) as http:
        ada = Browser(http, portunus.url)
        page = await ada.open(f"/invitation?token={token}")
        page = await ada.submit(page, "create-account", name="Ada", password=PASSWORD)
        assert "You have joined." in page.text
        session = http.cookies["portunus"]
        page = await ada.submit(page, "sign-out")
        printed = command(portunus.environment, "reset-password", EMAIL)
        assert printed.returncode == 0, printed.stderr
        link = printed.stdout.strip()
        assert link.startswith(f"{portunus.url}/reset?token=ptn_pr_")
        page = await ada.submit(await ada.open(link.removeprefix(portunus.url)), "reset-password", password=NEW)
        assert "Your password is changed." in page.text
        http.cookies.clear()
        page = await ada.submit(await ada.open("/account"), "sign-in", email=EMAIL, password=PASSWORD)
        assert page.status_code == 403
        page = await ada.submit(page, "sign-in", email=EMAIL, password=NEW)
        assert (page.url.path, "Acme" in page.text) == ("/account", True)
        secrets = [token, PASSWORD, NEW, session, http.cookies["portunus"], link.partition("=")[2]]
    logged = portunus.log.read_text()
    assert "the database is fit to serve" in logged
    assert [secret for secret in secrets if secret in logged] == []


def test_there_is_no_link_for_an_unknown_address(sqlite_urls: Urls) -> None:
    done = command({**os.environ, **environment(sqlite_urls, "http://127.0.0.1:9")}, "reset-password", EMAIL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no such person." in done.stderr
