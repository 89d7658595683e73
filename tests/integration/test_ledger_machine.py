"""The quota machine on PostgreSQL: its own functions, and what is left to the portable ledger."""

from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from tests.belongings import MASTER_KEYS
from tests.databases import Urls
from tests.quota_machine import QuotaMachine, bounded
from tests.stores import InDatabase, Store


def test_on_postgres(postgres_urls: Urls) -> None:
    class OnPostgres(QuotaMachine):
        engine: AsyncEngine

        def opened(self) -> Store:
            self.engine = open_engine(postgres_urls.app, pool_size=1)
            return InDatabase(self.engine, ledger_on(self.engine, MASTER_KEYS))

        async def closed(self) -> None:
            await self.engine.dispose()

    run_state_machine_as_test(OnPostgres, settings=bounded(examples=8))
