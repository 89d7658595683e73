"""Processes that spend a pot, for tests that need several at once, or one to kill."""

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from domain.errors import QuotaExhausted
from domain.model.quota import Pot
from domain.ports import Ledger
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from tests.belongings import a_hold, a_record, costs, later

T = TypeVar("T")

HOLD_FOR = timedelta(seconds=1)

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def started(work: Callable[[str, Pot, Path], None], url: str, pot: Pot, report: Path) -> BaseProcess:
    """A process of its own that runs `work`; its imports are shared, so that it starts at once."""
    process = _PROCESSES.Process(target=work, args=(url, pot, report), daemon=True)
    process.start()
    return process


def crowd(url: str, pot: Pot, report: Path) -> None:
    """200 callers at one moment; `report` then says how many were served."""

    async def one(ledger: Ledger) -> bool:
        hold = a_hold((pot, 1))
        try:
            await ledger.hold(hold)
        except QuotaExhausted:
            return False
        await ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
        return True

    async def all_of_them(ledger: Ledger) -> int:
        return sum(await asyncio.gather(*(one(ledger) for _ in range(200))))

    report.write_text(str(asyncio.run(_with_ledger(url, all_of_them))))


def customer(url: str, pot: Pot, report: Path) -> None:
    """Call after call until the pot is empty or the process is killed. `report` is the vendor's bill, a byte a call."""

    async def calls(ledger: Ledger) -> None:
        while True:
            hold = a_hold((pot, 1), expires_at=later(HOLD_FOR.total_seconds()))
            await ledger.hold(hold)
            os.write(bill, b".")
            await ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))

    bill = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(_with_ledger(url, calls))


async def _with_ledger(url: str, work: Callable[[Ledger], Awaitable[T]]) -> T:
    engine = open_engine(url)
    try:
        return await work(ledger_on(engine))
    finally:
        await engine.dispose()
