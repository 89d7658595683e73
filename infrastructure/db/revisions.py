"""Which migration the database is at, and which it should be at, told without loading the machinery that migrates."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations

_CURRENT = text("SELECT version_num FROM alembic_version")


def newest() -> str:
    """The last of the one linear history, whose files are named `<revision>_<what it does>.py`."""
    return max(path.name for path in (Path(migrations.__file__).parent / "versions").glob("[0-9]*.py")).partition("_")[
        0
    ]


async def pending(engine: AsyncEngine) -> bool:
    """Whether the database lacks a migration of this version of Portunus."""
    async with engine.connect() as connection:
        return await connection.run_sync(_current) != newest()


def _current(connection: Connection) -> str | None:
    known = inspect(connection).has_table("alembic_version")
    return connection.execute(_CURRENT).scalar_one_or_none() if known else None
