"""Many callers, several processes, one pot: as many are served as it holds."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.model.ids import TenantId
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.work import begin
from tests import spenders
from tests.belongings import a_hold, a_pot, a_record, balance, costs, given
from tests.databases import Urls


async def test_of_400_callers_in_two_processes_200_are_served(urls: Urls, engine: AsyncEngine, tmp_path: Path) -> None:
    pot = a_pot(TenantId(uuid7()), granted=200)
    await given(begin(engine), pot)
    reports = [tmp_path / "one", tmp_path / "two"]
    crowds = [spenders.started(spenders.crowd, urls.app, pot, report) for report in reports]
    for process in crowds:
        process.join()
    assert [process.exitcode for process in crowds] == [0, 0]
    assert sum(int(report.read_text()) for report in reports) == 200
    assert await balance(begin(engine), pot) == (200, 0)


async def test_the_ledger_outlives_the_loss_of_its_connections(
    postgres_engine: AsyncEngine, postgres_urls: Urls, superuser: str
) -> None:
    """As after a restart of the database: what the pool kept is dead, and the next calls go through all the same."""
    pot = a_pot(TenantId(uuid7()))
    await given(begin(postgres_engine), pot)
    ledger = ledger_on(postgres_engine)
    hold = a_hold((pot, 1))
    await ledger.hold(hold)
    await _cut_connections(superuser, postgres_urls)
    await ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
    assert await balance(begin(postgres_engine), pot) == (1, 0)


async def _cut_connections(superuser: str, urls: Urls) -> None:
    engine = open_engine(superuser)
    query = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :role")
    async with engine.connect() as connection:
        cut = (await connection.execute(query, {"role": make_url(urls.app).username})).all()
    await engine.dispose()
    assert cut
