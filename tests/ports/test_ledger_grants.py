"""Grants and revocations: each counts once, and nobody takes what is spent or held."""

import asyncio
from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from domain.errors import InvalidRange, QuotaExhausted
from domain.model.ids import GrantId, TenantId
from domain.model.quota import Grant, Pot, PotKind, Unit
from tests.belongings import GRANTED, a_grant, a_hold, a_pot, a_record, as_stored, costs, given
from tests.stores import Store


@pytest.fixture
async def pot(store: Store) -> Pot:
    """Paid quota: 10 calls."""
    pot = a_pot(TenantId(uuid7()), 10, PotKind.PAID)
    await given(store.begin, pot)
    return pot


async def kept(store: Store, pot: Pot) -> list[Grant]:
    async with store.begin(pot.tenant_id) as work:
        return list(await work.grants.page(first=100))


async def test_a_grant_adds_and_a_revocation_takes(store: Store, pot: Pot) -> None:
    more, less = a_grant(pot, 5), a_grant(pot, -12)
    assert await store.ledger.grant(more, pot, GRANTED) == replace(pot, granted=15)
    assert await store.ledger.grant(less, pot, GRANTED) == replace(pot, granted=3)
    assert await as_stored(store.begin, pot) == replace(pot, granted=3)
    assert await kept(store, pot) == [less, more]


async def test_a_grant_opens_a_pot_that_has_no_row_yet(store: Store, pot: Pot) -> None:
    pool = replace(a_pot(pot.tenant_id, 0, PotKind.FREE, Unit.CREDITS), provider=None)
    grant = a_grant(pool, 7)
    assert await store.ledger.grant(grant, pool, GRANTED) == replace(pool, granted=7)
    await store.ledger.hold(a_hold((pool, 7)))
    assert await kept(store, pool) == [grant]


async def test_the_same_grant_counts_once(store: Store, pot: Pot) -> None:
    grant = a_grant(pot, 5)
    answers = await asyncio.gather(*(store.ledger.grant(grant, pot, GRANTED) for _ in range(6)))
    assert answers == [replace(pot, granted=15)] * 6
    assert await store.ledger.grant(a_grant(pot, 99, grant.id), pot, GRANTED) == replace(pot, granted=15)
    assert await kept(store, pot) == [grant]


async def test_a_revocation_takes_at_most_what_is_free(store: Store, pot: Pot) -> None:
    spent, held = a_hold((pot, 3)), a_hold((pot, 4))
    for hold in (spent, held):
        await store.ledger.hold(hold)
    await store.ledger.settle(a_record(pot.tenant_id, spent.id), costs(spent, 2))
    with pytest.raises(InvalidRange, match="which is 4") as refused:
        await store.ledger.grant(a_grant(pot, -5), pot, GRANTED)
    assert refused.value.field == "amount"
    assert await kept(store, pot) == []
    assert (await store.ledger.grant(a_grant(pot, -4), pot, GRANTED)).free == 0
    with pytest.raises(QuotaExhausted):
        await store.ledger.hold(a_hold((pot, 1)))


async def test_nothing_can_be_taken_from_a_pot_that_was_never_opened(store: Store, pot: Pot) -> None:
    other = a_pot(pot.tenant_id, 0, PotKind.FREE)
    with pytest.raises(InvalidRange, match="which is 0"):
        await store.ledger.grant(a_grant(other, -1), other, GRANTED)
    async with store.begin(pot.tenant_id) as work:
        assert list(await work.pots.all()) == [pot]


async def test_an_unlimited_pot_stays_so(store: Store, pot: Pot) -> None:
    unlimited = replace(pot, granted=None)
    assert await store.ledger.grant(a_grant(pot, None), pot, GRANTED) == unlimited
    assert await store.ledger.grant(a_grant(pot, 5), pot, GRANTED) == unlimited
    with pytest.raises(InvalidRange, match="unlimited"):
        await store.ledger.grant(a_grant(pot, -5), pot, GRANTED)
    await store.ledger.hold(a_hold((pot, 2**50)))
    assert [grant.amount for grant in await kept(store, pot)] == [5, None]


async def test_letter_b_grants_are_exact_up_to_the_largest_amount(store: Store, pot: Pot) -> None:
    assert await store.ledger.grant(a_grant(pot, 2**63 - 11), pot, GRANTED) == replace(pot, granted=2**63 - 1)
    with pytest.raises(InvalidRange, match=str(2**63 - 1)):
        await store.ledger.grant(a_grant(pot, 1), pot, GRANTED)
    assert await store.ledger.grant(a_grant(pot, -(2**63 - 2)), pot, GRANTED) == replace(pot, granted=1)


async def test_grants_and_revocations_among_holds_add_up(store: Store, pot: Pot) -> None:
    grants = [a_grant(pot, amount, GrantId(uuid7())) for amount in (3, -4, 2, -4, -4, -4)]
    holds = [a_hold((pot, 2)) for _ in range(8)]
    changes = (store.ledger.grant(grant, pot, GRANTED) for grant in grants)
    answers = await asyncio.gather(*changes, *(store.ledger.hold(h) for h in holds), return_exceptions=True)
    taken = [grant for grant, answer in zip(grants, answers, strict=False) if isinstance(answer, Pot)]
    now = await as_stored(store.begin, pot)
    assert {type(answer) for answer in answers} <= {Pot, InvalidRange, QuotaExhausted, type(None)}
    assert now.granted == 10 + sum(grant.amount or 0 for grant in taken)
    assert now.held == 2 * sum(answer is None for answer in answers[len(grants) :]) <= now.granted
    assert sorted(grant.id for grant in await kept(store, pot)) == sorted(grant.id for grant in taken)


async def test_an_unlimited_pot_is_closed_at_what_was_spent_and_held(store: Store, pot: Pot) -> None:
    await store.ledger.grant(a_grant(pot, None), pot, GRANTED)
    await store.ledger.hold(a_hold((pot, 7)))
    noted = await store.ledger.grant(a_grant(pot, 0), pot, GRANTED)
    assert noted.granted is None
    await store.ledger.resize(replace(pot, granted=0))
    async with store.begin(pot.tenant_id) as work:
        (now,) = await work.pots.all()
    assert (now.granted, now.held, now.free) == (7, 7, 0)
