"""The one linear history of the schema: up, down and up again with data, on both stores."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.model.quota import Pot
from infrastructure.db.engine import open_engine, unsafe_role
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.migrate import downgrade, migrate
from infrastructure.db.revisions import newest, pending
from infrastructure.db.tables import metadata
from infrastructure.db.work import begin
from migrations import versions
from tests.belongings import a_hold, a_pot, a_record, a_tenant, balance, given
from tests.databases import Urls, drop_database, fresh_database, sqlite


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
    assert found == dict.fromkeys(metadata.tables, (True, True, "tenant_id"))


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
    engine = open_engine(urls.app)
    try:
        pot = a_pot(a_tenant().id)
        await given(begin(engine), pot)
        hold = a_hold((pot, 2))
        await ledger_on(engine).hold(hold)
        await ledger_on(engine).settle(a_record(pot.tenant_id, hold.id), {pot.id: 1})
        assert await balance(begin(engine), pot) == (1, 0)
        return pot
    finally:
        await engine.dispose()


def _difference(connection: Connection) -> list[tuple[str, object]]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[tuple[str, object]] = compare_metadata(context, metadata)
    return found
