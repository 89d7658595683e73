"""All tenants, the units of work on them, and the ledger over their balances."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Self

from domain.errors import (
    InvalidRange,
    NotFound,
    QuotaExhausted,
)
from domain.model.audit import Deed
from domain.model.ids import CallId, PotId, TenantId
from domain.model.quota import Grant, Hold, HoldState, Outcome, Pot
from domain.model.usage import CallRecord
from domain.ports import Directory, Ledger, Work
from tests.fakes.access import (
    FakeAssertions,
    FakeAudit,
    FakeClients,
    FakeCodes,
    FakeConsents,
    FakeDevices,
    FakeInvitations,
    FakeMembers,
    FakeRefreshTokens,
    FakeTokens,
)
from tests.fakes.directory import DirectoryRows, FakeDirectory
from tests.fakes.leftovers import FakeLeftovers
from tests.fakes.records import FakeRecords
from tests.fakes.repositories import (
    FakeCaps,
    FakeChoices,
    FakeCoolings,
    FakeCredentials,
    FakeEnvelopes,
    FakeGrants,
    FakeModels,
    FakePots,
    FakeTenantKeys,
    FakeTenants,
)
from tests.fakes.rows import TenantRows


class FakeStore:
    """All tenants' rows. One unit of work runs at a time, as on SQLite; `begun` counts them.

    `master_key_id` is the master key under which the keys of audits' chains are wrapped.
    """

    master_key_id = "fake"

    def __init__(self) -> None:
        self.begun = 0
        self.rows: defaultdict[TenantId, TenantRows] = defaultdict(TenantRows)
        self.directory_rows = DirectoryRows()
        self.turn = asyncio.Lock()

    def directory(self) -> Directory:
        return FakeDirectory(self)

    def begin(self, tenant_id: TenantId) -> Work:
        return FakeWork(self, tenant_id)

    async def roll_call(self, *, first: int, after: TenantId | None = None) -> Sequence[TenantId]:
        there = sorted(tenant_id for tenant_id, rows in self.rows.items() if rows.tenants)
        return [tenant_id for tenant_id in there if after is None or tenant_id > after][:first]

    @property
    def ledger(self) -> Ledger:
        return FakeLedger(self)


class FakeWork:
    """The rows as they were come back when the body fails."""

    def __init__(self, store: FakeStore, tenant_id: TenantId) -> None:
        self._store, self._tenant_id = store, tenant_id

    async def __aenter__(self) -> Self:
        await self._store.turn.acquire()
        self._store.begun += 1
        rows = self._store.rows[self._tenant_id]
        self._before = rows.copy()
        self.tenants = FakeTenants(rows)
        self.keys = FakeTenantKeys(rows)
        self.clients = FakeClients(rows)
        self.tokens = FakeTokens(rows)
        self.members = FakeMembers(rows, self._tenant_id, self._store.directory_rows.people)
        self.invitations = FakeInvitations(rows)
        self.consents = FakeConsents(rows, self.members)
        self.codes = FakeCodes(rows)
        self.refresh_tokens = FakeRefreshTokens(rows)
        self.devices = FakeDevices(rows)
        self.assertions = FakeAssertions(rows)
        self.audit = FakeAudit(rows, self._tenant_id, self._store.rows, self._store.master_key_id)
        self.envelopes = FakeEnvelopes(rows)
        self.credentials = FakeCredentials(rows)
        self.coolings = FakeCoolings(rows)
        self.models = FakeModels(rows)
        self.caps = FakeCaps(rows)
        self.choices = FakeChoices(rows)
        self.pots = FakePots(rows)
        self.grants = FakeGrants(rows)
        self.records = FakeRecords(rows.records)
        self.leftovers = FakeLeftovers(rows)
        return self

    async def __aexit__(self, *failure: object) -> None:
        if failure[0] is not None:
            self._store.rows[self._tenant_id] = self._before
        self._store.turn.release()


@dataclass(frozen=True, slots=True)
class FakeLedger:
    """Balances over the rows of a FakeStore."""

    store: FakeStore

    async def hold(self, hold: Hold) -> None:
        async with self.store.turn:
            rows = self.store.rows[hold.tenant_id]
            if hold.id in rows.holds:
                return
            opened = {window.id: _opened(rows, window) for window in hold.opens}
            lines = sorted(hold.lines, key=lambda line: line.pot_id)
            for line in lines:
                _check(rows.pots.get(line.pot_id) or opened.get(line.pot_id), line.amount)
            for line in lines:
                rows.pots.setdefault(line.pot_id, opened.get(line.pot_id) or rows.pots[line.pot_id])
                _move(rows, line.pot_id, held=line.amount)
            rows.holds[hold.id] = hold, HoldState.HELD

    async def settle(
        self, record: CallRecord, charges: Mapping[PotId, int] = MappingProxyType({}), incident: str | None = None
    ) -> None:
        async with self.store.turn:
            rows = self.store.rows[record.tenant_id]
            if not rows.tenants:
                return
            rows.records.setdefault(record.id, record)
            state = HoldState.RELEASED if record.outcome is Outcome.UNSENT else HoldState.SETTLED
            _close(rows, record.id, state, charges)
            if incident is not None:
                rows.incidents.setdefault(record.id, incident[:300])

    async def release(self, tenant_id: TenantId, call_id: CallId) -> None:
        async with self.store.turn:
            _close(self.store.rows[tenant_id], call_id, HoldState.RELEASED)

    async def sweep(self, now: datetime) -> int:
        async with self.store.turn:
            return sum(_expire(rows, now) for rows in self.store.rows.values())

    async def grant(self, grant: Grant, pot: Pot, deed: Deed) -> Pot:
        async with self.store.turn:
            rows = self.store.rows[grant.tenant_id]
            now = rows.pots.get(pot.id, pot)
            if grant.id not in rows.grants:
                now = replace(now, granted=_granted(now, grant.amount))
                rows.grants[grant.id] = grant
                await FakeAudit(rows, grant.tenant_id, self.store.rows, self.store.master_key_id).add(deed)
            rows.pots[pot.id] = now
            return now

    async def resize(self, pot: Pot) -> None:
        async with self.store.turn:
            rows = self.store.rows[pot.tenant_id]
            now = rows.pots.get(pot.id, pot)
            granted = None if pot.granted is None else max(pot.granted, now.used + now.held)
            rows.pots[pot.id] = replace(now, granted=granted)


def _opened(rows: TenantRows, window: Pot) -> Pot | None:
    """A cap's window at what the cap allows now; None when there is no such cap."""
    cap = rows.caps.get(window.cap_id) if window.cap_id else None
    return replace(window, granted=cap.amount) if cap else None


