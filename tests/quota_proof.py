"""The proof that killed workers give nothing away: real calls, real processes, and a vendor that keeps its own bill."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.model.cap import Period
from domain.model.ids import ClientId, TenantId
from domain.model.quota import HoldState, Outcome, Pot
from infrastructure.db.engine import open_engine
from infrastructure.db.fence import bind
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.tables import call_records, holds
from infrastructure.db.work import begin
from tests import spenders
from tests.belongings import GRANTED, MASTER_KEYS, a_cap, a_grant, a_pot, as_stored, given, later
from tests.databases import Urls
from tests.spenders import FAILED, REFUSED, REFUSED_FALSELY, SERVED, Errand
from tests.stubs import billing

_GRANT = 150
_UNREACHED = 10**6
_MOMENT = 0.02
_FIRST = 4
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """`kills` are those while the pot is being spent; when it is empty, every process is killed once more.

    The seed repeats what is thrown by dice (whom to kill, how long to wait, how the vendor answers), not the scheduler.
    """

    seed: int
    kills: int = 50
    processes: int = 4
    customers: int = 16
    hold_seconds: float = 5.0
    longest_seconds: float = 270.0


@dataclass(frozen=True, slots=True)
class Books:
    """What the two sides wrote down: the vendor's bill, and the ledger's holds and records, by call."""

    bill: Counter[str]
    holds: dict[str, tuple[HoldState, int]]
    outcomes: dict[str, Outcome]

    def charged(self) -> set[str]:
        return {call for call, (_, charged) in self.holds.items() if charged}

    def unbilled(self) -> set[str]:
        """Charged, though the vendor did not bill them."""
        return self.charged() - self.bill.keys()

    def unexplained(self) -> set[str]:
        """Of these, what neither expired with its worker nor broke off after the request may have left."""
        return {call for call in self.unbilled() if not self._lost(call)}

    def in_state(self, state: HoldState) -> int:
        return sum(found is state for found, _ in self.holds.values())

    def _lost(self, call: str) -> bool:
        return self.holds[call][0] is HoldState.EXPIRED or self.outcomes.get(call) is Outcome.BROKEN


@dataclass(frozen=True, slots=True)
class Figure:
    """What a run showed. `capped` is the window of the cap beside the pot, `ahead` the most by which the bill ever
    exceeded what was used and held.
    """

    plan: Plan
    seconds: float
    kills: int
    pot: Pot
    capped: Pot
    books: Books
    ahead: int
    said: Counter[bytes]

    @property
    def limit(self) -> int:
        return self.pot.granted or 0

    @property
    def billed(self) -> int:
        return self.books.bill.total()

    def faults(self) -> list[str]:
        """What contradicts the promise; nothing, if it holds."""
        books = self.books
        found = {
            "billed beyond the limit": max(0, self.billed - self.limit),
            "billed ahead of what was used and held": max(0, self.ahead),
            "billed twice": self.billed - len(books.bill),
            "billed and not charged": len(books.bill.keys() - books.charged()),
            "charged, not billed, and no reason": len(books.unexplained()),
            "used differs from the limit": abs(self.pot.used - self.limit),
            "used differs from what was charged": abs(self.pot.used - len(books.charged())),
            "used of the cap differs": abs(self.capped.used - self.pot.used),
            "phantom holds": self.capped.held + self.pot.held + books.in_state(HoldState.HELD),
            "refused while enough was free": self.said[REFUSED_FALSELY],
            "no call was refused by an empty pot": int(not self.said[REFUSED]),
        }
        return [f"{what}: {count}" for what, count in found.items() if count]

    def __str__(self) -> str:
        plan, books = self.plan, self.books
        expired, unbilled = books.in_state(HoldState.EXPIRED), len(books.unbilled())
        kept = books.in_state(HoldState.SETTLED) - len(books.charged()) + expired
        lines = (
            ("limit", self.limit, f"calls, granted in steps of {_GRANT} while the pot was spent"),
            ("billed", self.billed, "by the vendor, in its own process"),
            ("charged", self.pot.used, f"{unbilled} of which the vendor never billed"),
            ("unknown", expired, f"holds of killed workers, charged in full: {expired - unbilled} had been billed"),
            ("overspend", max(0, self.billed - self.limit), "billed − limit"),
            ("charged − limit", self.pot.used - self.limit, ""),
            ("phantom holds", self.pot.held, f"still held {plan.hold_seconds:g} s after the last kill"),
            ("refused by vendor", kept, "calls that cost nothing"),
            ("refused by quota", self.said[REFUSED] + self.said[REFUSED_FALSELY], "attempts"),
            ("refused falsely", self.said[REFUSED_FALSELY], "while enough was free"),
        )
        crowd = f"{plan.processes} processes, {plan.processes * plan.customers} clients, {self.kills} kills"
        head = f"seed {plan.seed}: {self.seconds:.1f} s, {crowd}, {self.said[SERVED] + self.said[FAILED]} answers"
        return "\n".join([head, *(f"  {name:<18}{count:>8,}  {note}" for name, count, note in lines)])


@dataclass(slots=True)
class Crew:
    """The processes of customers: as many as planned, each replaced when it is killed."""

    plan: Plan
    database: str
    vendor: str
    tenant_id: TenantId
    client_id: ClientId
    folder: Path
    kills: int = 0
    reports: list[Path] = field(default_factory=list)
    working: list[tuple[BaseProcess, Path]] = field(default_factory=list)

    def hire(self) -> None:
        report = self.folder / f"report {len(self.reports)}"
        report.touch()
        self.reports.append(report)
        whose, hold_for = (self.tenant_id, self.client_id), timedelta(seconds=self.plan.hold_seconds)
        errand = Errand(self.database, self.vendor, *whose, report, self.plan.customers, hold_for)
        self.working.append((spenders.started(spenders.customers, errand), report))

    async def at_work(self, number: int, answers: int) -> None:
        """Wait until a process may call, and has had that many answers."""
        while self.working[number][1].stat().st_size <= answers:
            self.check()
            await asyncio.sleep(_MOMENT)

    def check(self) -> None:
        assert all(process.is_alive() for process, _ in self.working), "a worker ended by itself"

    def kill(self, number: int) -> None:
        process, _ = self.working.pop(number)
        process.kill()
        process.join()
        self.kills += 1

    def kill_all(self) -> None:
        while self.working:
            self.kill(0)

    def said(self) -> Counter[bytes]:
        return Counter(bytes([said]) for report in self.reports for said in report.read_bytes())


@dataclass(slots=True)
class Watch:
    """Looks at bill and pot again and again, and sweeps as a serving process does."""

    engine: AsyncEngine
    pot: Pot
    bill: Path
    ahead: int = 0

    async def look(self) -> Pot:
        """The pot now. The bill is read first: what is on it by then must have been held before."""
        billed = billing.billed(self.bill)
        now = await as_stored(begin(self.engine), self.pot)
        self.ahead = max(self.ahead, billed - now.used - now.held)
        return now

    async def sweep(self) -> None:
        await ledger_on(self.engine).sweep(later(0))

    async def grant(self) -> None:
        await ledger_on(self.engine, MASTER_KEYS).grant(a_grant(self.pot, _GRANT), self.pot, GRANTED)


async def proved(urls: Urls, plan: Plan, folder: Path) -> Figure:
    """Spend a pot while its spenders are being killed, until it is empty. TimeoutError after `longest_seconds`."""
    began = time.monotonic()
    cap = a_cap(TenantId(uuid7()), _UNREACHED, Period.NEVER)
    pot, bill = replace(a_pot(cap.tenant_id, granted=_GRANT), provider="plain"), folder / "bill"
    bill.touch()
    async with asyncio.timeout(plan.longest_seconds), _opened(urls.app) as engine:
        await given(begin(engine), pot)
        async with begin(engine)(cap.tenant_id) as work:
            await work.caps.put(cap)
        watch = Watch(engine, pot, bill)
        async with _vendor(bill, plan.seed) as url:
            crew = Crew(plan, urls.app, url, cap.tenant_id, ClientId(cap.subject_id), folder)
            try:
                await _spend(crew, watch)
            finally:
                crew.kill_all()
        await asyncio.sleep(plan.hold_seconds)
        await watch.sweep()
        now = await watch.look()
        capped = await as_stored(begin(engine), cap.window(cap.created_at))
        books = await _books(engine, pot, bill)
    return Figure(plan, time.monotonic() - began, crew.kills, now, capped, books, watch.ahead, crew.said())


async def _spend(crew: Crew, watch: Watch) -> None:
    """Kill after kill while the pot is filled again and again, now and then too late; then until it is empty."""
    dice, plan = random.Random(crew.plan.seed), crew.plan
    for _ in range(plan.processes):
        crew.hire()
    killing = asyncio.create_task(_kill(crew, dice))
    while not killing.done() or (await watch.look()).free:
        crew.check()
        await watch.sweep()
        if not killing.done() and ((await watch.look()).free or 0) < dice.randrange(_GRANT):
            await watch.grant()
        await asyncio.sleep(_PAUSE)
    await killing


async def _kill(crew: Crew, dice: random.Random) -> None:
    for _ in range(crew.plan.kills):
        number = dice.randrange(crew.plan.processes)
        await crew.at_work(number, answers=dice.randrange(_FIRST))
        await asyncio.sleep(dice.uniform(0, _PAUSE))
        crew.kill(number)
        crew.hire()


@asynccontextmanager
async def _vendor(bill: Path, seed: int) -> AsyncIterator[str]:
    address = bill.with_name("address")
    process = spenders.started(billing.serve, bill, address, seed)
    try:
        while not address.exists():
            assert process.is_alive(), "the vendor did not start"
            await asyncio.sleep(_MOMENT)
        yield address.read_text()
    finally:
        process.kill()
        process.join()


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, pool_size=4)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _books(engine: AsyncEngine, pot: Pot, bill: Path) -> Books:
    columns, mine = (holds.c.call_id, holds.c.state, holds.c.charged), holds.c.tenant_id == pot.tenant_id
    held = select(*columns).where(mine, holds.c.pot_id == pot.id)
    said = select(call_records.c.id, call_records.c.outcome).where(call_records.c.tenant_id == pot.tenant_id)
    async with engine.connect() as connection:
        await bind(connection, pot.tenant_id)
        lines = {row.call_id.hex: (HoldState(row.state), row.charged or 0) for row in await connection.execute(held)}
        outcomes = {row.id.hex: Outcome(row.outcome) for row in await connection.execute(said)}
    return Books(billing.read(bill), lines, outcomes)
