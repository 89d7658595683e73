"""Workers that are killed at any moment: no call is given away, none is charged twice, and no hold stays behind."""

import asyncio
import random
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import QuotaExhausted
from domain.model.ids import TenantId
from domain.model.quota import Pot
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.work import begin
from tests import spenders
from tests.belongings import a_hold, a_pot, balance, given, later
from tests.databases import Urls

WORKERS = 4
KILLS = 12
GRANTED = 100_000


@dataclass
class Gang:
    """Workers on one pot, each with a bill of its own."""

    url: str
    pot: Pot
    folder: Path

    def __post_init__(self) -> None:
        self.bills: list[Path] = []
        self.working = [self.one() for _ in range(WORKERS)]

    def one(self) -> tuple[BaseProcess, Path]:
        bill = self.folder / f"bill {len(self.bills)}"
        bill.touch()
        self.bills.append(bill)
        return spenders.started(spenders.customer, self.url, self.pot, bill), bill

    async def lose(self, number: int, after: float) -> None:
        """Kill a worker that has begun to call, `after` seconds on."""
        process, bill = self.working[number]
        while not bill.stat().st_size:
            assert process.is_alive()
            await asyncio.sleep(0.005)
        await asyncio.sleep(after)
        process.kill()
        process.join()

    def billed(self) -> int:
        return sum(bill.stat().st_size for bill in self.bills)


async def test_killed_workers_give_nothing_away(
    postgres_urls: Urls, postgres_engine: AsyncEngine, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    dice, engine = random.Random(seed), postgres_engine
    pot = a_pot(TenantId(uuid7()), granted=GRANTED)
    await given(begin(engine), pot)
    gang = Gang(postgres_urls.app, pot, tmp_path)
    for _ in range(KILLS - WORKERS):
        number = dice.randrange(WORKERS)
        await gang.lose(number, after=dice.uniform(0, 0.05))
        gang.working[number] = gang.one()
    for number in range(WORKERS):
        await gang.lose(number, after=dice.uniform(0, 0.05))
    used, held = await balance(begin(engine), pot)
    assert held <= KILLS, f"seed {seed}"
    while held:
        await asyncio.sleep(0.05)
        await ledger_on(engine).sweep(later(0))
        used, held = await balance(begin(engine), pot)
    assert gang.billed() <= used <= gang.billed() + KILLS, f"seed {seed}"
    with pytest.raises(QuotaExhausted):
        await ledger_on(engine).hold(a_hold((pot, GRANTED - used + 1)))
    await ledger_on(engine).hold(a_hold((pot, GRANTED - used)))