def _check(pot: Pot | None, asked: int) -> None:
    if pot is None:
        raise NotFound("quota")
    if pot.free is not None and pot.free < asked:
        raise QuotaExhausted(pot.kind, pot.unit, pot.free, asked, pot.closes_at)


def _granted(pot: Pot, amount: int | None) -> int | None:
    if amount is None or pot.granted is None:
        if (amount or 0) < 0:
            raise InvalidRange("amount", "cannot be taken from an unlimited pot")
        return None
    if pot.granted + amount < pot.used + pot.held:
        raise InvalidRange("amount", f"takes more than is free, which is {pot.free}")
    if pot.granted + amount >= 2**63:
        raise InvalidRange("amount", f"must leave the pot at no more than {2**63 - 1}")
    return pot.granted + amount


def _expire(rows: TenantRows, now: datetime) -> int:
    held = (hold for hold, state in rows.holds.values() if state is HoldState.HELD)
    lost = [hold for hold in held if hold.expires_at < now]
    for hold in lost:
        _close(rows, hold.id, HoldState.EXPIRED)
        rows.incidents.setdefault(hold.id, "the worker was lost: charged in full")
    return len(lost)


def _close(
    rows: TenantRows, call_id: CallId, state: HoldState, charges: Mapping[PotId, int] = MappingProxyType({})
) -> None:
    hold, before = rows.holds.get(call_id, (None, None))
    if hold is None or before is not HoldState.HELD:
        return
    for line in (line for line in hold.lines if line.pot_id in rows.pots):  # a removed cap took its windows along
        charge = 0 if state is HoldState.RELEASED else charges.get(line.pot_id, line.amount)
        _move(rows, line.pot_id, held=-line.amount, used=max(0, min(line.amount, charge)))
    rows.holds[call_id] = hold, state


def _move(rows: TenantRows, pot_id: PotId, *, held: int, used: int = 0) -> None:
    pot = rows.pots[pot_id]
    rows.pots[pot_id] = replace(pot, held=pot.held + held, used=pot.used + used)
