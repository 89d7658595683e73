"""Many callers, several processes, one pot: as many are served as it holds."""

import asyncio
from pathlib import Path

from sqlalchemy import delete, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import NotFound, QuotaExhausted
from domain.model.cap import Cap
from domain.model.ids import TenantId
from domain.model.quota import Hold, Outcome
from domain.ports import Ledger
from infrastructure.db.engine import open_engine
from infrastructure.db.fence import bind
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.tables import caps
from infrastructure.db.work import begin
from tests import spenders
from tests.belongings import NOW, a_cap, a_hold, a_pot, a_record, balance, costs, given
from tests.databases import Urls
from tests.stores import InDatabase


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


async def test_no_refusal_names_enough_as_free_while_others_give_back(postgres_engine: AsyncEngine) -> None:
    """A unit may come back between the look at the pot and the account of what was seen."""
    pot, ledger = a_pot(TenantId(uuid7()), granted=2), ledger_on(postgres_engine)
    await given(begin(postgres_engine), pot)

    async def refusals() -> list[QuotaExhausted]:
        found = []
        for _ in range(25):
            hold = a_hold((pot, 1))
            try:
                await ledger.hold(hold)
            except QuotaExhausted as refused:
                found.append(refused)
            else:
                await ledger.settle(a_record(pot.tenant_id, hold.id, Outcome.UNSENT))
        return found

    found = [refused for some in await asyncio.gather(*(refusals() for _ in range(12))) for refused in some]
    assert found
    assert [(refused.free, refused.asked) for refused in found if refused.free >= refused.asked] == []
    assert await balance(begin(postgres_engine), pot) == (0, 0)


async def test_a_cap_removed_under_use_charges_the_rest_of_each_call(engine: AsyncEngine) -> None:
    """The removal takes the window and its holds along, of calls that are being settled."""
    pot = a_pot(TenantId(uuid7()), granted=1_000)
    store = InDatabase(engine, ledger_on(engine))
    await given(store.begin, pot)
    served = 0
    for _ in range(5):
        cap = a_cap(pot.tenant_id, amount=1_000)
        await store.cap(cap)
        calls = [_one(store.ledger, a_hold((pot, 1), (cap.window(NOW), 1))) for _ in range(12)]
        *answers, _ = await asyncio.gather(*calls, _removed(engine, cap))
        served += sum(bool(answer) for answer in answers)
    assert await balance(store.begin, pot) == (served, 0)


async def _one(ledger: Ledger, hold: Hold) -> bool:
    """Whether the call was served: not when its cap was gone before it."""
    try:
        await ledger.hold(hold)
    except NotFound:
        return False
    await ledger.settle(a_record(hold.tenant_id, hold.id), costs(hold, 1))
    return True


async def _removed(engine: AsyncEngine, cap: Cap) -> None:
    await asyncio.sleep(0.02)
    async with engine.begin() as connection:
        await bind(connection, cap.tenant_id)
        await connection.execute(delete(caps).where(caps.c.tenant_id == cap.tenant_id, caps.c.id == cap.id))


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
