"""Windows of caps: opened by the first hold, closed by the calendar, and resized under use."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.errors import NotFound, QuotaExhausted
from domain.model.cap import Cap, Period
from domain.model.ids import TenantId
from domain.model.quota import Outcome, Pot
from tests.belongings import NOW, a_cap, a_hold, a_pot, a_record, as_stored, balance, costs, given, later
from tests.stores import Store

TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
async def pot(store: Store) -> Pot:
    """A trial that is never the narrowest."""
    pot = a_pot(TenantId(uuid7()), granted=100)
    await given(store.begin, pot)
    return pot


@pytest.fixture
async def cap(store: Store, pot: Pot) -> Cap:
    """3 calls a day."""
    cap = a_cap(pot.tenant_id, 3)
    await store.cap(cap)
    return cap


async def test_letter_l_the_first_calls_of_a_new_window_share_it(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    holds = [a_hold((pot, 1), (window, 1)) for _ in range(8)]
    answers = await asyncio.gather(*(store.ledger.hold(hold) for hold in holds), return_exceptions=True)
    assert [type(answer) for answer in answers if answer] == [QuotaExhausted] * 5
    assert await balance(store.begin, window) == (0, 3)
    assert await balance(store.begin, pot) == (0, 3)


async def test_letter_l_first_calls_over_several_new_windows_do_not_lock_each_other_out(store: Store, pot: Pot) -> None:
    caps = [a_cap(pot.tenant_id, 40, period) for period in Period]
    for cap in caps:
        await store.cap(cap)
    panes = [cap.window(NOW) for cap in caps]
    orders = [panes, panes[::-1], panes[1:] + panes[:1]]
    holds = [a_hold((pot, 1), *((pane, 1) for pane in orders[n % 3])) for n in range(15)]
    await asyncio.gather(*(store.ledger.hold(hold) for hold in holds))
    await asyncio.gather(*(store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1)) for hold in holds))
    assert [await balance(store.begin, pane) for pane in (pot, *panes)] == [(15, 0)] * 4


async def test_a_refused_first_call_opens_nothing(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    with pytest.raises(QuotaExhausted, match="cap"):
        await store.ledger.hold(a_hold((pot, 1), (window, 4)))
    async with store.begin(pot.tenant_id) as work:
        assert list(await work.pots.all()) == [pot]


async def test_a_cap_refuses_until_its_next_window(store: Store, pot: Pot, cap: Cap) -> None:
    today, tomorrow = cap.window(NOW), cap.window(TOMORROW)
    await store.ledger.hold(a_hold((pot, 3), (today, 3)))
    with pytest.raises(QuotaExhausted) as refused:
        await store.ledger.hold(a_hold((pot, 1), (today, 1)))
    told = refused.value
    assert (told.pot, told.free, told.asked) == ("cap", 0, 1)
    assert told.refills_at == datetime(2026, 11, 24, tzinfo=UTC)
    await store.ledger.hold(a_hold((pot, 3), (tomorrow, 3)))
    assert await balance(store.begin, pot) == (0, 6)


async def test_a_late_settlement_lands_in_the_window_of_its_hold(store: Store, pot: Pot, cap: Cap) -> None:
    today, tomorrow = cap.window(NOW), cap.window(TOMORROW)
    late, next_day = a_hold((pot, 2), (today, 2)), a_hold((pot, 3), (tomorrow, 3))
    await store.ledger.hold(late)
    await store.ledger.hold(next_day)
    await store.ledger.settle(a_record(pot.tenant_id, late.id, at=TOMORROW), {pot.id: 2, today.id: 1})
    assert await balance(store.begin, today) == (1, 0)
    assert await balance(store.begin, tomorrow) == (0, 3)


async def test_a_call_on_an_own_key_is_held_by_its_cap_alone(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    hold = a_hold((window, 1))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id))
    assert await balance(store.begin, window) == (1, 0)
    unsent = a_hold((window, 1))
    await store.ledger.hold(unsent)
    await store.ledger.settle(a_record(pot.tenant_id, unsent.id, Outcome.UNSENT))
    assert await balance(store.begin, window) == (1, 0)
    assert await balance(store.begin, pot) == (0, 0)


async def test_a_lost_workers_call_is_charged_to_its_cap_too(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    await store.ledger.hold(a_hold((pot, 2), (window, 2), expires_at=later(-1)))
    await store.ledger.sweep(later(0))
    assert await balance(store.begin, window) == await balance(store.begin, pot) == (2, 0)


@pytest.mark.parametrize(("amount", "granted"), [(9, 9), (2, 2), (1, 2), (0, 2)])
async def test_a_window_is_resized_but_never_below_what_is_spent_and_held(
    store: Store, pot: Pot, cap: Cap, amount: int, granted: int
) -> None:
    window = cap.window(NOW)
    spent = a_hold((window, 1))
    await store.ledger.hold(spent)
    await store.ledger.settle(a_record(pot.tenant_id, spent.id))
    await store.ledger.hold(a_hold((window, 1)))
    await store.ledger.resize(replace(window, granted=amount))
    assert await as_stored(store.begin, window) == replace(window, granted=granted, used=1, held=1)


async def test_a_window_is_opened_at_what_the_cap_allows_now(store: Store, pot: Pot, cap: Cap) -> None:
    """Whoever holds may have read the cap a moment before it was changed."""
    stale = cap.window(NOW)
    await store.cap(replace(cap, amount=1))
    with pytest.raises(QuotaExhausted) as refused:
        await store.ledger.hold(a_hold((pot, 2), (stale, 2)))
    assert refused.value.free == 1


async def test_a_resize_opens_the_window_so_that_nobody_opens_it_as_it_was(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    await store.ledger.resize(replace(window, granted=1))
    with pytest.raises(QuotaExhausted):
        await store.ledger.hold(a_hold((pot, 2), (window, 2)))
    assert await as_stored(store.begin, window) == replace(window, granted=1)


async def test_resizes_under_use_leave_the_last_one_standing(store: Store, pot: Pot, cap: Cap) -> None:
    window = cap.window(NOW)
    holds = [a_hold((pot, 1), (window, 1)) for _ in range(12)]
    sizes = [store.ledger.resize(replace(window, granted=size)) for size in (0, 5, 2, 7)]
    answers = await asyncio.gather(*sizes, *(store.ledger.hold(hold) for hold in holds), return_exceptions=True)
    assert {type(answer) for answer in answers} <= {type(None), QuotaExhausted}
    now = await as_stored(store.begin, window)
    assert now.held == sum(answer is None for answer in answers[4:]) <= (now.granted or 0) <= 7
    await store.ledger.resize(replace(window, granted=0))
    assert (await as_stored(store.begin, window)).free == 0


async def test_a_call_over_a_cap_that_is_gone_holds_nothing(store: Store, pot: Pot) -> None:
    gone = a_cap(pot.tenant_id).window(NOW)
    with pytest.raises(NotFound):
        await store.ledger.hold(a_hold((pot, 1), (gone, 1)))
    assert await balance(store.begin, pot) == (0, 0)


async def test_a_call_that_runs_while_its_cap_is_removed_is_settled_all_the_same(
    store: Store, pot: Pot, cap: Cap
) -> None:
    window = cap.window(NOW)
    hold = a_hold((pot, 1), (window, 1))
    await store.ledger.hold(hold)
    async with store.begin(pot.tenant_id) as work:
        await work.caps.remove(cap.id)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
    assert await balance(store.begin, pot) == (1, 0)
    assert await store.outcome(pot.tenant_id, hold.id) is Outcome.SUCCEEDED


async def test_windows_that_have_closed_are_left_out_of_what_calls_can_hold(store: Store, pot: Pot, cap: Cap) -> None:
    old, new = cap.window(NOW), cap.window(TOMORROW)
    for window in (old, new):
        await store.ledger.hold(a_hold((window, 1)))
    async with store.begin(pot.tenant_id) as work:
        assert {each.id for each in await work.pots.all()} == {pot.id, old.id, new.id}
        assert {each.id for each in await work.pots.all(NOW)} == {pot.id, old.id, new.id}
        assert {each.id for each in await work.pots.all(new.opened_at)} == {pot.id, new.id}
