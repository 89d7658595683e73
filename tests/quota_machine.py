"""Any order of holds, settlements, releases, sweeps, grants, revocations, resizes and new windows: balances add up."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule
from uuid_utils.compat import uuid7

from domain.errors import InvalidRange, QuotaExhausted
from domain.model.ids import PotId, TenantId
from domain.model.quota import Grant, Hold, Outcome, Pot, PotKind, Unit
from tests.belongings import GRANTED, a_cap, a_grant, a_hold, a_pot, a_record, given
from tests.stores import InMemory, Store

T = TypeVar("T")

START = datetime(2020, 1, 1, 12, tzinfo=UTC)
"""Long past, as PostgreSQL lets a sweep see only what has expired by its own clock."""

AMOUNTS = st.none() | st.integers(0, 7)
CHARGES = st.none() | st.integers(-2, 9)


@dataclass
class Call:
    """What is expected of one hold: while it is held its lines are, once it is over it was charged per pot."""

    hold: Hold
    held: bool = True
    charged: dict[PotId, int] | None = None

    def close(self, charges: dict[PotId, int]) -> None:
        """A pot that `charges` does not name is charged in full."""
        if self.held:
            amounts = {line.pot_id: line.amount for line in self.hold.lines}
            self.charged = {pot_id: max(0, min(n, charges.get(pot_id, n))) for pot_id, n in amounts.items()}
            self.held = False

    def free(self) -> None:
        self.close({line.pot_id: 0 for line in self.hold.lines})


class QuotaMachine(RuleBasedStateMachine):
    """A trial of 20 calls, 30 paid tokens and a cap of 12 calls a day, of one tenant, in memory."""

    calls = Bundle("calls")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.opened()
        self.now = START
        tenant_id = TenantId(uuid7())
        self.funds = a_pot(tenant_id, 20), a_pot(tenant_id, 30, PotKind.PAID, Unit.TOKENS)
        self.cap = a_cap(tenant_id, 12)
        self.granted = {pot.id: pot.granted for pot in self.funds}
        self.made: list[Call] = []
        self.run(given(self.store.begin, *self.funds))
        self.run(self.store.cap(self.cap))

    def opened(self) -> Store:
        """Called first."""
        return InMemory()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        """Nothing stays held that the sweep of another machine on the same database would count."""
        self.run(self.store.ledger.sweep(self.now + timedelta(days=1)))
        self.run(self.closed())
        self.runner.close()

    async def closed(self) -> None:
        """Called last."""

    def spent(self, pot_id: PotId) -> tuple[int, int]:
        """(used, held), added up from the calls."""
        used = sum((call.charged or {}).get(pot_id, 0) for call in self.made)
        held = sum(li.amount for call in self.made if call.held for li in call.hold.lines if li.pot_id == pot_id)
        return used, held

    def free(self, pot: Pot) -> int | None:
        granted = self.granted.get(pot.id, pot.granted)
        return None if granted is None else granted - sum(self.spent(pot.id))

    def narrow(self, lines: list[tuple[Pot, int]]) -> Iterator[tuple[str, int, int]]:
        """What each pot that has too little would say, by id."""
        for pot, amount in sorted(lines, key=lambda line: line[0].id):
            free = self.free(pot)
            if free is not None and free < amount:
                yield pot.kind, free, amount

    async def refusal(self, hold: Hold) -> tuple[str, int, int] | None:
        try:
            await self.store.ledger.hold(hold)
        except QuotaExhausted as refused:
            return refused.pot, refused.free, refused.asked
        return None

    @rule(target=calls, amounts=st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), seconds=st.integers(1, 30))
    def hold(self, amounts: tuple[int | None, int | None, int | None], seconds: int) -> Any:
        pots = (*self.funds, self.cap.window(self.now))
        lines = [(pot, n) for pot, n in zip(pots, amounts, strict=True) if n is not None]
        if not lines:
            return multiple()
        hold = a_hold(*lines, expires_at=self.now + timedelta(seconds=seconds))
        narrow = next(self.narrow(lines), None)
        assert self.run(self.refusal(hold)) == narrow
        if narrow:
            return multiple()
        self.granted |= {pot.id: self.granted.get(pot.id, pot.granted) for pot, _ in lines}
        self.made.append(Call(hold))
        return self.made[-1]

    @rule(call=calls)
    def hold_again(self, call: Call) -> None:
        self.run(self.store.ledger.hold(call.hold))

    @rule(call=calls, amounts=st.tuples(CHARGES, CHARGES, CHARGES))
    def settle(self, call: Call, amounts: tuple[int | None, int | None, int | None]) -> None:
        lines = zip(call.hold.lines, amounts, strict=False)
        charges = {line.pot_id: n for line, n in lines if n is not None}
        self.run(self.store.ledger.settle(a_record(call.hold.tenant_id, call.hold.id), charges))
        call.close(charges)

    @rule(call=calls)
    def settle_unsent(self, call: Call) -> None:
        self.run(self.store.ledger.settle(a_record(call.hold.tenant_id, call.hold.id, Outcome.UNSENT)))
        call.free()

    @rule(call=calls)
    def release(self, call: Call) -> None:
        self.run(self.store.ledger.release(call.hold.tenant_id, call.hold.id))
        call.free()

    @rule(seconds=st.integers(0, 20))
    def sweep_later(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        lost = [call for call in self.made if call.held and call.hold.expires_at < self.now]
        assert self.run(self.store.ledger.sweep(self.now)) == len(lost)
        for call in lost:
            call.close({})

    @rule(target=grants, number=st.integers(0, 1), amount=st.integers(-15, 15))
    def grant_or_revoke(self, number: int, amount: int) -> Any:
        pot = self.funds[number]
        grant, free = a_grant(pot, amount), self.free(pot)
        fits = amount >= 0 or (free is not None and free >= -amount)
        try:
            now = self.run(self.store.ledger.grant(grant, pot, GRANTED))
        except InvalidRange:
            assert not fits
            return multiple()
        assert fits
        granted = self.granted[pot.id]
        self.granted[pot.id] = None if granted is None else granted + amount
        assert (now.granted, (now.used, now.held)) == (self.granted[pot.id], self.spent(pot.id))
        return grant, pot

    @rule(target=grants)
    def make_unlimited(self) -> tuple[Grant, Pot]:
        pot = self.funds[1]
        grant = a_grant(pot, None)
        self.run(self.store.ledger.grant(grant, pot, GRANTED))
        self.granted[pot.id] = None
        return grant, pot

    @rule(given=grants)
    def grant_again(self, given: tuple[Grant, Pot]) -> None:
        self.run(self.store.ledger.grant(*given, GRANTED))

    @rule(amount=st.integers(0, 15))
    def resize(self, amount: int) -> None:
        self.cap = replace(self.cap, amount=amount)
        window = self.cap.window(self.now)
        self.run(self.store.cap(self.cap))
        self.run(self.store.ledger.resize(window))
        self.granted[window.id] = max(amount, sum(self.spent(window.id)))

    @precondition(lambda self: self.cap.window(self.now).id in self.granted)
    @rule()
    def begin_next_window(self) -> None:
        self.now += timedelta(days=1)

    @invariant()
    def balances_add_up(self) -> None:
        async def stored() -> list[Pot]:
            async with self.store.begin(self.cap.tenant_id) as work:
                return list(await work.pots.all())

        found = {pot.id: (pot.granted, (pot.used, pot.held)) for pot in self.run(stored())}
        assert found == {pot_id: (granted, self.spent(pot_id)) for pot_id, granted in self.granted.items()}
        assert all(granted is None or 0 <= used + held <= granted for granted, (used, held) in found.values())


def bounded(examples: int) -> settings:
    """Failures come as they were found: to make them smaller takes longer than a test may."""
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
