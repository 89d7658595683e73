"""The quota machine in memory and on SQLite."""

import shutil
from pathlib import Path

from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from infrastructure.db.engine import open_engine
from infrastructure.db.ledger import SqlLedger
from tests.belongings import MASTER_KEYS
from tests.databases import sqlite
from tests.quota_machine import QuotaMachine, bounded
from tests.stores import InDatabase, Store


def test_in_memory() -> None:
    run_state_machine_as_test(QuotaMachine, settings=bounded(examples=100))


def test_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    class OnSqlite(QuotaMachine):
        engine: AsyncEngine

        def opened(self) -> Store:
            urls = sqlite(tmp_path)
            shutil.copy(sqlite_template, make_url(urls.owner).database or "")
            self.engine = open_engine(urls.app)
            return InDatabase(self.engine, SqlLedger(self.engine, MASTER_KEYS))

        async def closed(self) -> None:
            await self.engine.dispose()

    run_state_machine_as_test(OnSqlite, settings=bounded(examples=20))
