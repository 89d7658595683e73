"""The unit of work on the directory: one transaction over what belongs to no tenant."""

from functools import cached_property
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncTransaction

from domain.ports import BeginDirectory
from infrastructure.db.repositories.directory import (
    SqlFailures,
    SqlIdentities,
    SqlPasswordHashes,
    SqlPeople,
    SqlResets,
    SqlSessions,
    SqlSigningKeys,
)

_ABOVE = text("SELECT set_config('app.directory', 'on', true)")


class SqlDirectory:
    """Commits on a clean exit, rolls back on an exception. On PostgreSQL it sees of a tenant who is in it, no more."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._connection = engine.connect()
        self._transaction: AsyncTransaction

    async def __aenter__(self) -> Self:
        await self._connection.start()
        try:
            self._transaction = await self._connection.begin()
            if self._connection.dialect.name == "postgresql":
                await self._connection.execute(_ABOVE)
        except BaseException:
            await self._connection.close()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        try:
            if failure[0] is None:
                await self._transaction.commit()
        finally:
            await self._connection.close()

    @cached_property
    def people(self) -> SqlPeople:
        return SqlPeople(self._connection)

    @cached_property
    def passwords(self) -> SqlPasswordHashes:
        return SqlPasswordHashes(self._connection)

    @cached_property
    def identities(self) -> SqlIdentities:
        return SqlIdentities(self._connection)

    @cached_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._connection)

    @cached_property
    def resets(self) -> SqlResets:
        return SqlResets(self._connection)

    @cached_property
    def failures(self) -> SqlFailures:
        return SqlFailures(self._connection)

    @cached_property
    def signing_keys(self) -> SqlSigningKeys:
        return SqlSigningKeys(self._connection)


def directory(engine: AsyncEngine) -> BeginDirectory:
    """Units of work on `engine`."""
    return lambda: SqlDirectory(engine)
