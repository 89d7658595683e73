"""Caps that an admin puts on applications and keys: set, changed, spent, refused, removed."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import ChangedMeanwhile, Forbidden, InvalidRange, NotFound, QuotaExhausted
from domain.model.access import Actor, Client, Scope
from domain.model.calls import ChatCall, Message, Role, TextPart
from domain.model.cap import CapSubject, Period
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage
from domain.model.ids import CapId
from domain.model.planning import Demand
from domain.model.quota import Unit
from domain.model.usage import Job
from domain.usecases.caps import Caps, NewCap
from domain.usecases.credentials import NewCredential
from tests.racing import RacingStore
from tests.unit.domain.samples import LLM, NOW, TENANT, ref
from tests.unit.usecases.house import House

ANSWER = ChatAnswer("Hello.", "", (), FinishReason(Finish.STOP, "stop"), Usage(9, 2))
HELLO = ChatCall((Message(Role.USER, (TextPart("hi"),)),), model=ref("old"))


def application(house: House) -> Actor:
    """An application of the tenant, acting."""
    actor = house.actor()
    client = Client(TENANT, actor.client_id, "app", b"\x01" * 32, actor.scopes, NOW)
    house.rows(TENANT).clients[client.id] = client
    return actor


def on(actor: Actor, amount: int, period: Period = Period.DAY, unit: Unit = Unit.CALLS) -> NewCap:
    return NewCap(CapSubject.APPLICATION, actor.client_id, unit, amount, period)


async def call(house: House, actor: Actor) -> None:
    house.gateway.script.append(ANSWER)
    try:
        await house.inference.chat(actor, HELLO)
    finally:
        house.gateway.script.clear()


async def test_an_application_is_stopped_at_its_cap_and_others_go_on() -> None:
    house = House(granted=100)
    app, other = application(house), application(house)
    await house.caps.put(house.actor(), on(app, 2))
    for _ in range(2):
        await call(house, app)
    with pytest.raises(QuotaExhausted) as refused:
        await call(house, app)
    assert (refused.value.pot, refused.value.free, refused.value.asked) == ("cap", 0, 1)
    assert refused.value.refills_at == NOW.replace(hour=0) + timedelta(days=1)
    await call(house, other)
    (trial,) = (p for p in house.rows(TENANT).pots.values() if p.cap_id is None)
    assert trial.used == 3


async def test_a_cap_starts_anew_with_the_next_period() -> None:
    house = House(granted=100)
    app = application(house)
    await house.caps.put(house.actor(), on(app, 1))
    await call(house, app)
    house.clock.advance(timedelta(hours=12))
    await call(house, app)
    with pytest.raises(QuotaExhausted):
        await call(house, app)


async def test_a_cap_enlarges_nothing() -> None:
    house = House(granted=1)
    app = application(house)
    await house.caps.put(house.actor(), on(app, 1_000))
    await call(house, app)
    with pytest.raises(QuotaExhausted) as refused:
        await call(house, app)
    assert refused.value.pot == "trial"


async def test_a_cap_on_a_key_bounds_that_key_and_the_quota_takes_over() -> None:
    house = House(granted=100)
    app = application(house)
    key = await house.credentials.add(house.actor(), NewCredential("acme", "main", {"key": "own-key"}))
    await house.caps.put(house.actor(), NewCap(CapSubject.CREDENTIAL, key.id, Unit.CALLS, 1, Period.NEVER))
    for _ in range(3):
        await call(house, app)
    used = {p.kind.value: p.used for p in house.rows(TENANT).pots.values()}
    assert used == {"cap": 1, "trial": 2}


async def test_setting_it_again_changes_the_amount_of_the_running_window() -> None:
    house = House(granted=100)
    app = application(house)
    first = await house.caps.put(house.actor(), on(app, 5))
    for _ in range(3):
        await call(house, app)
    raised = await house.caps.put(house.actor(), on(app, 9))
    assert (raised.cap.id, raised.cap.amount) == (first.cap.id, 9)
    assert (raised.window.used, raised.window.free) == (3, 6)
    lowered = await house.caps.put(house.actor(), on(app, 1))
    assert (lowered.cap.amount, lowered.window.granted, lowered.window.free) == (1, 3, 0)
    with pytest.raises(QuotaExhausted):
        await call(house, app)
    assert [c.cap.amount for c in await house.caps.all(house.actor())] == [1]


async def test_caps_of_other_units_and_periods_stand_beside_it() -> None:
    house = House()
    app = application(house)
    for period in Period:
        for unit in Unit:
            await house.caps.put(house.actor(), on(app, 5, period, unit))
    assert len(await house.caps.all(house.actor())) == len(Period) * len(Unit)


async def test_removing_a_cap_lifts_it() -> None:
    house = House(granted=100)
    app = application(house)
    blocked = await house.caps.put(house.actor(), on(app, 0))
    with pytest.raises(QuotaExhausted):
        await call(house, app)
    removed = await house.caps.remove(house.actor(), blocked.cap.id)
    assert removed.cap == blocked.cap
    await call(house, app)
    assert await house.caps.all(house.actor()) == []
    with pytest.raises(NotFound, match="cap"):
        await house.caps.remove(house.actor(), blocked.cap.id)


async def test_a_call_that_runs_while_its_cap_is_removed_is_settled_all_the_same() -> None:
    house = House(granted=100)
    app = application(house)
    capped = await house.caps.put(house.actor(), on(app, 5))
    ticket = await house.metering.admit(app, Demand(ref("old"), LLM), Job.CHAT)
    assert [each.window.held for each in await house.caps.all(house.actor())] == [1]
    await house.caps.remove(house.actor(), capped.cap.id)
    async with house.metering.metered(ticket) as meter:
        meter.succeeded(Usage(1, 1))
    assert (house.pot.used, house.pot.held) == (1, 0)


@pytest.mark.parametrize("subject", CapSubject)
async def test_what_is_capped_must_be_the_tenants_own(subject: CapSubject) -> None:
    house = House()
    with pytest.raises(NotFound) as refused:
        await house.caps.put(house.actor(), NewCap(subject, UUID(int=99), Unit.CALLS, 1, Period.DAY))
    assert refused.value.what == {"application": "client", "credential": "credential"}[subject]
    assert house.rows(TENANT).caps == {}


async def test_an_amount_below_zero_is_refused() -> None:
    house = House()
    with pytest.raises(InvalidRange, match="amount"):
        await house.caps.put(house.actor(), on(application(house), -1))


async def test_caps_need_their_scopes() -> None:
    house = House()
    app, reader = application(house), house.actor(Scope.QUOTAS_READ)
    for change in (house.caps.put(reader, on(app, 1)), house.caps.remove(reader, CapId(UUID(int=1)))):
        with pytest.raises(Forbidden) as refused:
            await change
        assert refused.value.needs == Scope.QUOTAS_WRITE
    with pytest.raises(Forbidden):
        await house.caps.all(house.actor(Scope.QUOTAS_WRITE))


async def test_of_two_admins_that_set_the_same_cap_at_once_one_is_told_to_look_again() -> None:
    house = House()
    app = application(house)
    await house.caps.put(house.actor(), on(app, 5))
    racing = RacingStore(house.store).begin
    late = Caps(racing, house.ledger, house.standing, house.clock, house.fresh)
    with pytest.raises(ChangedMeanwhile, match="cap"):
        await late.put(house.actor(), on(app, 9))
    assert [c.cap.amount for c in await house.caps.all(house.actor())] == [5]
