"""An operator rotates keys and closes tenants from a shell, while Portunus serves them."""

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from demo.servers import ROOT
from domain.errors import CredentialUnreadable
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext
from domain.model.ids import TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey
from domain.ports import Begin
from domain.usecases.sealing import sealed_into
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.vault import RsaVault
from infrastructure.db.engine import open_engine
from infrastructure.db.tables import credentials as credential_rows
from infrastructure.db.work import begin
from infrastructure.keyring import LeasedKeyring
from tests.belongings import a_credential
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY, command, environment, served

NEW_KEY = base64.b64encode(b"n" * 32).decode()
FORM: FormValues = {"key": Secret("sk-canary-0123456789")}
VENDOR = "http://127.0.0.1:9"
KEYS = "{ tenant { keys { newest credentials } } }"


@dataclass(frozen=True, slots=True)
class Look:
    """Into the database of a Portunus, with master keys of its own."""

    begin: Begin
    vault: RsaVault

    async def lay(self, tenant_id: TenantId, many: int) -> list[Credential]:
        credentials = [a_credential(tenant_id, str(uuid7())) for _ in range(many)]
        for each in credentials:
            await sealed_into(
                self.begin,
                self.vault,
                SealContext.of(each),
                FORM,
                lambda work, sealed, each=each: work.credentials.add(each, sealed),  # type: ignore[misc]
            )
        return credentials

    async def opened(self, credentials: Sequence[Credential]) -> list[FormValues]:
        keyring = LeasedKeyring(self.begin, self.vault, lambda: datetime.now(UTC), {}, lease=timedelta(0))
        return [await keyring.own(credential) for credential in credentials]

    async def keys(self, tenant_id: TenantId) -> list[TenantKey]:
        async with self.begin(tenant_id) as work:
            return list(await work.keys.all())


@asynccontextmanager
async def look(urls: Urls, master_key: str = MASTER_KEY) -> AsyncIterator[Look]:
    engine, vault = open_engine(urls.app), RsaVault(MasterKeys.of(base64.b64decode(master_key)))
    yield Look(begin(engine), vault)
    vault.close()
    await engine.dispose()


def tenant_of(opened: dict[str, str]) -> TenantId:
    return TenantId(UUID(opened["tenant"]))


async def test_a_tenants_key_is_rotated_from_the_shell(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, VENDOR), tmp_path) as portunus:
        opened = portunus.open_tenant("Acme")
        async with look(urls) as inside, portunus.client_of(opened) as client:
            credentials = await inside.lay(tenant_of(opened), 2)
            (old,) = await inside.keys(tenant_of(opened))
            done = command(portunus.environment, "rotate-tenant-key", opened["tenant"])
            assert (done.returncode, done.stderr) == (0, "") or "SQLite" in done.stderr
            assert "2 were sealed anew" in done.stdout
            assert "No older key is left" in done.stdout
            (new,) = await inside.keys(tenant_of(opened))
            assert new.id != old.id
            assert str(new.id) in done.stdout
            assert (await client.ask(KEYS))["tenant"]["keys"] == [{"newest": True, "credentials": 2}]
            assert await inside.opened(credentials) == [FORM] * 2


async def test_a_rotation_whose_process_is_killed_goes_on_in_another(postgres_urls: Urls, tmp_path: Path) -> None:
    with served(environment(postgres_urls, VENDOR), tmp_path) as portunus:
        opened = portunus.open_tenant("Acme")
        tenant_id = tenant_of(opened)
        async with look(postgres_urls) as inside:
            credentials = await inside.lay(tenant_id, 12)
            async with locked(postgres_urls, credentials[7]):
                call = [sys.executable, "-m", "api.cli", "rotate-tenant-key", opened["tenant"]]
                settings = {**os.environ, **portunus.environment}
                doomed = await asyncio.create_subprocess_exec(
                    *call, env=settings, cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL
                )
                while await moved(inside, tenant_id) < 7:
                    assert doomed.returncode is None
                    await asyncio.sleep(0.01)
                doomed.kill()
                await doomed.wait()
            assert await moved(inside, tenant_id) == 7
            assert await inside.opened(credentials) == [FORM] * 12
            done = command(portunus.environment, "rotate-tenant-key", opened["tenant"])
            assert done.stdout.startswith("The newest key")
            assert "5 were sealed anew" in done.stdout
            assert len(await inside.keys(tenant_id)) == 1
            assert await inside.opened(credentials) == [FORM] * 12


