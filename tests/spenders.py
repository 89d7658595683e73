"""Processes that spend a pot, for tests that need several at once, or some to kill."""

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from uuid_utils.compat import uuid7

from domain.errors import QuotaExhausted, UpstreamError
from domain.model.events import Usage
from domain.model.ids import CallId
from domain.model.quota import Outcome, Pot, charge
from domain.ports import Ledger, Target
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.providers.gateway import HttpGateway
from tests.belongings import a_hold, a_record, costs, later
from tests.gateways import gateway
from tests.stubs import plain

T = TypeVar("T")

OPEN, SERVED, FAILED, REFUSED, REFUSED_FALSELY = b"o", b"s", b"f", b"r", b"!"
"""What a process writes into its report: once that its customers may call, then what became of each call.

One is refused falsely when enough was free.
"""

_AGAIN = 0.25
_CONNECTIONS = 4

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "tests.stubs.billing", "tests.quota_proof", "tests.databases"])


def started(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own that runs `work`; its imports are shared, so that it starts at once."""
    process = _PROCESSES.Process(target=work, args=arguments, daemon=True)
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


@dataclass(frozen=True, slots=True)
class Errand:
    """What a process of customers is sent for: calls to the vendor at `vendor`, one after another per customer."""

    database: str
    vendor: str
    pot: Pot
    report: Path
    customers: int
    hold_seconds: float


def customers(errand: Errand) -> None:
    """Call after call, until the process is killed."""

    async def one(way: "Way") -> None:
        while True:
            said = await way.call()
            os.write(report, said)
            await asyncio.sleep(_AGAIN if said in (REFUSED, REFUSED_FALSELY) else 0)

    async def all_of_them(ledger: Ledger) -> None:
        async with gateway() as outward, asyncio.TaskGroup() as group:
            way = Way(ledger, outward, errand)
            os.write(report, OPEN)
            for _ in range(errand.customers):
                group.create_task(one(way))

    report = os.open(errand.report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(_with_ledger(errand.database, all_of_them))


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a metered call, as the use cases go it: hold, ask the vendor, settle. The prompt is the call's id."""

    ledger: Ledger
    gateway: HttpGateway
    errand: Errand

    async def call(self) -> bytes:
        """What became of one call, as the report says it."""
        try:
            return SERVED if await self._metered(CallId(uuid7())) else FAILED
        except QuotaExhausted as refused:
            return REFUSED if refused.free < refused.asked else REFUSED_FALSELY

    async def _metered(self, call_id: CallId) -> bool:
        pot = self.errand.pot
        await self.ledger.hold(a_hold((pot, 1), call_id=call_id, expires_at=later(self.errand.hold_seconds)))
        outcome, usage = await self._asked(call_id)
        due = charge(pot.unit, 1, outcome, usage)
        await self.ledger.settle(a_record(pot.tenant_id, call_id, outcome), {pot.id: due.amount}, due.incident)
        return outcome is Outcome.SUCCEEDED

    async def _asked(self, call_id: CallId) -> tuple[Outcome, Usage]:
        target: Target = plain.target(self.errand.vendor)
        try:
            return Outcome.SUCCEEDED, (await self.gateway.chat(target, plain.asking(call_id.hex))).usage
        except UpstreamError as failure:
            if not failure.sent:
                return Outcome.UNSENT, Usage()
            return Outcome.REFUSED if (failure.status or 0) >= 400 else Outcome.BROKEN, Usage()


async def _with_ledger(url: str, work: Callable[[Ledger], Awaitable[T]]) -> T:
    engine = open_engine(url, pool_size=_CONNECTIONS)
    try:
        return await work(ledger_on(engine))
    finally:
        await engine.dispose()
