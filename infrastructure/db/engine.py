"""Opening the store: PostgreSQL through asyncpg in production, SQLite through aiosqlite when embedded."""

import sqlite3
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

STATEMENT_SECONDS = 30
"""The longest that one statement may take on PostgreSQL."""

_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
}
_PRIVILEGES = text(
    "SELECT r.rolsuper OR r.rolbypassrls, EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n"
    " ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND pg_has_role(c.relowner, 'MEMBER'))"
    " FROM pg_roles r WHERE r.rolname = current_user"
)


def address(url: str) -> URL:
    """`postgresql://…` or `sqlite:///path` with the driver that Portunus uses; ValueError for another store."""
    parsed = make_url(url)
    store = parsed.drivername.partition("+")[0]
    if store not in _DRIVERS:
        raise ValueError("the database must be postgresql:// or sqlite://")
    return parsed.set(drivername=_DRIVERS[store])


def open_engine(url: str, *, pool_size: int = 20, migrating: bool = False) -> AsyncEngine:
    """An engine over `url`. Nothing is connected yet.

    A migration of SQLite builds tables anew: with foreign keys in force, dropping the old one would take what refers to
    its rows along.
    """
    target = address(url)
    options: dict[str, Any] = {
        "json_serializer": _json,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # a failing statement must not show what it carried
    }
    if target.get_backend_name() == "sqlite":
        engine = create_async_engine(target, connect_args={"timeout": 30}, **options)
        event.listen(engine.sync_engine, "connect", partial(_sqlite_connected, foreign_keys=not migrating))
        event.listen(engine.sync_engine, "begin", _sqlite_begins)
        return engine
    return create_async_engine(
        target,
        pool_size=pool_size,
        max_overflow=0,  # a connection beyond the pool would be opened and closed for a single statement
        pool_use_lifo=True,
        connect_args={"command_timeout": STATEMENT_SECONDS},
        **options,
    )


async def unsafe_role(engine: AsyncEngine) -> str | None:
    """Why row-level security would not bind the connected role, or None when it does (or the store has none)."""
    if engine.dialect.name != "postgresql":
        return None
    async with engine.connect() as connection:
        privileged, owner = (await connection.execute(_PRIVILEGES)).one()
    if privileged:
        return "the database role is a superuser or bypasses row-level security"
    return "the database role owns the tables" if owner else None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _sqlite_connected(connection: Any, _: Any, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN below replaces the driver's own
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA secure_delete = ON")  # a shredded key's bytes do not stay in the file
    # The mode is the file's. To change it needs the file alone and does not wait; whoever comes later tries again.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _sqlite_begins(connection: Any) -> None:
    # One writer: a transaction that began as a reader could not become the writer under another's feet.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
