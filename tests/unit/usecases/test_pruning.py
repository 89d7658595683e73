"""What has been over for long enough goes, kind by kind at its own time, in every tenant, a little at a time."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from uuid_utils.compat import uuid7

from domain.model.ids import TenantId
from domain.model.leftovers import KEPT, OF_DIRECTORY, OF_TENANT, Leftover
from domain.model.people import Failures, Reset
from domain.model.quota import HoldState
from domain.model.tenant import Tenant
from domain.ports import Work
from domain.usecases.pruning import MOST, Pruning
from tests.belongings import a_cap, a_client, a_hold, a_pot, a_token
from tests.fakes import FakeClock, FakeStore
from tests.household import (
    a_code,
    a_consent,
    a_device,
    a_person,
    a_refresh_token,
    a_session,
    an_invitation,
    random,
)

ENDED = FakeClock()()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EXTRA = 7


class Attic:
    """Tenants that are open, each with one of every leftover, all of which ended at the same moment."""

    def __init__(self, tenants: int = 1) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.pruning = Pruning(self.store.begin, self.store.directory, self.store.roll_call, self.clock)
        self.tenants = [self.fill(TenantId(uuid7())) for _ in range(tenants)]
        above, person = self.store.directory_rows, a_person()
        session = replace(a_session(person), expires_at=ENDED)
        above.sessions[session.digest] = session
        above.resets[b"reset"] = Reset(b"reset", person.id, ENDED)
        above.failures["someone"] = Failures(3, ENDED)

    def fill(self, tenant_id: TenantId) -> TenantId:
        rows, client, person = self.store.rows[tenant_id], a_client(tenant_id), a_person()
        rows.tenants.append(Tenant(tenant_id, "Acme", ENDED))
        consent, window, cap = a_consent(client, person), a_pot(tenant_id), a_cap(tenant_id)
        hold = replace(a_hold((window, 1)), expires_at=ENDED)
        kinds: tuple[tuple[dict[Any, Any], Any], ...] = (
            (rows.tokens, a_token(client)),
            (rows.refresh_tokens, a_refresh_token(consent)),
            (rows.codes, a_code(consent)),
            (rows.devices, a_device(client)),
            (rows.invitations, an_invitation(tenant_id)),
        )
        for kept, row in kinds:
            kept[row.digest] = replace(row, expires_at=ENDED)
        rows.assertions[client.id, "seen"] = ENDED
        rows.holds[hold.id] = hold, HoldState.SETTLED
        rows.pots[window.id] = replace(window, cap_id=cap.id, closes_at=ENDED)
        return tenant_id

    def crowd(self, tenant_id: TenantId, tokens: int) -> None:
        client = a_client(tenant_id)
        for _ in range(tokens):
            token = replace(a_token(client), digest=random(), expires_at=ENDED)
            self.store.rows[tenant_id].tokens[token.digest] = token


async def test_each_kind_is_kept_as_long_as_it_is_said_and_no_longer() -> None:
    attic = Attic()
    assert (await attic.pruning.run()).removed.total() == 0
    seen = set[Leftover]()
    for kept in sorted(set(KEPT.values())):
        attic.clock.time = ENDED + kept
        assert (await attic.pruning.run()).removed.total() == 0
        attic.clock.advance(timedelta(microseconds=1))
        now_due = {what for what in Leftover if KEPT[what] == kept}
        assert +(await attic.pruning.run()).removed == Counter(now_due)
        seen |= now_due
    assert seen == set(Leftover)


def test_what_must_be_good_once_and_what_bills_is_kept_for_long_enough() -> None:
    assert min(KEPT.values()) >= HOUR
    assert KEPT[Leftover.HOLDS] >= 7 * DAY
    assert KEPT[Leftover.WINDOWS] >= KEPT[Leftover.HOLDS]
    assert KEPT[Leftover.INVITATIONS] == 30 * DAY
    assert KEPT[Leftover.FAILURES] > DAY
    assert {*OF_TENANT, *OF_DIRECTORY} == set(KEPT) == set(Leftover)


async def test_every_tenant_is_pruned_and_all_that_is_left_in_it() -> None:
    attic = Attic(tenants=250)
    attic.clock.advance(60 * DAY)
    attic.crowd(attic.tenants[77], 2 * MOST + EXTRA)
    pruned = await attic.pruning.run()
    expected = Counter(dict.fromkeys(OF_TENANT, 250)) + Counter(OF_DIRECTORY)
    expected[Leftover.ACCESS_TOKENS] += 2 * MOST + EXTRA
    assert (pruned.removed, pruned.failed) == (expected, 0)
    assert (await attic.pruning.run()).removed.total() == 0


async def test_a_unit_of_work_removes_a_bounded_number_of_each_kind() -> None:
    attic = Attic()
    attic.clock.advance(60 * DAY)
    attic.crowd(attic.tenants[0], 3 * MOST)
    left: list[int] = []

    def over() -> bool:
        left.append(len(attic.store.rows[attic.tenants[0]].tokens))
        return False

    await attic.pruning.run(over)
    assert max(before - after for before, after in pairwise(left)) == MOST


async def test_it_ends_between_two_units_of_work_when_the_process_stops() -> None:
    attic = Attic(tenants=3)
    attic.clock.advance(60 * DAY)
    attic.crowd(attic.tenants[0], 5 * MOST)
    asked = 0

    def over() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4

    pruned = await attic.pruning.run(over)
    assert 0 < pruned.removed[Leftover.ACCESS_TOKENS] <= 2 * MOST
    assert attic.store.rows[attic.tenants[2]].tokens


async def test_a_tenant_that_fails_keeps_no_other_from_being_pruned() -> None:
    attic = Attic(tenants=3)
    attic.clock.advance(60 * DAY)
    bad = sorted(attic.tenants)[0]

    def begin(tenant_id: TenantId) -> Work:
        if tenant_id == bad:
            raise ConnectionError("the database is gone")
        return attic.store.begin(tenant_id)

    pruned = await replace(attic.pruning, begin=begin).run()
    assert (pruned.failed, pruned.removed[Leftover.ACCESS_TOKENS]) == (1, 2)


async def test_without_tenants_there_is_still_the_directory() -> None:
    attic = Attic(tenants=0)
    attic.clock.advance(60 * DAY)
    assert +(await attic.pruning.run()).removed == Counter(OF_DIRECTORY)
