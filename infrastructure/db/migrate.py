"""Bringing the schema up to date, and letting the serving role in: as the owner of the database, never as the app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

import migrations
from infrastructure.db.engine import address, open_engine
from infrastructure.db.roles import let_in

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('portunus migrations'))")


async def migrate(owner_url: str, app_url: str | None = None, revision: str = "head") -> str:
    """Bring the database to `revision` as its owner; returns the revision it then has.

    On PostgreSQL the role of `app_url`, when it is another, is let in; it is created if absent.
    """
    async with _owner(owner_url) as connection:
        await connection.run_sync(_upgrade, revision)
        app = address(app_url or owner_url)
        if connection.dialect.name == "postgresql" and app.username != address(owner_url).username:
            await let_in(connection, app)
        return await connection.run_sync(_current) or "none"


async def downgrade(owner_url: str, revision: str) -> None:
    """Take the schema back to `revision` ("base" is empty), with the rows that it cannot hold."""
    async with _owner(owner_url) as connection:
        await connection.run_sync(_downgrade, revision)


@asynccontextmanager
async def _owner(url: str) -> AsyncIterator[AsyncConnection]:
    engine = open_engine(url, migrating=True)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(_ONE_AT_A_TIME)
            yield connection
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(_config(connection), revision)


def _downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(_config(connection), revision)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config
