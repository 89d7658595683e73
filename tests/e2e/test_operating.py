"""What an operator meets: refusals to start, health, migrations, and opening tenants."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from uuid_utils.compat import uuid7

from demo.servers import free_port
from domain.errors import NotFound
from domain.model.access import AccessToken
from domain.model.ids import TenantId
from domain.model.leftovers import Leftover
from infrastructure.db.engine import open_engine
from infrastructure.db.work import begin
from tests.belongings import NOW, a_client, a_token
from tests.databases import Urls, drop_database, fresh_database, sqlite
from tests.e2e.portunus import Served, command, environment, served

OPEN = """mutation Open($input: OpenTenantInput!) { openTenant(input: $input) {
  ... on OpenTenantPayload { tenant { name } clientId clientSecret } ... on Problem { code message } } }"""
CANARY = "canary-6a1f04"


def serve(settings: dict[str, str]) -> tuple[int, str]:
    """The status and the last words of a `portunus serve` that is expected to refuse."""
    done = command(settings, "serve", "--port", str(free_port()))
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_it_refuses_to_serve_without_a_master_key(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9")
    del settings["PORTUNUS_MASTER_KEY"]
    status, said = serve(settings)
    assert status == 2
    assert "PORTUNUS_MASTER_KEY" in said


@pytest.mark.parametrize("key", [CANARY, base64.b64encode(CANARY.encode()).decode()])
def test_a_malformed_master_key_is_refused_and_not_repeated(sqlite_urls: Urls, key: str) -> None:
    status, said = serve(environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_MASTER_KEY=key))
    assert status == 2
    assert key not in said
    assert "32 random bytes" in said


def test_a_wrong_setting_is_named_and_its_value_is_not(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_TOKEN_SECONDS=CANARY)
    status, said = serve(settings)
    assert status == 2
    assert "PORTUNUS_TOKEN_SECONDS" in said
    assert CANARY not in said


def test_wrong_platform_keys_are_refused_and_not_repeated(sqlite_urls: Urls) -> None:
    form = f'{{"openai": {{"api_key": "{CANARY}"}}}}'
    status, said = serve(environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_PLATFORM_KEYS=form))
    assert status == 2
    assert "PORTUNUS_PLATFORM_KEYS" in said
    assert CANARY not in said


def test_it_refuses_to_serve_with_pending_migrations(tmp_path: Path) -> None:
    status, said = serve(environment(sqlite(tmp_path), "http://127.0.0.1:9"))
    assert status == 2
    assert "portunus migrate" in said


async def test_it_refuses_a_role_that_row_level_security_does_not_bind(superuser: str) -> None:
    urls = await fresh_database(superuser)
    as_owner = environment(Urls(urls.owner, urls.owner), "http://127.0.0.1:9")
    assert command(as_owner, "migrate").returncode == 0
    status, said = serve(as_owner)
    assert status == 2
    assert "Row-level security would not hold" in said


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    settings = environment(sqlite(tmp_path), "http://127.0.0.1:9")
    first, second = command(settings, "migrate"), command(settings, "migrate")
    assert (first.returncode, first.stdout) == (0, second.stdout)


def test_a_name_that_cannot_be_is_refused_in_a_sentence(sqlite_urls: Urls) -> None:
    done = command(environment(sqlite_urls, "http://127.0.0.1:9"), "open-tenant", " ")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("name must have 1 to 100 characters.")


def test_a_tenant_is_opened_with_a_link_for_its_owner(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9", PORTUNUS_ISSUER="https://portunus.example")
    done = command(settings, "open-tenant", "Acme", "--owner", "ada@example.org", "--json")
    assert done.returncode == 0, done.stderr
    opened = json.loads(done.stdout)
    assert opened["invitation"].startswith("https://portunus.example/invitation?token=ptn_in_")
    assert "invitation" not in json.loads(command(settings, "open-tenant", "Globex", "--json").stdout)


def test_an_owner_without_an_address_opens_nothing(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9")
    done = command(settings, "open-tenant", "Acme", "--owner", "ada")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("owner must be an e-mail address.")
    assert "tenants seen" not in command(settings, "rotate-master-key").stdout


def test_people_are_invited_from_the_shell(sqlite_urls: Urls) -> None:
    settings = environment(sqlite_urls, "http://127.0.0.1:9")
    tenant = json.loads(command(settings, "open-tenant", "Acme", "--json").stdout)["tenant"]
    done = command(settings, "invite", tenant, "bob@example.org", "--role", "auditor")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:8080/invitation?token=ptn_in_")
    for refused in (
        (str(uuid7()), "bob@example.org", "--role", "auditor"),
        (tenant, "bob", "--role", "auditor"),
        (tenant, "bob@example.org", "--role", "king"),
        (tenant, "bob@example.org"),
    ):
        done = command(settings, "invite", *refused)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


async def expired_token(urls: Urls, tenant_id: TenantId) -> AccessToken:
    """Stored since long."""
    engine, client = open_engine(urls.app), a_client(tenant_id)
    token = replace(a_token(client), expires_at=NOW - timedelta(days=9))
    async with begin(engine)(tenant_id) as work:
        await work.clients.add(client)
        await work.tokens.add(token)
    await engine.dispose()
    return token


async def is_there(urls: Urls, token: AccessToken) -> bool:
    engine = open_engine(urls.app)
    try:
        async with begin(engine)(token.tenant_id) as work:
            await work.tokens.one(token.digest)
    except NotFound:
        return False
    finally:
        await engine.dispose()
    return True


async def test_what_is_over_is_removed_from_the_shell_and_counted(urls: Urls) -> None:
    settings = environment(urls, "http://127.0.0.1:9")
    tenant = TenantId(UUID(json.loads(command(settings, "open-tenant", "Acme", "--json").stdout)["tenant"]))
    token = await expired_token(urls, tenant)
    first, again = command(settings, "prune"), command(settings, "prune")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    counts = [dict(line.rsplit(":", 1) for line in done.stdout.splitlines()) for done in (first, again)]
    assert [list(each) for each in counts] == [[what.value for what in Leftover]] * 2
    assert int(counts[0]["access tokens"]) >= 1
    assert int(counts[1]["access tokens"]) == 0
    assert not await is_there(urls, token)


async def test_a_process_that_serves_removes_what_is_over(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, "http://127.0.0.1:9", PORTUNUS_PRUNE_SECONDS="0.1"), tmp_path) as portunus:
        token = await expired_token(urls, TenantId(UUID(portunus.open_tenant("Acme")["tenant"])))
        async with asyncio.timeout(30):
            while await is_there(urls, token):
                await asyncio.sleep(0.05)


async def test_only_an_operators_client_opens_tenants(urls: Urls, tmp_path: Path) -> None:
    with served(environment(urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        async with portunus.client_of(portunus.open_tenant("Acme")) as tenant:
            assert await tenant.refused(OPEN, input={"name": "Sly"}) == ["FORBIDDEN"]
        async with portunus.client_of(portunus.open_tenant("Operator", "--operator")) as operator:
            opened = (await operator.ask(OPEN, input={"name": "Globex"}))["openTenant"]
            assert opened["tenant"] == {"name": "Globex"}
        client = {"client_id": opened["clientId"], "client_secret": opened["clientSecret"]}
        async with portunus.client_of(client) as globex:
            seen = await globex.ask("{ tenant { name } viewer { clientId scopes } quotas { nodes { granted free } } }")
            assert seen["tenant"] == {"name": "Globex"}
            assert seen["viewer"]["clientId"] == opened["clientId"]
            assert "tenants:open" not in seen["viewer"]["scopes"]
            assert [int(quota["free"]) for quota in seen["quotas"]["nodes"]] == [3]
            assert await globex.refused(OPEN, input={"name": "Sly"}) == ["FORBIDDEN"]


async def test_a_token_does_no_more_than_its_scopes(sqlite_urls: Urls, tmp_path: Path) -> None:
    with served(environment(sqlite_urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        async with portunus.client_of(portunus.open_tenant("Acme"), scope="quotas:read") as narrow:
            assert (await narrow.ask("{ quotas { nodes { kind } } }"))["quotas"]["nodes"] == [{"kind": "TRIAL"}]
            assert await narrow.refused("{ tenant { name } }") == ["FORBIDDEN"]
            await no_token(portunus)


async def no_token(portunus: Served) -> None:
    async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False) as nobody:
        body = {"query": "{ viewer { id } }"}
        answer = await nobody.post("/graphql", json=body)
        assert answer.status_code == 401
        assert "oauth-protected-resource" in answer.headers["www-authenticate"]
        for token in ("nonsense", "ptn_at_" + "0" * 60):
            answer = await nobody.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert token not in answer.text


async def test_health_tells_alive_from_ready(superuser: str, tmp_path: Path) -> None:
    urls = await fresh_database(superuser)
    with served(environment(urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        async with httpx2.AsyncClient(base_url=portunus.url, trust_env=False) as http:
            assert (await http.get("/livez")).status_code == 200
            assert (await http.get("/readyz")).json() == {"ready": True}
            await drop_database(superuser, urls)
            assert (await http.get("/livez")).status_code == 200
            unready = await http.get("/readyz")
            assert (unready.status_code, unready.json()["ready"]) == (503, False)


async def test_exactly_one_host_header(sqlite_urls: Urls, tmp_path: Path) -> None:
    with served(environment(sqlite_urls, "http://127.0.0.1:9"), tmp_path) as portunus:
        port = int(portunus.url.rpartition(":")[2])
        for hosts in ("", "Host: a\r\nHost: b\r\n"):
            assert await status(port, f"GET /livez HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n") == 400
        assert await status(port, "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == 200


async def status(port: int, request: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])
