"""A plan and the call that it plans agree, whatever the tenant has: on key, pots, bounds, or the refusal."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DomainError, Forbidden, QuotaExhausted
from domain.model.access import EVERYWHERE, TENANT_SCOPES, Actor, Reach, Scope
from domain.model.cap import Cap, CapSubject, Period
from domain.model.credential import Cooling, SealContext
from domain.model.ids import CapId, ClientId, PotId
from domain.model.planning import Candidate, Demand
from domain.model.quota import Pot, PotKind, Terms, Unit
from domain.model.secret import Secret
from domain.model.selection import KeySource
from domain.model.usage import Job
from tests.unit.domain.samples import EMBEDDING, LLM, NOW, TENANT, a_cap, credential, pot, ref
from tests.unit.usecases.house import House

APP = ClientId(UUID(int=500))
ACTOR = Actor(TENANT, APP, TENANT_SCOPES, NOW + timedelta(days=9))
CALL = Demand(ref("old"), LLM, prompt_characters=10, max_output=20)
UNITS = st.sampled_from(Unit)
TERMS = st.sampled_from([Terms(), Terms((ref("old"),)), Terms(weights={"acme/old": 5})])


@st.composite
def pots(draw: st.DrawFn) -> Pot:
    granted, used, held = draw(st.none() | st.integers(0, 120)), draw(st.integers(0, 8)), draw(st.integers(0, 8))
    if granted is not None:
        used = min(used, granted)
        held = min(held, granted - used)
    kind, provider = draw(st.sampled_from(list(PotKind)[:3])), draw(st.sampled_from(["acme", "home", None]))
    return pot(granted, used, held, draw(UNITS), kind=kind, provider=provider, terms=draw(TERMS))


@st.composite
def caps(draw: st.DrawFn) -> tuple[Cap, int | None]:
    """A cap, and how much of its open window is spent; None when it is not open."""
    on = draw(st.sampled_from([APP, UUID(int=501), UUID(int=1), UUID(int=2)]))
    subject = CapSubject.APPLICATION if on.int >= 500 else CapSubject.CREDENTIAL
    cap = a_cap(draw(st.integers(0, 90)), on, subject=subject, unit=draw(UNITS), period=draw(st.sampled_from(Period)))
    return cap, draw(st.none() | st.integers(0, cap.amount))


@dataclass(frozen=True)
class State:
    """What a tenant has: of each key whether it is active, its weight, and whether it rests."""

    keys: list[tuple[bool, int, bool]]
    pots: list[Pot]
    caps: list[tuple[Cap, int | None]]
    preferred: KeySource | None
    off: bool

    async def housed(self) -> House:
        house = House()
        rows = house.rows(TENANT)
        rows.pots.clear()
        (key,) = rows.keys.values()
        for number, (active, weight, rests) in enumerate(self.keys, 1):
            mine = replace(credential(number), active=active, weight=weight)
            rows.credentials[mine.id] = mine, await house.vault.seal(key, SealContext.of(mine), {"key": Secret("own")})
            if rests:
                rows.coolings[mine.id] = Cooling(mine.id, house.clock() + timedelta(minutes=1), "UPSTREAM_TIMEOUT")
        for at, each in enumerate(self.pots):
            rows.pots[PotId(UUID(int=600 + at))] = replace(each, id=PotId(UUID(int=600 + at)))
        for at, (cap, spent) in enumerate(self.caps):
            numbered = replace(cap, id=CapId(UUID(int=700 + at)))
            rows.caps[numbered.id] = numbered
            if spent is not None:
                window = replace(numbered.window(house.clock()), used=spent)
                rows.pots[window.id] = window
        if self.preferred:
            rows.preferred["acme"] = self.preferred
        if self.off:
            rows.disabled[ref("old")] = NOW
        return house


STATES = st.builds(
    State,
    st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.booleans()), max_size=2),
    st.lists(pots(), max_size=3),
    st.lists(caps(), max_size=3),
    st.none() | st.sampled_from(KeySource),
    st.booleans(),
)
DEMANDS = st.builds(
    Demand,
    st.sampled_from([None, ref("old"), ref("newer"), ref("best"), ref("gone"), ref("x", "home")]),
    st.just(LLM),
    prompt_characters=st.integers(0, 30),
    max_output=st.none() | st.integers(1, 40),
) | st.just(Demand(ref("vectors", kind=EMBEDDING), EMBEDDING, prompt_characters=9))


def told(refusal: DomainError) -> Any:
    return type(refusal), refusal.message, getattr(refusal, "refills_at", None)


REACHES = st.sampled_from(
    [
        EVERYWHERE,
        Reach(frozenset(), frozenset()),
        Reach(providers=frozenset({"acme"})),
        Reach(models=frozenset({ref("old")})),
        Reach(models=frozenset({ref("best"), ref("x", "home")})),
    ]
)


async def as_planned(house: House, actor: Actor, demand: Demand) -> tuple[Candidate | None, Any]:
    try:
        planned = await house.planning.plan(actor, demand)
    except DomainError as refusal:
        return None, told(refusal)
    return planned.chosen, planned.plan.model


async def as_called(house: House, actor: Actor, demand: Demand) -> tuple[Candidate | None, Any]:
    try:
        ticket = await house.metering.admit(actor, demand, Job.CHAT)
    except DomainError as refusal:
        return None, told(refusal)
    return ticket.candidate, ticket.target.model


@settings(max_examples=300, deadline=None)
@given(STATES, DEMANDS, REACHES)
def test_a_plan_is_what_the_call_then_does(state: State, demand: Demand, reach: Reach) -> None:
    async def both() -> None:
        house, actor = await state.housed(), replace(ACTOR, reach=reach)
        before = dict(house.rows(TENANT).pots)
        planned = await as_planned(house, actor, demand)
        assert house.rows(TENANT).pots == before
        assert house.rows(TENANT).holds == {}
        assert await as_called(house, actor, demand) == planned
        if planned[0]:
            assert reach.includes(planned[1])
        after = house.rows(TENANT).pots
        held = {line.pot_id: line.amount for line in planned[0].lines} if planned[0] else {}
        grown = {key: now.held - (before[key].held if key in before else 0) for key, now in after.items()}
        assert {key: more for key, more in grown.items() if more} == {key: n for key, n in held.items() if n}

    asyncio.run(both())


async def test_a_plan_spends_holds_and_opens_nothing() -> None:
    house = House()
    for _ in range(5):
        await house.planning.plan(ACTOR, CALL)
    assert (house.pot.used, house.pot.held) == (0, 0)
    assert house.rows(TENANT).holds == {}
    assert house.rows(TENANT).records == {}
    assert house.gateway.asked == []


async def test_a_plan_is_made_by_what_is_true_now_and_not_by_what_was_read_before() -> None:
    house = House()
    await house.planning.plan(ACTOR, CALL)
    rows = house.rows(TENANT)
    rows.pots[house.pot.id] = replace(house.pot, used=2)  # by another process
    with pytest.raises(QuotaExhausted):
        await house.planning.plan(ACTOR, CALL)


async def test_a_plan_needs_what_the_call_needs() -> None:
    house = House()
    with pytest.raises(Forbidden) as refused:
        await house.planning.plan(house.actor(Scope.QUOTAS_READ), CALL)
    assert refused.value.needs == Scope.MODELS_INVOKE


async def test_a_cap_that_was_lifted_elsewhere_does_not_refuse_a_call() -> None:
    house = House()
    capped = a_cap(0, APP)
    house.rows(TENANT).caps[capped.id] = capped
    with pytest.raises(QuotaExhausted):
        await house.metering.admit(ACTOR, CALL, Job.CHAT)
    del house.rows(TENANT).caps[capped.id]  # by another process, while this one remembers it
    ticket = await house.metering.admit(ACTOR, CALL, Job.CHAT)
    assert ticket.candidate.windows == ()
