"""What an operator grants and takes back: which quota it meets, what is refused, and what the tenant is told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import ChangedMeanwhile, DomainError, Forbidden, InvalidRange, NotFound, QuotaExhausted
from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES, Actor, Scope
from domain.model.audit import Deed
from domain.model.ids import ClientId, PotId, TenantId
from domain.model.planning import Demand
from domain.model.quota import Grant, Pot, PotKind, Terms, Unit
from domain.model.tenant import Tenant
from domain.model.usage import Job
from domain.usecases.grants import SHELL, Grants, NewGrant
from tests.fakes import FakeLedger
from tests.unit.domain.samples import LLM, NOW, TENANT, a_cap, ref
from tests.unit.usecases.house import House

OPERATOR = Actor(TenantId(UUID(int=70)), ClientId(UUID(int=71)), OPERATOR_SCOPES, NOW + timedelta(days=1))
GIFT = NewGrant(TENANT, PotKind.PAID, "acme", Unit.CALLS, 10, "Bought ten calls.")
REASON = "A mistake."


async def test_what_is_granted_is_spent_first_and_told_to_the_tenant() -> None:
    house = House()
    pot = await house.grants.grant(OPERATOR, GIFT)
    assert (pot.kind, pot.provider, pot.unit, pot.granted, pot.free) == (PotKind.PAID, "acme", Unit.CALLS, 10, 10)
    ticket = await house.metering.admit(house.actor(), Demand(ref("best"), LLM), Job.CHAT)
    assert [p.id for p in ticket.candidate.pots] == [pot.id]
    (told,) = await house.grants.page(house.actor(), first=10)
    assert (told.pot_id, told.amount, told.reason, told.at) == (pot.id, 10, "Bought ten calls.", house.clock())
    assert told.granted_by == OPERATOR.client_id


async def test_grants_on_the_same_terms_add_up_and_on_others_do_not() -> None:
    house = House()
    first, second = await house.grants.grant(OPERATOR, GIFT), await house.grants.grant(OPERATOR, GIFT)
    assert (first.id, second.granted) == (second.id, 20)
    others = [
        replace(GIFT, kind=PotKind.FREE),
        replace(GIFT, provider=None),
        replace(GIFT, unit=Unit.TOKENS),
        replace(GIFT, terms=Terms((ref("best"),))),
    ]
    ids = {(await house.grants.grant(OPERATOR, other)).id for other in others}
    assert len(ids | {first.id}) == len(others) + 1


async def test_weights_of_a_grant_are_what_calls_cost() -> None:
    house = House()
    house.rows(TENANT).pots.clear()
    weighed = replace(GIFT, unit=Unit.CREDITS, provider=None, terms=Terms(weights={"acme/old": 4}))
    await house.grants.grant(OPERATOR, weighed)
    ticket = await house.metering.admit(house.actor(), Demand(ref("newer"), LLM), Job.CHAT)
    assert [line.amount for line in ticket.candidate.lines] == [4]


async def test_the_operators_shell_grants_without_an_actor() -> None:
    house = House()
    await house.grants.bestow(GIFT)
    (told,) = await house.grants.page(house.actor(), first=10)
    assert told.granted_by == SHELL


async def test_an_unlimited_grant_never_refuses_until_it_is_taken_back() -> None:
    house = House(granted=0)
    unlimited = await house.grants.grant(OPERATOR, replace(GIFT, amount=None))
    assert unlimited.free is None
    await house.metering.admit(house.actor(), Demand(ref("old"), LLM), Job.CHAT)
    closed = await house.grants.revoke(OPERATOR, TENANT, unlimited.id, None, REASON)
    assert (closed.granted, closed.held, closed.free) == (1, 1, 0)
    with pytest.raises(QuotaExhausted):
        await house.metering.admit(house.actor(), Demand(ref("old"), LLM), Job.CHAT)
    assert [g.amount for g in await house.grants.page(house.actor(), first=10)] == [0, None]


async def test_a_revocation_takes_part_or_all_of_what_is_free() -> None:
    house = House()
    pot = await house.grants.grant(OPERATOR, GIFT)
    await house.metering.admit(house.actor(), Demand(ref("best"), LLM), Job.CHAT)
    part = await house.grants.revoke(OPERATOR, TENANT, pot.id, 4, REASON)
    assert (part.granted, part.free) == (6, 5)
    with pytest.raises(InvalidRange, match="amount"):
        await house.grants.revoke(OPERATOR, TENANT, pot.id, 6, REASON)
    rest = await house.grants.revoke(OPERATOR, TENANT, pot.id, None, REASON)
    assert (rest.granted, rest.held, rest.free) == (1, 1, 0)
    assert await house.grants.revoke(OPERATOR, TENANT, pot.id, None, REASON) == rest
    assert [g.amount for g in await house.grants.page(house.actor(), first=10)] == [-5, -4, 10]


async def test_a_trial_can_be_taken_back_and_a_cap_is_not_the_operators() -> None:
    house = House()
    taken = await house.grants.revoke(OPERATOR, TENANT, house.pot.id, None, REASON)
    assert (taken.kind, taken.free) == (PotKind.TRIAL, 0)
    window = a_cap(9, UUID(int=4)).window(NOW)
    house.rows(TENANT).pots[window.id] = window
    for unknown in (window.id, PotId(UUID(int=12345))):
        with pytest.raises(NotFound, match="quota"):
            await house.grants.revoke(OPERATOR, TENANT, unknown, 1, REASON)


@pytest.mark.parametrize(
    ("change", "refusal", "what"),
    [
        ({"tenant_id": TenantId(UUID(int=404))}, NotFound, "tenant"),
        ({"provider": "nobody"}, NotFound, "provider"),
        ({"kind": PotKind.TRIAL}, InvalidRange, "kind"),
        ({"kind": PotKind.CAP}, InvalidRange, "kind"),
        ({"amount": 0}, InvalidRange, "amount"),
        ({"amount": -5}, InvalidRange, "amount"),
        ({"amount": 2**63}, InvalidRange, "amount"),
        ({"reason": " x "}, InvalidRange, "reason"),
        ({"reason": "x" * 301}, InvalidRange, "reason"),
        ({"reason": "two\nlines"}, InvalidRange, "reason"),
        ({"terms": Terms(())}, InvalidRange, "models"),
        ({"terms": Terms((ref("gone"),))}, InvalidRange, "models[0]"),
        ({"terms": Terms((ref("old"), ref("llama", "home")))}, InvalidRange, "models[1]"),
        ({"terms": Terms(weights={"acme/old": 2})}, InvalidRange, "weights"),
        ({"unit": Unit.CREDITS, "terms": Terms(weights={"acme/gone": 2})}, InvalidRange, "weights[0]"),
        ({"unit": Unit.CREDITS, "terms": Terms(weights={"acme/old": 0})}, InvalidRange, "weights[0]"),
    ],
)
async def test_a_grant_that_cannot_be_is_refused(
    change: Mapping[str, Any], refusal: type[DomainError], what: str
) -> None:
    house = House()
    with pytest.raises(refusal) as refused:
        await house.grants.grant(OPERATOR, replace(GIFT, **change))
    assert what in (getattr(refused.value, "field", None), getattr(refused.value, "what", None))
    assert house.rows(TENANT).grants == {}


async def test_nothing_is_taken_back_without_a_reason_or_an_amount_above_zero() -> None:
    house = House()
    pot = await house.grants.grant(OPERATOR, GIFT)
    for amount, reason in ((1, "no"), (0, REASON), (-1, REASON)):
        with pytest.raises(InvalidRange):
            await house.grants.revoke(OPERATOR, TENANT, pot.id, amount, reason)


class BusyLedger(FakeLedger):
    """Another call takes a unit just before each revocation."""

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        pots = self.store.rows[grant.tenant_id].pots
        pots[pot.id] = replace(pots[pot.id], used=pots[pot.id].used + 1)
        return await super().grant(grant, pot, deed)


async def test_taking_back_all_of_a_quota_that_does_not_hold_still_is_given_up() -> None:
    house = House()
    pot = await house.grants.grant(OPERATOR, GIFT)
    busy = Grants(house.store.begin, BusyLedger(house.store), house.standing, house.platform, house.clock, house.fresh)
    with pytest.raises(ChangedMeanwhile, match="quota"):
        await busy.revoke(OPERATOR, TENANT, pot.id, None, REASON)
    assert len(house.rows(TENANT).grants) == 1


async def test_only_the_operator_grants_and_it_sees_nothing_else_of_the_tenant() -> None:
    house = House()
    house.rows(OPERATOR.tenant_id).tenants.append(Tenant(OPERATOR.tenant_id, "Operator", NOW))
    pot = await house.grants.grant(OPERATOR, GIFT)
    admin = house.actor(*TENANT_SCOPES)
    for attempt in (house.grants.grant(admin, GIFT), house.grants.revoke(admin, TENANT, pot.id, 1, REASON)):
        with pytest.raises(Forbidden) as refused:
            await attempt
        assert refused.value.needs == Scope.QUOTAS_GRANT
    with pytest.raises(Forbidden):
        await house.grants.page(OPERATOR, first=10)
    with_all = replace(OPERATOR, scopes=frozenset(Scope))
    assert await house.grants.page(with_all, first=10) == []
    assert await house.quotas.all(with_all) == []


async def test_grants_are_paged_newest_first() -> None:
    house = House()
    for amount in (1, 2, 3):
        await house.grants.grant(OPERATOR, replace(GIFT, amount=amount))
    newest, middle = await house.grants.page(house.actor(), first=2)
    assert (newest.amount, middle.amount) == (3, 2)
    assert [g.amount for g in await house.grants.page(house.actor(), first=2, after=middle.id)] == [1]
