"""The one linear history of the schema: up, down and up again with data, on both stores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Column, Connection, DefaultClause, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.model.quota import Pot
from infrastructure.db.access_tables import DIRECTORY
from infrastructure.db.engine import open_engine, unsafe_role
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.migrate import downgrade, migrate
from infrastructure.db.revisions import newest, pending
from infrastructure.db.tables import metadata
from infrastructure.db.work import begin
from migrations import versions
from tests.belongings import NOW, a_cap, a_hold, a_pot, a_record, a_tenant, balance, costs, given
from tests.databases import Urls, drop_database, fresh_database, sqlite
from tests.stores import InDatabase


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest) -> Iterator[Urls]:
    """A database without a schema."""
    if request.param == "sqlite":
        yield sqlite(request.getfixturevalue("tmp_path"))
        return
    superuser: str = request.getfixturevalue("superuser")
    urls = asyncio.run(fresh_database(superuser))
    yield urls
    asyncio.run(drop_database(superuser, urls))


@pytest.fixture
async def owner(empty: Urls) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(empty.owner)
    yield engine
    await engine.dispose()


async def test_an_empty_database_waits_for_its_migrations(empty: Urls, owner: AsyncEngine) -> None:
    assert await pending(owner)
    assert await migrate(empty.owner, empty.app) == newest()
    assert not await pending(owner)
    assert await migrate(empty.owner, empty.app) == newest()


async def test_the_code_describes_what_the_migrations_build(empty: Urls, owner: AsyncEngine) -> None:
    await migrate(empty.owner, empty.app)
    async with owner.connect() as connection:
        assert await connection.run_sync(_difference) == []


async def test_every_step_goes_up_down_and_up_again_with_data(empty: Urls) -> None:
    await migrate(empty.owner, empty.app)
    pot = await _live(empty)
    for step in reversed(_steps()[1:]):
        await downgrade(empty.owner, _before(step))
        await migrate(empty.owner, empty.app, step)
        await downgrade(empty.owner, _before(step))
    await migrate(empty.owner, empty.app)
    engine = open_engine(empty.app)
    assert await balance(begin(engine), pot) == (1, 0)
    await engine.dispose()
    await _live(empty)


async def test_an_open_hold_outlives_the_way_down_and_up(empty: Urls) -> None:
    await migrate(empty.owner, empty.app)
    pot = a_pot(a_tenant().id)
    hold = a_hold((pot, 3))
    async with _opened(empty) as store:
        await given(store.begin, pot)
        await store.ledger.hold(hold)
    await downgrade(empty.owner, _steps()[0])
    await migrate(empty.owner, empty.app)
    async with _opened(empty) as store:
        assert await balance(store.begin, pot) == (0, 3)
        await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 2))
        assert await balance(store.begin, pot) == (2, 0)


async def test_an_older_schema_loses_pools_and_caps_and_keeps_the_rest(empty: Urls) -> None:
    await migrate(empty.owner, empty.app)
    tenant_id = a_tenant().id
    pot, pool, cap = a_pot(tenant_id), replace(a_pot(tenant_id), provider=None), a_cap(tenant_id)
    window = cap.window(NOW)
    held, pooled = a_hold((pot, 3), (window, 1)), a_hold((pool, 2), (window, 1))
    async with _opened(empty) as store:
        await given(store.begin, pot, pool)
        await store.cap(cap)
        for hold in (held, pooled):
            await store.ledger.hold(hold)
    await downgrade(empty.owner, "0002")
    await migrate(empty.owner, empty.app)
    async with _opened(empty) as store, store.begin(tenant_id) as work:
        assert list(await work.pots.all()) == [replace(pot, held=3)]
    async with _opened(empty) as store:
        for hold in (held, pooled):
            await store.ledger.settle(a_record(tenant_id, hold.id), costs(hold, 2))
        assert await balance(store.begin, pot) == (2, 0)


async def test_going_all_the_way_down_leaves_nothing_of_ours(empty: Urls, owner: AsyncEngine) -> None:
    await migrate(empty.owner, empty.app)
    await _live(empty)
    await downgrade(empty.owner, "base")
    async with owner.connect() as connection:
        left = await connection.run_sync(_difference)
    assert {kind for kind, *_ in left} == {"add_table", "add_index"}
    assert len([kind for kind, *_ in left if kind == "add_table"]) == len(metadata.tables)


async def test_two_migrations_at_one_moment_are_one(empty: Urls, owner: AsyncEngine) -> None:
    await asyncio.gather(*(migrate(empty.owner, empty.app) for _ in range(3)))
    assert not await pending(owner)


def test_the_history_is_one_line() -> None:
    script = ScriptDirectory(str(versions.__path__[0]).removesuffix("/versions"))
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    assert script.get_current_head() == newest()
    assert all(not step.is_merge_point and not step.is_branch_point for step in script.walk_revisions())


async def test_every_table_of_a_tenant_is_fenced_and_led_by_it(postgres_engine: AsyncEngine) -> None:
    query = text(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,"
        " (SELECT bool_and(p.polwithcheck IS NOT NULL OR p.polcmd = 'r') AND bool_or(p.polcmd = '*')"
        "  FROM pg_policy p WHERE p.polrelid = c.oid) AS policed,"
        " (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
        "  WHERE i.indrelid = c.oid AND i.indisprimary) AS led_by"
        " FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        " AND c.relname <> 'alembic_version'"
    )
    async with postgres_engine.connect() as connection:
        found = {row.relname: (row.forced, row.policed, row.led_by) for row in await connection.execute(query)}
    directory = {table.name for table in DIRECTORY}
    assert {name: row[:2] for name, row in found.items()} == dict.fromkeys(metadata.tables, (True, True))
    assert {name for name, row in found.items() if row[2] != "tenant_id"} == directory


async def test_serving_as_the_owner_of_the_tables_is_named(superuser: str) -> None:
    urls = await fresh_database(superuser)
    await migrate(urls.owner, urls.app)
    role = make_url(urls.app).username
    boss, app = open_engine(urls.owner), open_engine(urls.app)
    try:
        async with boss.begin() as connection:
            await connection.execute(text(f"ALTER TABLE pots OWNER TO {role}"))
        assert "owns" in (await unsafe_role(app) or "")
    finally:
        await boss.dispose()
        await app.dispose()
        await drop_database(superuser, urls)


def _steps() -> list[str]:
    script = ScriptDirectory(str(versions.__path__[0]).removesuffix("/versions"))
    return [step.revision for step in reversed(list(script.walk_revisions()))]


def _before(step: str) -> str:
    return ["base", *_steps()][_steps().index(step)]


async def _live(urls: Urls) -> Pot:
    """A tenant that holds and settles through the schema as it is now."""
    async with _opened(urls) as store:
        pot = a_pot(a_tenant().id)
        await given(store.begin, pot)
        hold = a_hold((pot, 2))
        await store.ledger.hold(hold)
        await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
        assert await balance(store.begin, pot) == (1, 0)
        return pot


@asynccontextmanager
async def _opened(urls: Urls) -> AsyncIterator[InDatabase]:
    engine = open_engine(urls.app)
    try:
        yield InDatabase(engine, ledger_on(engine))
    finally:
        await engine.dispose()


def _difference(connection: Connection) -> list[tuple[str, object]]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": _another_default}
    )
    found: list[tuple[str, object]] = compare_metadata(context, metadata)
    return found


def _another_default(_: object, __: object, column: Column[Any], found: str | None, *___: object) -> bool | None:
    """None leaves the judgement to the library, which has PostgreSQL compare; JSON it cannot."""
    wanted = column.server_default
    if not isinstance(column.type, JSON) or not isinstance(wanted, DefaultClause):
        return None
    return not (found or "").startswith(f"'{wanted.arg}'")
