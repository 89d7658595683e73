"""What every ledger promises: one test, at least, for each way in which a known reservation failed."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from domain.errors import NotFound, QuotaExhausted
from domain.model.ids import CallId, TenantId
from domain.model.quota import HoldState, Outcome, Pot, PotKind, Unit
from tests.belongings import a_hold, a_pot, a_record, balance, costs, given, later, settled_in
from tests.stores import Store


@pytest.fixture
async def pot(store: Store) -> Pot:
    """A trial of 10 calls."""
    return await stored(store, granted=10)


async def stored(store: Store, *, granted: int | None, unit: Unit = Unit.CALLS) -> Pot:
    pot = a_pot(TenantId(uuid7()), granted, unit=unit)
    await given(store.begin, pot)
    return pot


async def test_a_hold_is_settled_at_what_the_call_cost(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 7))
    await store.ledger.hold(hold)
    assert await balance(store.begin, pot) == (0, 7)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 3))
    assert await balance(store.begin, pot) == (3, 0)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.SETTLED
    assert await store.outcome(pot.tenant_id, hold.id) is Outcome.SUCCEEDED


async def test_a_refusal_names_pot_unit_free_and_asked(store: Store, pot: Pot) -> None:
    await store.ledger.hold(a_hold((pot, 8)))
    with pytest.raises(QuotaExhausted) as refused:
        await store.ledger.hold(a_hold((pot, 3)))
    told = refused.value
    assert (told.pot, told.unit, told.free, told.asked, told.refills_at) == ("trial", "calls", 2, 3, None)
    assert await balance(store.begin, pot) == (0, 8)


async def test_all_that_is_free_can_be_held(store: Store, pot: Pot) -> None:
    await store.ledger.hold(a_hold((pot, 10)))
    assert await balance(store.begin, pot) == (0, 10)


async def test_unlimited_pots_count_and_never_refuse(store: Store) -> None:
    pot = await stored(store, granted=None, unit=Unit.TOKENS)
    holds = [a_hold((pot, 2**40)) for _ in range(3)]
    for hold in holds:
        await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, holds[0].id), costs(holds[0], 2**39))
    assert await balance(store.begin, pot) == (2**39, 2 * 2**40)


async def test_letter_a_a_call_holds_all_its_pots_or_none(store: Store) -> None:
    tenant_id = TenantId(uuid7())
    roomy, narrow = a_pot(tenant_id, 100, PotKind.PAID), a_pot(tenant_id, 1)
    await given(store.begin, roomy, narrow)
    for lines in ([(roomy, 2), (narrow, 2)], [(narrow, 2), (roomy, 2)]):
        with pytest.raises(QuotaExhausted, match="trial"):
            await store.ledger.hold(a_hold(*lines))
    assert await balance(store.begin, roomy) == (0, 0)
    assert await balance(store.begin, narrow) == (0, 0)


async def test_letter_a_opposite_orders_of_pots_do_not_lock_each_other_out(store: Store) -> None:
    tenant_id = TenantId(uuid7())
    one, two = a_pot(tenant_id, 40), a_pot(tenant_id, 40)
    await given(store.begin, one, two)
    holds = [a_hold((one, 1), (two, 1)) if n % 2 else a_hold((two, 1), (one, 1)) for n in range(16)]
    await asyncio.gather(*(store.ledger.hold(hold) for hold in holds))
    await asyncio.gather(*(store.ledger.settle(a_record(tenant_id, hold.id), costs(hold, 1)) for hold in holds))
    assert await balance(store.begin, one) == await balance(store.begin, two) == (16, 0)


async def test_letter_b_amounts_are_exact_beyond_what_a_float_holds(store: Store) -> None:
    granted = 2**60 + 1
    pot = await stored(store, granted=granted, unit=Unit.TOKENS)
    hold = a_hold((pot, granted))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, granted))
    assert await balance(store.begin, pot) == (granted, 0)
    with pytest.raises(QuotaExhausted) as refused:
        await store.ledger.hold(a_hold((pot, 1)))
    assert refused.value.free == 0


async def test_letter_c_nothing_is_held_for_a_pot_that_cannot_be_written(store: Store, pot: Pot) -> None:
    missing = a_pot(pot.tenant_id)
    hold = a_hold((pot, 1), (missing, 1))
    with pytest.raises(NotFound):
        await store.ledger.hold(hold)
    assert await balance(store.begin, pot) == (0, 0)
    assert await store.state(pot.tenant_id, hold.id) is None


async def test_letter_e_settling_again_changes_nothing(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 5))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 2))
    await store.ledger.settle(a_record(pot.tenant_id, hold.id, Outcome.BROKEN), costs(hold, 5))
    await store.ledger.release(pot.tenant_id, hold.id)
    assert await balance(store.begin, pot) == (2, 0)
    assert await store.outcome(pot.tenant_id, hold.id) is Outcome.SUCCEEDED


async def test_letter_e_settlements_at_one_moment_charge_once(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 5))
    await store.ledger.hold(hold)
    record = a_record(pot.tenant_id, hold.id)
    await asyncio.gather(*(store.ledger.settle(record, costs(hold, 2)) for _ in range(8)))
    assert await balance(store.begin, pot) == (2, 0)


async def test_letter_e_holding_again_with_the_same_id_holds_once(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 6))
    await asyncio.gather(*(store.ledger.hold(hold) for _ in range(4)))
    assert await balance(store.begin, pot) == (0, 6)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 6))
    await store.ledger.hold(hold)
    assert await balance(store.begin, pot) == (6, 0)


async def test_letter_f_a_balance_read_between_hold_and_settlement_counts_nothing_twice(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4))
    await store.ledger.hold(hold)
    async with store.begin(pot.tenant_id) as work:
        (seen,) = await work.pots.all()
    assert seen.free == 6
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 4))
    async with store.begin(pot.tenant_id) as work:
        (seen,) = await work.pots.all()
    assert (seen.used, seen.free) == (4, 6)


async def test_letter_g_a_hold_is_never_shrunk_to_what_is_left(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 11))
    with pytest.raises(QuotaExhausted) as refused:
        await store.ledger.hold(hold)
    assert (refused.value.free, refused.value.asked) == (10, 11)
    assert await balance(store.begin, pot) == (0, 0)
    assert await store.state(pot.tenant_id, hold.id) is None


async def test_letter_h_a_lost_workers_hold_is_charged_in_full(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4), expires_at=later(-1))
    await store.ledger.hold(hold)
    assert await store.ledger.sweep(later(0)) >= 1
    assert await balance(store.begin, pot) == (4, 0)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.EXPIRED
    assert "charged in full" in (await store.incident(pot.tenant_id, hold.id) or "")


async def test_letter_h_what_comes_after_the_expiry_leaves_only_its_record(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4), expires_at=later(-1))
    await store.ledger.hold(hold)
    await store.ledger.sweep(later(0))
    await store.ledger.release(pot.tenant_id, hold.id)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, 1))
    assert await balance(store.begin, pot) == (4, 0)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.EXPIRED
    assert await store.outcome(pot.tenant_id, hold.id) is Outcome.SUCCEEDED


@pytest.mark.parametrize(("reported", "charged"), [(0, 0), (-3, 0), (11, 5), (2**70, 5)])
async def test_letter_j_zero_is_a_number_and_a_charge_stays_within_the_hold(
    store: Store, pot: Pot, reported: int, charged: int
) -> None:
    hold = a_hold((pot, 5))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id), costs(hold, reported), "the vendor counted oddly")
    assert await balance(store.begin, pot) == (charged, 0)
    assert await store.incident(pot.tenant_id, hold.id) == "the vendor counted oddly"


async def test_letter_k_every_pot_of_a_call_is_charged_in_its_own_unit(store: Store) -> None:
    tenant_id = TenantId(uuid7())
    calls, tokens, weighed = (a_pot(tenant_id, 10_000, unit=unit) for unit in Unit)
    await given(store.begin, calls, tokens, weighed)
    hold = a_hold((calls, 1), (tokens, 4_000), (weighed, 7))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(tenant_id, hold.id), {calls.id: 1, tokens.id: 321, weighed.id: 7})
    assert [await balance(store.begin, pot) for pot in (calls, tokens, weighed)] == [(1, 0), (321, 0), (7, 0)]


async def test_letter_k_a_pot_of_which_the_settlement_says_nothing_is_charged_in_full(store: Store) -> None:
    tenant_id = TenantId(uuid7())
    named, forgotten, stranger = (a_pot(tenant_id, 100) for _ in range(3))
    await given(store.begin, named, forgotten, stranger)
    hold = a_hold((named, 8), (forgotten, 3))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(tenant_id, hold.id), {named.id: 5, stranger.id: 9})
    assert [await balance(store.begin, pot) for pot in (named, forgotten, stranger)] == [(5, 0), (3, 0), (0, 0)]


async def test_a_release_gives_everything_back_once(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4))
    await store.ledger.hold(hold)
    for _ in range(2):
        await store.ledger.release(pot.tenant_id, hold.id)
    assert await balance(store.begin, pot) == (0, 0)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.RELEASED


async def test_an_unsent_call_is_settled_as_a_release(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4))
    await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, hold.id, Outcome.UNSENT))
    assert await balance(store.begin, pot) == (0, 0)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.RELEASED


async def test_a_call_on_the_tenants_own_key_leaves_only_its_record(store: Store, pot: Pot) -> None:
    record = a_record(pot.tenant_id)
    await store.ledger.settle(record, incident="x" * 1_000)
    assert await store.outcome(pot.tenant_id, record.id) is Outcome.SUCCEEDED
    assert await store.state(pot.tenant_id, record.id) is None
    assert (await store.incident(pot.tenant_id, record.id) or "").startswith("x" * 300)
    assert await balance(store.begin, pot) == (0, 0)


async def test_a_hold_within_its_time_is_not_swept(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4), expires_at=later(60))
    await store.ledger.hold(hold)
    await store.ledger.sweep(later(0))
    assert await store.state(pot.tenant_id, hold.id) is HoldState.HELD
    assert await balance(store.begin, pot) == (0, 4)


async def test_an_expired_hold_gives_no_room_back(store: Store, pot: Pot) -> None:
    """Its amount moves from held to used, so a refusal need not wait for the sweep to be right."""
    await store.ledger.hold(a_hold((pot, 9), expires_at=later(-1)))
    for _ in range(2):
        with pytest.raises(QuotaExhausted) as refused:
            await store.ledger.hold(a_hold((pot, 2)))
        assert refused.value.free == 1
        await store.ledger.sweep(later(0))


async def test_a_sweep_reaches_every_tenant(store: Store) -> None:
    pots = [await stored(store, granted=10) for _ in range(3)]
    for pot in pots:
        await store.ledger.hold(a_hold((pot, 2), expires_at=later(-1)))
    await store.ledger.sweep(later(0))
    assert [await balance(store.begin, pot) for pot in pots] == [(2, 0)] * 3


async def test_sweeps_at_one_moment_charge_once(store: Store, pot: Pot) -> None:
    for _ in range(3):
        await store.ledger.hold(a_hold((pot, 2), expires_at=later(-1)))
    await asyncio.gather(*(store.ledger.sweep(later(0)) for _ in range(4)))
    assert await balance(store.begin, pot) == (6, 0)


async def test_another_tenants_call_cannot_be_settled_or_released(store: Store, pot: Pot) -> None:
    hold = a_hold((pot, 4))
    await store.ledger.hold(hold)
    stranger = await settled_in(store.begin)
    await store.ledger.settle(a_record(stranger.id, hold.id), costs(hold, 4))
    await store.ledger.release(stranger.id, hold.id)
    assert await balance(store.begin, pot) == (0, 4)
    assert await store.state(pot.tenant_id, hold.id) is HoldState.HELD


async def test_releasing_what_was_never_held_does_nothing(store: Store, pot: Pot) -> None:
    await store.ledger.release(pot.tenant_id, CallId(uuid7()))
    assert await balance(store.begin, pot) == (0, 0)
