"""Admission and settlement: every call that leaves Portunus passes here, whatever its type and whoever pays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.errors import CredentialUnreadable, DomainError, NoCredential, NotFound, QuotaExhausted
from domain.model.access import Actor
from domain.model.catalogue import FormValues
from domain.model.cooling import rest_after
from domain.model.events import Usage
from domain.model.ids import CallId, PotId
from domain.model.planning import Candidate, Demand, Plan, outcome_of, plan
from domain.model.quota import Hold, Outcome, Unit, charge
from domain.model.selection import OwnKey, Platform, Source
from domain.model.usage import CallRecord, Job, cost
from domain.ports import Begin, Clock, Fresh, Keyring, Ledger, StandingReader, Target

_TURNS = 1 << 32


@dataclass(frozen=True, slots=True)
class Ticket:
    """An admitted call: where it goes, who pays, what is held for it, and what could still be tried in its place."""

    id: CallId
    actor: Actor
    job: Job
    target: Target
    candidate: Candidate
    plan: Plan
    admitted_at: datetime

    @property
    def source(self) -> Source:
        return self.candidate.source

    @property
    def max_output(self) -> int | None:
        return self.candidate.max_output

    @property
    def counts_tokens(self) -> bool:
        return any(pot.unit is Unit.TOKENS for pot in self.candidate.pots)


@dataclass(slots=True)
class Meter:
    """What the running call reports; pessimistic until it says otherwise."""

    outcome: Outcome = Outcome.BROKEN
    usage: Usage = field(default_factory=Usage)

    def succeeded(self, usage: Usage) -> None:
        self.outcome, self.usage = Outcome.SUCCEEDED, usage


@dataclass(frozen=True, slots=True)
class Metering:
    """`hold_for` must be longer than any call may last: a hold that expires is charged in full."""

    begin: Begin
    standing: StandingReader
    platform: Platform
    keyring: Keyring
    ledger: Ledger
    clock: Clock
    fresh: Fresh
    hold_for: timedelta

    async def planned(self, actor: Actor, demand: Demand) -> Plan:
        """What the call would do, by the tenant's standing and the actor's reach; a refusal says why it would not."""
        standing = (await self.standing(actor.tenant_id)).within(actor.reach)
        spin = self.fresh().int % _TURNS / _TURNS
        return plan(demand, actor.client_id, standing, self.platform, now=self.clock(), spin=spin)

    async def admit(self, actor: Actor, demand: Demand, job: Job) -> Ticket:
        """Choose model and key, hold the quota, open the secrets; the domain's refusals say why not."""
        try:
            return await self._admitted(actor, await self.planned(actor, demand), job)
        except NotFound as gone:
            if gone.what != "quota":
                raise
        self.standing.forget(actor.tenant_id)  # a cap or quota that it names was removed since it was read
        return await self._admitted(actor, await self.planned(actor, demand), job)

    async def again(self, ticket: Ticket, failure: DomainError) -> Ticket:
        """A new call on the next key, for one whose key failed before a byte of an answer; else raises `failure`.

        A key of the tenant's own that failed rests for a while, visibly.
        """
        await self._rest(ticket.source, failure)
        left = ticket.plan.after(ticket.candidate, failure)
        if left is None:
            raise failure
        return await self._admitted(ticket.actor, left, ticket.job)

    @asynccontextmanager
    async def metered(self, ticket: Ticket) -> AsyncIterator[Meter]:
        """Settle `ticket` on the way out, by what the meter was told or by how the body failed."""
        meter = Meter()
        try:
            yield meter
        except DomainError as failure:
            meter.outcome = outcome_of(failure)
            raise
        finally:
            await self._settle(ticket, meter)

    async def _admitted(self, actor: Actor, planned: Plan, job: Job) -> Ticket:
        """On the first candidate that can be held and opened; the first refusal, when there is none."""
        refusals: list[DomainError] = []
        left = planned.candidates
        while left:
            candidate, call_id = left[0], CallId(self.fresh())
            try:
                await self._hold(actor, call_id, candidate)
                form = await self._form(actor, call_id, candidate)
            except QuotaExhausted as refusal:
                refusals.append(refusal)
                left = left[1:]
            except (CredentialUnreadable, NoCredential, NotFound) as refusal:
                refusals.append(refusal)
                left = planned.behind(candidate)
            else:
                target = Target(planned.model, form, not planned.behind(candidate), actor.tenant_id)
                return Ticket(call_id, actor, job, target, candidate, planned, self.clock())
        raise refusals[0]

    async def _hold(self, actor: Actor, call_id: CallId, candidate: Candidate) -> None:
        if candidate.lines:
            until = self.clock() + self.hold_for
            await self.ledger.hold(Hold(actor.tenant_id, call_id, candidate.lines, until, candidate.windows))

    async def _form(self, actor: Actor, call_id: CallId, candidate: Candidate) -> FormValues:
        try:
            if isinstance(candidate.source, OwnKey):
                return await self.keyring.own(candidate.source.credential)
            return self.keyring.platform(candidate.source.provider)
        except DomainError:
            if candidate.lines:
                await self.ledger.release(actor.tenant_id, call_id)
            raise

    async def _rest(self, source: Source, failure: DomainError) -> None:
        rest = rest_after(failure) if isinstance(source, OwnKey) else None
        if rest is None or not isinstance(source, OwnKey):
            return
        tenant_id = source.credential.tenant_id
        async with self.begin(tenant_id) as work:
            await work.coolings.put(rest.of(source.credential.id, self.clock()))
        self.standing.forget(tenant_id)

    async def _settle(self, ticket: Ticket, meter: Meter) -> None:
        charges: dict[PotId, int] = {}
        incidents: list[str] = []
        for pot, line in zip(ticket.candidate.pots, ticket.candidate.lines, strict=True):
            due = charge(pot.unit, line.amount, meter.outcome, meter.usage)
            charges[pot.id] = due.amount
            incidents += [due.incident] if due.incident else []
        await self.ledger.settle(self._record(ticket, meter), charges, incidents[0] if incidents else None)

    def _record(self, ticket: Ticket, meter: Meter) -> CallRecord:
        latency = self.clock() - ticket.admitted_at
        return CallRecord(
            tenant_id=ticket.actor.tenant_id,
            id=ticket.id,
            at=ticket.admitted_at,
            client_id=ticket.actor.client_id,
            credential_id=ticket.source.credential.id if isinstance(ticket.source, OwnKey) else None,
            model=ticket.target.model,
            outcome=meter.outcome,
            input_tokens=meter.usage.input,
            output_tokens=meter.usage.output,
            latency_ms=latency // timedelta(milliseconds=1),
            job=ticket.job,
            audio_ms=meter.usage.audio_ms,
            characters=meter.usage.characters,
            cost=cost(ticket.plan.row, meter.usage) if meter.outcome is Outcome.SUCCEEDED else None,
        )
