"""Two tenants, every method of every repository: neither fence lets one see or touch what is the other's."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Table, delete, func, insert, select, text, true, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import NotFound
from domain.model.access import AccessToken, Client, ClientKind, Role
from domain.model.audit import Deed
from domain.model.authorization import Decision
from domain.model.cap import Cap
from domain.model.catalogue import ModelType
from domain.model.credential import Cooling, Credential, Opening, SealContext
from domain.model.custom_model import CustomModel
from domain.model.ids import TenantId
from domain.model.leftovers import OF_TENANT
from domain.model.quota import Pot
from domain.model.selection import KeySource
from domain.model.tenant import TenantKey
from domain.model.usage import CallRecord
from domain.model.usage_totals import Dimension, Span, UsageFilter
from domain.ports import Begin, Work
from infrastructure.db.access_tables import DIRECTORY, members, people
from infrastructure.db.directory import directory
from infrastructure.db.engine import open_engine, unsafe_role
from infrastructure.db.fence import Fence, bind, naming
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.tables import holds, metadata, pots, tenants
from infrastructure.db.work import begin
from tests.belongings import (
    GRANTED,
    MASTER_KEYS,
    MODEL,
    NOW,
    a_cap,
    a_client,
    a_credential,
    a_grant,
    a_hold,
    a_key,
    a_pot,
    a_record,
    a_tenant,
    a_token,
    balance,
    later,
    sealed,
    settled_in,
)
from tests.databases import Urls
from tests.household import Household, a_session, household


def open_gate(_: TenantId, __: Table) -> ColumnElement[bool]:
    """The first fence taken away: row-level security has to stand alone."""
    return true()


@dataclass(frozen=True, slots=True)
class Belongings:
    """One of everything, of one tenant."""

    tenant_id: TenantId
    key: TenantKey
    client: Client
    token: AccessToken
    credential: Credential
    pot: Pot
    cap: Cap
    record: CallRecord
    home: Household

    @property
    def opening(self) -> Opening:
        return Opening(SealContext.of(self.credential), sealed(self.key), self.key)


async def moved_in(engine: AsyncEngine) -> Belongings:
    tenant = a_tenant()
    key, client, pot = a_key(tenant.id), a_client(tenant.id), a_pot(tenant.id)
    credential = a_credential(tenant.id)
    record = replace(a_record(tenant.id), client_id=client.id, credential_id=credential.id)
    at_work = begin(engine, master_keys=MASTER_KEYS)
    async with at_work(tenant.id) as work:
        await work.tenants.add(tenant)
    home = await household(at_work, directory(engine), tenant.id)
    mine = Belongings(tenant.id, key, client, a_token(client), credential, pot, a_cap(tenant.id), record, home)
    async with at_work(tenant.id) as work:
        await work.audit.add(Deed("credential.added", "main"))
        await work.keys.add(key)
        await work.clients.add(client)
        await work.tokens.add(mine.token)
        await work.credentials.add(mine.credential, sealed(key))
        await work.coolings.put(Cooling(mine.credential.id, NOW, "UPSTREAM_RATE_LIMITED"))
        await work.models.add(CustomModel(tenant.id, MODEL, "Best", NOW))
        await work.models.disable(MODEL, NOW)
        await work.caps.put(mine.cap)
        await work.choices.put_default(MODEL)
        await work.choices.put_preferred("acme", KeySource.OWN)
        await work.pots.add(pot)
    ledger = ledger_on(engine, MASTER_KEYS)
    await ledger.grant(a_grant(pot, 1), pot, GRANTED)
    await ledger.hold(a_hold((pot, 1)))
    await ledger.settle(record, incident="noted")
    return mine


async def prune(work: Work, _: Belongings) -> int:
    """Remove whatever is over in a hundred years."""
    over = NOW + timedelta(days=36_500)
    return sum([await work.leftovers.remove(what, over, most=9) for what in OF_TENANT])


LATELY = UsageFilter(Span(NOW - timedelta(days=30), NOW + timedelta(days=1)))

Reading = Callable[[Work, Belongings], Awaitable[Any]]


async def _read(work: Work) -> int:
    return (await work.audit.check({})).entries


READINGS: dict[str, Reading] = {
    "tenants.one": lambda work, _: work.tenants.one(),
    "tenants.close": lambda work, _: work.tenants.close(),
    "keys.newest": lambda work, _: work.keys.newest(),
    "keys.one": lambda work, hers: work.keys.one(hers.key.id),
    "keys.all": lambda work, _: work.keys.all(),
    "keys.pin": lambda work, hers: work.keys.pin(hers.key.id),
    "keys.succeed": lambda work, hers: work.keys.succeed(hers.key.id, a_key(hers.tenant_id)),
    "keys.rewrap": lambda work, hers: work.keys.rewrap(hers.key, hers.key),
    "envelopes.one": lambda work, hers: work.envelopes.one(hers.credential.id),
    "envelopes.under": lambda work, hers: work.envelopes.under(hers.key.id, first=9),
    "envelopes.counts": lambda work, _: work.envelopes.counts(),
    "envelopes.reseal": lambda work, hers: work.envelopes.reseal(hers.opening, sealed(hers.key)),
    "clients.one": lambda work, hers: work.clients.one(hers.client.id),
    "clients.lock": lambda work, hers: work.clients.lock(hers.client.id),
    "clients.some": lambda work, hers: work.clients.some([hers.client.id]),
    "clients.names": lambda work, hers: work.clients.names([hers.client.id]),
    "clients.page": lambda work, _: work.clients.page(list(ClientKind), first=100),
    "clients.put": lambda work, hers: work.clients.put(hers.client),
    "clients.remove": lambda work, hers: work.clients.remove(hers.client.id),
    "tokens.one": lambda work, hers: work.tokens.one(hers.token.digest),
    "tokens.bearer": lambda work, hers: work.tokens.bearer(hers.token.digest),
    "tokens.remove": lambda work, hers: work.tokens.remove(hers.token.digest),
    "tokens.end_family": lambda work, hers: work.tokens.end_family(hers.home.refresh.family_id),
    "tokens.end_client": lambda work, hers: work.tokens.end_client(hers.home.partner.id),
    "members.one": lambda work, hers: work.members.one(hers.home.person.id),
    "members.some": lambda work, hers: work.members.some([hers.home.person.id]),
    "members.page": lambda work, _: work.members.page(first=100),
    "members.put": lambda work, hers: work.members.put(hers.home.person.id, Role.AUDITOR),
    "members.remove": lambda work, hers: work.members.remove(hers.home.person.id),
    "members.lock_owners": lambda work, _: work.members.lock_owners(),
    "invitations.one": lambda work, hers: work.invitations.one(hers.home.invitation.digest),
    "invitations.page": lambda work, _: work.invitations.page(first=100),
    "invitations.take": lambda work, hers: work.invitations.take(hers.home.invitation.digest),
    "invitations.remove_by": lambda work, hers: work.invitations.remove_by(hers.home.person.id, list(Role)),
    "invitations.remove": lambda work, hers: work.invitations.remove(hers.home.invitation.id),
    "consents.one": lambda work, hers: work.consents.one(hers.home.partner.id, hers.home.person.id),
    "consents.of_clients": lambda work, hers: work.consents.of_clients([hers.home.partner.id]),
    "consents.of_person": lambda work, hers: work.consents.of_person(hers.home.person.id),
    "consents.remove": lambda work, hers: work.consents.remove(hers.home.partner.id, hers.home.person.id),
    "codes.lock": lambda work, hers: work.codes.lock(hers.home.code.digest),
    "codes.use": lambda work, hers: work.codes.use(hers.home.code.digest, NOW),
    "refresh_tokens.lock": lambda work, hers: work.refresh_tokens.lock(hers.home.refresh.digest),
    "refresh_tokens.use": lambda work, hers: work.refresh_tokens.use(hers.home.refresh.digest, NOW),
    "devices.lock": lambda work, hers: work.devices.lock(hers.home.device.digest),
    "devices.by_user_code": lambda work, hers: work.devices.by_user_code(hers.home.device.user_code),
    "devices.put": lambda work, hers: work.devices.put(replace(hers.home.device, decision=Decision.DENIED)),
    "devices.remove": lambda work, hers: work.devices.remove(hers.home.device.digest),
    "audit.page": lambda work, _: work.audit.page(first=100),
    "audit.head": lambda work, _: work.audit.head(),
    "audit.check": lambda work, _: _read(work),
    "audit.master_key_id": lambda work, _: work.audit.master_key_id(),
    "audit.rewrap": lambda work, _: work.audit.rewrap(),
    "credentials.one": lambda work, hers: work.credentials.one(hers.credential.id),
    "credentials.some": lambda work, hers: work.credentials.some([hers.credential.id]),
    "credentials.sealed": lambda work, hers: work.credentials.sealed(hers.credential.id),
    "credentials.page": lambda work, _: work.credentials.page(first=100),
    "credentials.alike": lambda work, hers: work.credentials.alike(hers.credential.provider, hers.credential.scope),
    "credentials.remove": lambda work, hers: work.credentials.remove(hers.credential.id),
    "coolings.all": lambda work, _: work.coolings.all(),
    "coolings.clear": lambda work, hers: work.coolings.clear(hers.credential.id),
    "models.custom": lambda work, _: work.models.custom(),
    "models.disabled": lambda work, _: work.models.disabled(),
    "models.enable": lambda work, _: work.models.enable(MODEL),
    "models.remove": lambda work, _: work.models.remove(MODEL),
    "caps.all": lambda work, _: work.caps.all(),
    "caps.one": lambda work, hers: work.caps.one(hers.cap.id),
    "caps.remove": lambda work, hers: work.caps.remove(hers.cap.id),
    "choices.defaults": lambda work, _: work.choices.defaults(),
    "choices.clear_default": lambda work, _: work.choices.clear_default(ModelType.LLM),
    "choices.preferred": lambda work, _: work.choices.preferred(),
    "pots.all": lambda work, _: work.pots.all(),
    "grants.page": lambda work, _: work.grants.page(first=100),
    "records.uses": lambda work, _: work.records.uses(NOW),
    "records.one": lambda work, hers: work.records.one(hers.record.id),
    "records.some": lambda work, hers: work.records.some([hers.record.id]),
    "records.page": lambda work, _: work.records.page(LATELY, first=100),
    "records.totals": lambda work, _: work.records.totals(LATELY, list(Dimension)),
    "records.last_used": lambda work, hers: work.records.last_used([hers.credential.id]),
    "leftovers.remove": prune,
    "records.users_of": lambda work, hers: work.records.users_of([hers.credential.id], NOW),
}
CHANGES = {
    "leftovers.remove",
    "audit.rewrap",
    "clients.put",
    "clients.remove",
    "tokens.remove",
    "tokens.end_family",
    "tokens.end_client",
    "members.put",
    "members.remove",
    "invitations.take",
    "invitations.remove",
    "invitations.remove_by",
    "consents.remove",
    "codes.use",
    "refresh_tokens.use",
    "devices.put",
    "devices.remove",
    "tenants.close",
    "credentials.put",
    "credentials.remove",
    "coolings.clear",
    "models.enable",
    "models.remove",
    "caps.remove",
    "choices.clear_default",
}
ADDITIONS = {
    "clients.used",
    "members.add",
    "invitations.add",
    "consents.put",
    "consents.used",
    "codes.add",
    "refresh_tokens.add",
    "devices.add",
    "assertions.add",
    "audit.add",
    "audit.add_to",
    "tenants.add",
    "keys.add",
    "keys.shred",
    "clients.add",
    "tokens.add",
    "credentials.add",
    "credentials.put",
    "coolings.put",
    "models.add",
    "models.disable",
    "caps.put",
    "choices.put_default",
    "choices.put_preferred",
    "pots.add",
}


def test_every_method_of_every_repository_is_here() -> None:
    repositories = {name: hint.fget.__annotations__["return"] for name, hint in vars(Work).items() if name[0] != "_"}
    methods = {f"{name}.{method}" for name, kind in repositories.items() for method in vars(kind) if method[0] != "_"}
    assert methods == READINGS.keys() | ADDITIONS


@pytest.fixture(params=["both fences, sqlite", "both fences, postgres", "row-level security alone"])
def fenced(request: pytest.FixtureRequest) -> tuple[Urls, Fence]:
    name: str = request.param
    urls: Urls = request.getfixturevalue("sqlite_urls" if name.endswith("sqlite") else "postgres_urls")
    return urls, open_gate if name.endswith("alone") else naming


@pytest.fixture
async def house(fenced: tuple[Urls, Fence]) -> AsyncIterator[tuple[Belongings, Begin]]:
    """What one tenant has, and units of work as a careless program would begin them."""
    urls, fence = fenced
    engine = open_engine(urls.app)
    yield await moved_in(engine), begin(engine, fence, MASTER_KEYS)
    await engine.dispose()


async def test_a_foreign_tenant_sees_and_removes_nothing(house: tuple[Belongings, Begin]) -> None:
    hers, careless = house
    for name, read in READINGS.items():
        async with careless(TenantId(uuid7())) as work:
            with contextlib.suppress(NotFound):
                assert not await read(work, hers), name
    async with careless(hers.tenant_id) as work:
        assert await work.credentials.one(hers.credential.id) == hers.credential
        assert await work.choices.defaults() == {ModelType.LLM: MODEL}
        assert await work.models.disabled() == {MODEL}
        assert [model.ref for model in await work.models.custom()] == [MODEL]
        assert await work.caps.all() == [hers.cap]
        assert await work.coolings.all()
        home = hers.home
        assert await work.clients.one(hers.client.id) == hers.client
        assert await work.tokens.one(home.token.digest) == home.token
        assert (await work.members.one(home.person.id)).role is Role.OWNER
        assert await work.invitations.one(home.invitation.digest) == home.invitation
        assert await work.consents.one(home.partner.id, home.person.id) == home.consent
        assert await work.codes.lock(home.code.digest) == home.code
        assert await work.refresh_tokens.lock(home.refresh.digest) == home.refresh
        assert await work.devices.lock(home.device.digest) == home.device


async def test_the_tenant_itself_sees_it(house: tuple[Belongings, Begin]) -> None:
    """Else the test above would pass for an empty database."""
    hers, careless = house
    for name in READINGS.keys() - CHANGES:
        async with careless(hers.tenant_id) as work:
            assert await READINGS[name](work, hers), name


async def test_without_a_tenant_there_is_no_row(postgres_engine: AsyncEngine) -> None:
    await moved_in(postgres_engine)
    async with postgres_engine.connect() as connection:
        for table in metadata.sorted_tables:
            assert (await connection.scalar(select(func.count()).select_from(table))) == 0, table.name


async def test_the_tenant_of_a_transaction_ends_with_it(postgres_engine: AsyncEngine) -> None:
    """On one connection, a statement after the commit is nobody's: also after the ledger's functions named one."""
    hers = await moved_in(postgres_engine)
    async with postgres_engine.connect() as connection:
        await bind(connection, hers.tenant_id)
        assert await connection.scalar(select(func.count()).select_from(tenants)) == 1
        await connection.commit()
        assert await connection.scalar(select(func.count()).select_from(tenants)) == 0
        await connection.rollback()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        hold = a_hold((hers.pot, 1))
        query = "SELECT hold_quota($1, $2, $3, $4, $5, NULL)"
        await driver.fetchval(query, hold.tenant_id, hold.id, [hers.pot.id], [1], hold.expires_at)
        assert await driver.fetchval("SELECT count(*) FROM holds") == 0
        await bind(connection, hers.tenant_id)
        assert await connection.scalar(select(func.count()).select_from(holds)) == 2


async def test_rows_of_another_tenant_can_be_neither_written_nor_changed(postgres_engine: AsyncEngine) -> None:
    hers = await moved_in(postgres_engine)
    stranger = await settled_in(begin(postgres_engine))
    async with postgres_engine.connect() as connection:
        await bind(connection, stranger.id)
        changed = await connection.execute(update(pots).values(granted=10**9))
        assert changed.rowcount == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            await connection.execute(insert(tenants).values(tenant_id=uuid7(), name="x", opened_at=NOW))
    assert await balance(begin(postgres_engine), hers.pot) == (0, 1)


async def test_a_function_of_the_ledger_touches_only_the_tenant_it_names(postgres_engine: AsyncEngine) -> None:
    hers = await moved_in(postgres_engine)
    stranger = await settled_in(begin(postgres_engine))
    with pytest.raises(NotFound):
        await ledger_on(postgres_engine).hold(replace(a_hold((hers.pot, 1)), tenant_id=stranger.id))
    assert await balance(begin(postgres_engine), hers.pot) == (0, 1)


async def test_a_sweep_sees_of_other_tenants_what_is_due_and_nothing_else(postgres_engine: AsyncEngine) -> None:
    hers = await moved_in(postgres_engine)
    due = a_hold((hers.pot, 1), expires_at=later(-1))
    await ledger_on(postgres_engine).hold(due)
    async with postgres_engine.connect() as connection:
        await connection.execute(text("SELECT set_config('app.sweep', 'on', true)"))
        seen = (await connection.execute(select(holds).where(holds.c.tenant_id == hers.tenant_id))).all()
        assert [row.call_id for row in seen] == [due.id]
        assert (await connection.execute(update(holds).values(state="released"))).rowcount == 0
        for table in set(metadata.sorted_tables) - {holds}:
            assert (await connection.scalar(select(func.count()).select_from(table))) == 0, table.name


async def test_a_roll_call_sees_of_other_tenants_that_they_are_there_and_nothing_else(
    postgres_engine: AsyncEngine,
) -> None:
    hers = await moved_in(postgres_engine)
    async with postgres_engine.connect() as connection:
        await connection.execute(text("SELECT set_config('app.roll_call', 'on', true)"))
        assert hers.tenant_id in (await connection.execute(select(tenants.c.tenant_id))).scalars().all()
        assert (await connection.execute(update(tenants).values(name="mine"))).rowcount == 0
        assert (await connection.execute(delete(tenants))).rowcount == 0
        for table in set(metadata.sorted_tables) - {tenants}:
            assert (await connection.scalar(select(func.count()).select_from(table))) == 0, table.name
        await connection.commit()
        assert (await connection.scalar(select(func.count()).select_from(tenants))) == 0


async def test_what_works_on_the_directory_sees_of_tenants_who_is_in_them_and_nothing_else(
    postgres_engine: AsyncEngine,
) -> None:
    hers = await moved_in(postgres_engine)
    async with postgres_engine.connect() as connection:
        await connection.execute(text("SELECT set_config('app.directory', 'on', true)"))
        assert hers.home.person.id in (await connection.execute(select(people.c.id))).scalars().all()
        assert hers.tenant_id in (await connection.execute(select(members.c.tenant_id))).scalars().all()
        for table in (members, tenants):
            assert (await connection.execute(delete(table))).rowcount == 0
        assert (await connection.execute(update(members).values(role="owner"))).rowcount == 0
        for table in set(metadata.sorted_tables) - {tenants, members, *DIRECTORY}:
            assert (await connection.scalar(select(func.count()).select_from(table))) == 0, table.name


async def test_a_tenant_sees_of_the_directory_who_its_members_are_and_nothing_else(
    postgres_engine: AsyncEngine,
) -> None:
    hers, _ = await moved_in(postgres_engine), await moved_in(postgres_engine)
    async with directory(postgres_engine)() as above:
        await above.passwords.put(hers.home.person.id, "hash")
        await above.sessions.add(a_session(hers.home.person))
        await above.failures.count(["someone"], NOW)
    async with postgres_engine.connect() as connection:
        await bind(connection, hers.tenant_id)
        assert (await connection.execute(select(people.c.id))).scalars().all() == [hers.home.person.id]
        assert (await connection.execute(update(people).values(name="Mine"))).rowcount == 0
        for table in set(DIRECTORY) - {people}:
            assert (await connection.scalar(select(func.count()).select_from(table))) == 0, table.name


async def test_another_tenants_key_is_not_shredded(house: tuple[Belongings, Begin]) -> None:
    hers, careless = house
    async with careless(hers.tenant_id) as work:
        unused = a_key(hers.tenant_id)
        await work.keys.add(unused)
    async with careless(TenantId(uuid7())) as work:
        await work.keys.shred(unused.id)
    async with careless(hers.tenant_id) as work:
        assert await work.keys.one(unused.id) == unused


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE call_records SET input_tokens = 0",
        "DELETE FROM call_records",
        "DELETE FROM incidents",
        "UPDATE audit_entries SET target = 'another'",
        "DELETE FROM audit_entries",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE pots DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON pots",
        "TRUNCATE pots",
    ],
)
async def test_the_app_may_not(postgres_engine: AsyncEngine, statement: str) -> None:
    async with postgres_engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await connection.execute(text(statement))


async def test_a_role_that_would_look_past_the_fence_is_named(postgres_urls: Urls) -> None:
    engines = [open_engine(url) for url in (postgres_urls.app, postgres_urls.owner)]
    try:
        assert await unsafe_role(engines[0]) is None
        assert "superuser" in (await unsafe_role(engines[1]) or "")
    finally:
        for engine in engines:
            await engine.dispose()


async def test_sqlite_has_no_role_to_name(sqlite_urls: Urls) -> None:
    engine = open_engine(sqlite_urls.app)
    assert await unsafe_role(engine) is None
    await engine.dispose()
