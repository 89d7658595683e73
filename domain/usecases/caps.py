"""Caps that a tenant's admin puts on an application or a key, inside the tenant's quota."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.errors import ChangedMeanwhile, DuplicateName, InvalidRange
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.cap import Cap, CapSubject, Period
from domain.model.ids import CapId, ClientId, CredentialId
from domain.model.quota import Pot, Unit
from domain.ports import Begin, Clock, Fresh, Ledger, StandingReader, Work


@dataclass(frozen=True, slots=True)
class NewCap:
    """At most `amount` units in each period; 0 blocks."""

    subject: CapSubject
    subject_id: UUID
    unit: Unit
    amount: int
    period: Period


@dataclass(frozen=True, slots=True)
class Capped:
    """A cap, and its window now. What was spent before the cap was lowered may be more than it allows."""

    cap: Cap
    window: Pot


@dataclass(frozen=True, slots=True)
class Caps:
    begin: Begin
    ledger: Ledger
    standing: StandingReader
    clock: Clock
    fresh: Fresh

    async def all(self, actor: Actor) -> Sequence[Capped]:
        """Oldest first."""
        actor.require(Scope.QUOTAS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await self._now(work, await work.caps.all())

    async def put(self, actor: Actor, new: NewCap) -> Capped:
        """Cap an application or a key, or change the amount of the cap that it has on this unit and period.

        The running window changes with it, but never below what is spent and held of it. NotFound for a client or
        credential that is not the tenant's, InvalidRange for the amount, ChangedMeanwhile when another sets the same.
        """
        actor.require(Scope.QUOTAS_WRITE)
        if new.amount < 0:
            raise InvalidRange("amount", "must not be below zero")
        try:
            async with self.begin(actor.tenant_id) as work:
                await _check_subject(work, new)
                cap = self._cap(actor, new, await work.caps.all())
                await work.caps.put(cap)
                await work.audit.add(deed(actor, "cap.set", cap.id))
        except DuplicateName:
            raise ChangedMeanwhile("cap") from None
        await self.ledger.resize(cap.window(self.clock()))
        self.standing.forget(actor.tenant_id)
        async with self.begin(actor.tenant_id) as work:
            return (await self._now(work, [cap]))[0]

    async def remove(self, actor: Actor, cap_id: CapId) -> Capped:
        """Lift a cap; as it was. NotFound when it is unknown to this tenant."""
        actor.require(Scope.QUOTAS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            (removed,) = await self._now(work, [await work.caps.one(cap_id)])
            await work.caps.remove(cap_id)
            await work.audit.add(deed(actor, "cap.removed", cap_id))
        self.standing.forget(actor.tenant_id)
        return removed

    async def _now(self, work: Work, caps: Sequence[Cap]) -> list[Capped]:
        opened = {pot.id: pot for pot in await work.pots.all(self.clock())}
        windows = [cap.window(self.clock()) for cap in caps]
        return [Capped(cap, opened.get(w.id, w)) for cap, w in zip(caps, windows, strict=True)]

    def _cap(self, actor: Actor, new: NewCap, known: Sequence[Cap]) -> Cap:
        """The one that the subject has on this unit and period, with the new amount; else a new one."""
        wanted = (new.subject, new.subject_id, new.unit, new.period)
        for cap in known:
            if (cap.subject, cap.subject_id, cap.unit, cap.period) == wanted:
                return replace(cap, amount=new.amount)
        now = self.clock()
        return Cap(actor.tenant_id, CapId(self.fresh()), *wanted[:3], new.amount, new.period, now)


async def _check_subject(work: Work, new: NewCap) -> None:
    if new.subject is CapSubject.APPLICATION:
        await work.clients.one(ClientId(new.subject_id))
    else:
        await work.credentials.one(CredentialId(new.subject_id))
