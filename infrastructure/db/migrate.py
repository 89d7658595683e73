"""Bringing the schema up to date, and letting the serving role in: as the owner of the database, never as the app."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import migrations
from infrastructure.db.engine import address, open_engine


async def migrate(owner_url: str, app_url: str, revision: str = "head") -> str:
    """Bring the database to `revision` as its owner; returns the revision it then has.

    On PostgreSQL the role of `app_url` is created when absent (it needs a password then) and granted rows, no schema.
    """
    engine = open_engine(owner_url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, revision)
            if engine.dialect.name == "postgresql" and address(app_url).username != address(owner_url).username:
                await _let_in(connection, address(app_url))
            return await connection.run_sync(_current) or "none"
    finally:
        await engine.dispose()


async def downgrade(owner_url: str, revision: str) -> None:
    engine = open_engine(owner_url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), revision))
    await engine.dispose()


async def pending(engine: AsyncEngine) -> bool:
    """Whether the database lacks a migration of this version of Portunus."""
    async with engine.connect() as connection:
        current = await connection.run_sync(_current)
    return current != ScriptDirectory.from_config(_config()).get_current_head()


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(_config(connection), revision)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


async def _let_in(connection: AsyncConnection, app: URL) -> None:
    """Rows may be read and written, but a call's record and an incident are never changed or taken back."""
    quote = connection.dialect.identifier_preparer.quote
    role = quote(app.username or "")
    known = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": app.username})
    if not known:
        literal = await connection.scalar(text("SELECT quote_literal(:password)"), {"password": app.password})
        await connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {literal}")
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE UPDATE, DELETE ON call_records, incidents FROM {role}",
    ):
        await connection.exec_driver_sql(statement)
