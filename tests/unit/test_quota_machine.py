"""Any order of holds, settlements, releases and sweeps: balances are what the calls add up to."""

import asyncio
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import QuotaExhausted
from domain.model.ids import PotId, TenantId
from domain.model.quota import Hold
from infrastructure.db.engine import open_engine
from infrastructure.db.ledger import SqlLedger
from tests.belongings import NOW, a_hold, a_pot, a_record, balance, costs, given
from tests.databases import sqlite
from tests.stores import InDatabase, InMemory, Store

T = TypeVar("T")

AMOUNTS = st.integers(0, 12)


@dataclass
class Call:
    """What is expected of one hold: while it is held its lines are, once it is over it was charged per pot."""

    hold: Hold
    held: bool = True
    charged: dict[PotId, int] | None = None

    def close(self, due: int | None) -> None:
        if self.held:
            lines = self.hold.lines
            self.charged = {li.pot_id: li.amount if due is None else max(0, min(li.amount, due)) for li in lines}
            self.held = False


class QuotaMachine(RuleBasedStateMachine):
    """Two pots of one tenant, of 20 and of 30, in memory."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.opened()
        self.now = NOW
        tenant_id = TenantId(uuid7())
        self.pots = a_pot(tenant_id, 20), a_pot(tenant_id, 30)
        self.made: list[Call] = []
        self.run(given(self.store.begin, *self.pots))

    def opened(self) -> Store:
        return InMemory()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.runner.close()

    def expected(self, pot_id: PotId) -> tuple[int, int]:
        """(used, held), added up from the calls."""
        used = sum((call.charged or {}).get(pot_id, 0) for call in self.made)
        held = sum(li.amount for call in self.made if call.held for li in call.hold.lines if li.pot_id == pot_id)
        return used, held

    @rule(target=calls, amounts=st.tuples(AMOUNTS, AMOUNTS), seconds=st.integers(1, 30))
    def hold(self, amounts: tuple[int, int], seconds: int) -> Any:
        lines = list(zip(self.pots, amounts, strict=True))
        hold = a_hold(*lines, expires_at=self.now + timedelta(seconds=seconds))
        fits = all((pot.granted or 0) - sum(self.expected(pot.id)) >= amount for pot, amount in lines)
        try:
            self.run(self.store.ledger.hold(hold))
        except QuotaExhausted:
            assert not fits
            return multiple()
        assert fits
        self.made.append(Call(hold))
        return self.made[-1]

    @rule(call=calls)
    def hold_again(self, call: Call) -> None:
        self.run(self.store.ledger.hold(call.hold))

    @rule(call=calls, due=st.integers(-5, 20))
    def settle(self, call: Call, due: int) -> None:
        self.run(self.store.ledger.settle(a_record(call.hold.tenant_id, call.hold.id), costs(call.hold, due)))
        call.close(due)

    @rule(call=calls)
    def release(self, call: Call) -> None:
        self.run(self.store.ledger.release(call.hold.tenant_id, call.hold.id))
        call.close(0)

    @rule(seconds=st.integers(0, 20))
    def sweep_later(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        lost = [call for call in self.made if call.held and call.hold.expires_at < self.now]
        assert self.run(self.store.ledger.sweep(self.now)) == len(lost)
        for call in lost:
            call.close(None)

    @invariant()
    def balances_add_up(self) -> None:
        for pot in self.pots:
            used, held = self.run(balance(self.store.begin, pot))
            assert (used, held) == self.expected(pot.id)
            assert 0 <= used + held <= (pot.granted or 0)


def test_in_memory() -> None:
    run_state_machine_as_test(QuotaMachine, settings=_settings(examples=60))


def test_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    class OnSqlite(QuotaMachine):
        engine: AsyncEngine

        def opened(self) -> Store:
            urls = sqlite(tmp_path)
            shutil.copy(sqlite_template, make_url(urls.owner).database or "")
            self.engine = open_engine(urls.app)
            return InDatabase(self.engine, SqlLedger(self.engine))

        def teardown(self) -> None:
            self.run(self.engine.dispose())
            super().teardown()

    run_state_machine_as_test(OnSqlite, settings=_settings(examples=12))


def _settings(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=20, derandomize=True, deadline=None, database=None)