@asynccontextmanager
async def locked(urls: Urls, credential: Credential) -> AsyncIterator[None]:
    """Nobody else changes that credential."""
    engine = open_engine(urls.owner)
    async with engine.begin() as connection:
        row = select(credential_rows.c.id).where(credential_rows.c.id == credential.id)
        await connection.execute(row.with_for_update())
        yield
    await engine.dispose()


async def moved(inside: Look, tenant_id: TenantId) -> int:
    """How many credentials are sealed under a newer key than the first."""
    async with inside.begin(tenant_id) as work:
        keys = await work.keys.all()
        return (await work.envelopes.counts()).get(keys[-1].id, 0) if len(keys) > 1 else 0


async def test_the_master_key_is_rotated_from_the_shell(sqlite_urls: Urls) -> None:
    urls = sqlite_urls
    opened = json.loads(command(environment(urls, VENDOR), "open-tenant", "Acme", "--json").stdout)
    assert command(environment(urls, VENDOR), "rotate-signing-key").returncode == 0
    async with look(urls) as before, look(urls, NEW_KEY) as after:
        credentials = await before.lay(tenant_of(opened), 1)
        alone = command(environment(urls, VENDOR, PORTUNUS_MASTER_KEY=NEW_KEY), "rotate-master-key")
        assert alone.returncode == 2
        assert f"under master key {before.vault.master_key_id}, which is not configured here: " in alone.stdout
        both = environment(urls, VENDOR, PORTUNUS_MASTER_KEY=f"{NEW_KEY},{MASTER_KEY}")
        first, again = command(both, "rotate-master-key"), command(both, "rotate-master-key")
        assert f"under master key {after.vault.master_key_id}, the first: " in first.stdout
        assert f"under master key {before.vault.master_key_id}: 0" in first.stdout
        assert " 0 keys wrapped anew" in again.stdout
        assert (first.returncode, again.returncode) == (0, 0), first.stderr
        assert "can be taken away" in again.stdout
        assert command(environment(urls, VENDOR, PORTUNUS_MASTER_KEY=NEW_KEY), "rotate-master-key").returncode == 0
        assert await after.opened(credentials) == [FORM]
        with pytest.raises(CredentialUnreadable):
            await before.opened(credentials)


async def test_the_issuers_key_is_rotated_from_the_shell_and_found_at_once(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, VENDOR), tmp_path) as portunus:
        async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False) as http:
            found = (await http.get("/.well-known/openid-configuration")).json()
            place = found["jwks_uri"].removeprefix(found["issuer"])
            before = (await http.get(place)).json()["keys"]
            done = command(portunus.environment, "rotate-signing-key")
            assert (done.returncode, "signs in 300 seconds" in done.stdout) == (0, True)
            after = await http.get(place)
        assert after.headers["cache-control"] == "public, max-age=300"
        new = [key["kid"] for key in after.json()["keys"] if key not in before]
        assert len(new) == 1
        assert new[0] in done.stdout


async def test_a_tenant_is_closed_from_the_shell_and_its_token_ends(postgres_urls: Urls, tmp_path: Path) -> None:
    with served(environment(postgres_urls, VENDOR), tmp_path) as portunus:
        opened = portunus.open_tenant("Acme")
        async with portunus.client_of(opened) as client:
            asked = command(portunus.environment, "close-tenant", opened["tenant"])
            assert asked.returncode == 2
            assert "This deletes 'Acme'" in asked.stderr
            assert (await client.ask("{ tenant { name } }"))["tenant"] == {"name": "Acme"}
            done = command(portunus.environment, "close-tenant", opened["tenant"], "--yes")
            assert (done.returncode, done.stdout.startswith("'Acme' is closed")) == (0, True)
            while (await client.http.post("/graphql", json={"query": "{ viewer { id } }"})).status_code != 401:
                await asyncio.sleep(0.05)
            async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False) as http:
                secret = (opened["client_id"], opened["client_secret"])
                answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=secret)
                assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("name", ["rotate-tenant-key", "close-tenant"])
def test_what_is_no_tenant_is_refused_in_a_sentence(sqlite_urls: Urls, name: str) -> None:
    settings = environment(sqlite_urls, VENDOR)
    unknown = command(settings, name, str(uuid7()))
    assert unknown.returncode == 2
    assert "There is no such tenant" in unknown.stderr
    assert "Traceback" not in unknown.stderr
