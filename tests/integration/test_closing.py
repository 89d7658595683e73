"""A closed tenant on real databases: all of it goes, whoever owns the tables, and nothing opens what was sealed."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import CredentialUnreadable, NotFound
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, Opening, SealContext
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.selection import KeySource
from domain.ports import Vault
from domain.usecases.rotation import Rotation
from domain.usecases.sealing import sealed_into
from infrastructure.background import Detached
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.vault import RsaVault
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.migrate import migrate
from infrastructure.db.roll_call import SqlRollCall
from infrastructure.db.tables import metadata
from infrastructure.db.work import begin
from tests.belongings import MASTER_KEYS, MODEL, a_client, a_credential, a_hold, a_pot, a_record, a_tenant, a_token
from tests.databases import Urls, drop_database, fresh_database
from tests.fakes import FakeVault

FORM: FormValues = {"key": Secret("sk-canary-0123456789")}


@pytest.fixture
def plainly_owned(superuser: str) -> Iterator[Urls]:
    """A migrated database whose owner is no superuser: row-level security binds it too, for it is forced."""
    urls = asyncio.run(_plainly_owned(superuser))
    yield urls
    asyncio.run(drop_database(superuser, urls))
    asyncio.run(_run(superuser, f"DROP ROLE {make_url(urls.owner).username}"))


async def _plainly_owned(superuser: str) -> Urls:
    urls = await fresh_database(superuser)
    database, app = make_url(urls.owner).database, make_url(urls.app)
    role = f"owner_{database}"
    for statement in (
        f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{app.password}'",
        f"CREATE ROLE {app.username} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{app.password}'",
        f"ALTER DATABASE {database} OWNER TO {role}",
    ):
        await _run(superuser, statement)
    owner = make_url(urls.owner).set(username=role, password=app.password).render_as_string(hide_password=False)
    await migrate(owner, urls.app)
    return Urls(owner, urls.app)


async def _run(url: str, statement: str) -> None:
    engine = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def moved_in(engine: AsyncEngine, vault: Vault) -> Opening:
    """A tenant that has some of everything, and what its credential is sealed in."""
    tenant = a_tenant()
    key, client, pot = await vault.keypair(tenant.id, KeyId(uuid7())), a_client(tenant.id), a_pot(tenant.id)
    async with begin(engine)(tenant.id) as work:
        await work.tenants.add(tenant)
        await work.keys.add(key)
        await work.clients.add(client)
        await work.tokens.add(a_token(client))
        await work.choices.put_default(MODEL)
        await work.choices.put_preferred("acme", KeySource.OWN)
        await work.models.disable(MODEL, tenant.opened_at)
        await work.pots.add(pot)
    credential = await added(engine, vault, tenant.id)
    await ledger_on(engine).hold(a_hold((pot, 1)))
    await ledger_on(engine).settle(a_record(tenant.id), incident="noted")
    async with begin(engine)(tenant.id) as work:
        return await work.envelopes.one(credential.id)


async def added(engine: AsyncEngine, vault: Vault, tenant_id: TenantId) -> Credential:
    credential = a_credential(tenant_id, str(uuid7()))
    await sealed_into(
        begin(engine),
        vault,
        SealContext.of(credential),
        FORM,
        lambda work, sealed: work.credentials.add(credential, sealed),
    )
    return credential


def rotation_on(engine: AsyncEngine, vault: Vault) -> Rotation:
    return Rotation(begin(engine, master_keys=MASTER_KEYS), vault, SqlRollCall(engine), Detached(), uuid7)


async def closed(engine: AsyncEngine, tenant_id: TenantId) -> None:
    async with begin(engine)(tenant_id) as work:
        await work.tenants.close()


async def left(superuser: str, urls: Urls, tenant_id: TenantId) -> dict[str, int]:
    """How many rows of the tenant each table has, seen by one whom no policy binds."""
    url = make_url(superuser).set(database=make_url(urls.app).database).render_as_string(hide_password=False)
    engine = open_engine(url)
    async with engine.connect() as connection:
        counts = {
            table.name: await connection.scalar(
                select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
            )
            for table in metadata.sorted_tables
            if "tenant_id" in table.c
        }
    await engine.dispose()
    return {name: count for name, count in counts.items() if count}


async def test_the_app_closes_a_tenant_whose_records_it_may_not_delete(superuser: str, plainly_owned: Urls) -> None:
    """Also past forced row-level security, which binds the owner as whom the cascade runs."""
    engine = open_engine(plainly_owned.app)
    gone, stays = await moved_in(engine, FakeVault()), await moved_in(engine, FakeVault())
    tables = {"tenants", "tenant_keys", "clients", "tokens", "credentials", "pots", "holds"}
    tables |= {"call_records", "incidents", "default_models", "preferred_sources", "disabled_models"}
    before = await left(superuser, plainly_owned, stays.context.tenant_id)
    assert set(await left(superuser, plainly_owned, gone.context.tenant_id)) == set(before) == tables
    await closed(engine, gone.context.tenant_id)
    assert await left(superuser, plainly_owned, gone.context.tenant_id) == {}
    assert await left(superuser, plainly_owned, stays.context.tenant_id) == before
    await engine.dispose()


async def test_nothing_that_is_left_opens_a_backup_of_the_envelope(engine: AsyncEngine) -> None:
    vault = RsaVault(MasterKeys.of(b"m" * 32))
    backup, other = await moved_in(engine, vault), await moved_in(engine, vault)
    assert await vault.open(backup.key, backup.context, backup.sealed) == FORM
    await closed(engine, backup.context.tenant_id)
    vault.forget(backup.context.tenant_id)
    async with begin(engine)(backup.context.tenant_id) as work:
        assert list(await work.keys.all()) == []
    renamed = replace(other.key, tenant_id=backup.key.tenant_id, id=backup.key.id)
    unwrapped = replace(backup.key, wrapped_private=other.key.wrapped_private)
    for key in (other.key, renamed, unwrapped, replace(backup.key, wrapped_private=backup.key.public)):
        with pytest.raises(CredentialUnreadable):
            await vault.open(key, backup.context, backup.sealed)
    assert await vault.open(other.key, other.context, other.sealed) == FORM
    vault.close()


async def test_sqlite_keeps_no_byte_of_a_shredded_key(sqlite_urls: Urls) -> None:
    vault, engine = RsaVault(MasterKeys.of(b"m" * 32)), open_engine(sqlite_urls.app)
    path = Path(make_url(sqlite_urls.app).database or "")
    rotated, closing = await moved_in(engine, vault), await moved_in(engine, vault)
    await rotation_on(engine, vault).renew(rotated.context.tenant_id)
    await closed(engine, closing.context.tenant_id)
    await engine.dispose()
    vault.close()
    files = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    for gone in (rotated, closing):
        assert gone.key.wrapped_private not in files
        assert gone.key.wrapped_private[:64] not in files
        assert gone.sealed.envelope[-64:] not in files


async def test_who_adds_or_settles_while_the_tenant_is_closed_meets_nothing_worse_than_not_found(
    superuser: str, postgres_engine: AsyncEngine, postgres_urls: Urls
) -> None:
    vault, ledger = FakeVault(), ledger_on(postgres_engine)

    async def add(tenant_id: TenantId) -> None:
        while True:
            await added(postgres_engine, vault, tenant_id)

    async def settle(tenant_id: TenantId) -> None:
        for _ in range(20):
            await ledger.settle(a_record(tenant_id), incident="noted")

    for _ in range(10):
        tenant_id = (await moved_in(postgres_engine, vault)).context.tenant_id
        rotation = rotation_on(postgres_engine, vault)
        busy = [asyncio.create_task(add(tenant_id)) for _ in range(4)]
        busy += [asyncio.create_task(settle(tenant_id)) for _ in range(4)]
        busy.append(asyncio.create_task(_rotating(rotation, tenant_id)))
        await asyncio.sleep(0.05)
        await closed(postgres_engine, tenant_id)
        outcomes = await asyncio.gather(*busy, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {NotFound, type(None)}
        assert await left(superuser, postgres_urls, tenant_id) == {}


async def _rotating(rotation: Rotation, tenant_id: TenantId) -> None:
    while True:
        await rotation.renew(tenant_id)
