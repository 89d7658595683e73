"""The databases of a test run: a SQLite file per test, and one PostgreSQL with a database per worker, never skipped."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from infrastructure.db.engine import open_engine
from infrastructure.db.ledger import SqlLedger
from infrastructure.db.ledger_postgres import ledger_on
from tests.belongings import MASTER_KEYS
from tests.databases import Urls, drop_database, fresh_database, migrated, server, sqlite
from tests.stores import InDatabase, InMemory, Store


@pytest.fixture(scope="session")
def superuser(testrun_uid: str) -> Iterator[str]:
    """The URL of a PostgreSQL that all workers of this run share."""
    home = Path(tempfile.gettempdir()) / f"portunus-{testrun_uid[:12]}"
    home.mkdir(exist_ok=True)
    with server(home) as url:
        yield url
    if not (home / "postgres").exists():
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_urls(superuser: str) -> Iterator[Urls]:
    """A migrated database for this worker. Tests keep apart by tenant, as tenants do."""
    urls = asyncio.run(_fresh(superuser))
    yield urls
    asyncio.run(drop_database(superuser, urls))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    urls = sqlite(tmp_path_factory.mktemp("template"))
    asyncio.run(migrated(urls))
    return Path(make_url(urls.owner).database or "")


@pytest.fixture
def sqlite_urls(sqlite_template: Path, tmp_path: Path) -> Urls:
    """A migrated file of this test's own."""
    urls = sqlite(tmp_path)
    shutil.copy(sqlite_template, make_url(urls.owner).database or "")
    return urls


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest) -> Urls:
    found: Urls = request.getfixturevalue(f"{request.param}_urls")
    return found


@pytest.fixture
async def engine(urls: Urls) -> AsyncIterator[AsyncEngine]:
    """On either store, as the app."""
    opened = open_engine(urls.app)
    yield opened
    await opened.dispose()


@pytest.fixture
async def postgres_engine(postgres_urls: Urls) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(postgres_urls.app)
    yield opened
    await opened.dispose()


@pytest.fixture(params=["memory", "sqlite", "postgres", "postgres, portable"])
def place(request: pytest.FixtureRequest) -> tuple[str, Urls | None]:
    """What a port suite runs on; PostgreSQL twice, since its ledger is written twice."""
    name: str = request.param
    return name, None if name == "memory" else request.getfixturevalue(f"{name.partition(',')[0]}_urls")


@pytest.fixture
async def store(place: tuple[str, Urls | None]) -> AsyncIterator[Store]:
    name, urls = place
    if urls is None:
        yield InMemory()
        return
    opened = open_engine(urls.app)
    ledger = SqlLedger if name.endswith("portable") else ledger_on
    yield InDatabase(opened, ledger(opened, MASTER_KEYS))
    await opened.dispose()


async def _fresh(superuser: str) -> Urls:
    return await migrated(await fresh_database(superuser))
