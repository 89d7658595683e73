"""Admission and settlement: every call that leaves Portunus passes here, whatever its type and whoever pays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.errors import DomainError, InvalidRange, QuotaExhausted, UnsupportedFeature, UpstreamError
from domain.model.access import Actor
from domain.model.catalogue import Feature, FormValues, Model, ModelRef, ModelType
from domain.model.events import Usage
from domain.model.ids import CallId
from domain.model.quota import Hold, Line, Outcome, Unit, bound, charge
from domain.model.selection import OwnKey, Platform, PlatformKey, Source, Standing, model_of, resolved, sources
from domain.model.usage import CallRecord
from domain.ports import Clock, Fresh, Keyring, Ledger, StandingReader, Target


@dataclass(frozen=True, slots=True)
class Demand:
    """What a call asks for: a model or the default of a type, features, and how large it can get."""

    model: ModelRef | None
    type: ModelType
    features: frozenset[Feature] = frozenset()
    prompt_characters: int = 0
    max_output: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """An admitted call: where it goes, who pays, and what is held for it."""

    id: CallId
    actor: Actor
    target: Target
    source: Source
    held: int
    max_output: int | None
    admitted_at: datetime

    @property
    def counts_tokens(self) -> bool:
        return isinstance(self.source, PlatformKey) and self.source.pot.unit is Unit.TOKENS


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

    standing: StandingReader
    platform: Platform
    keyring: Keyring
    ledger: Ledger
    clock: Clock
    fresh: Fresh
    hold_for: timedelta

    async def admit(self, actor: Actor, demand: Demand) -> Ticket:
        """Choose model and key, hold the quota, open the secrets; the domain's refusals say why not."""
        standing = await self.standing(actor.tenant_id)
        ref = resolved(demand.model, demand.type, standing, self.platform)
        row = model_of(ref, standing, self.platform.catalogue)
        _check_features(row, demand.features)
        call_id = CallId(self.fresh())
        source, held, max_output = await self._reserve(actor, call_id, ref, row, demand, standing)
        try:
            form = await self._form(source)
        except DomainError:
            await self.ledger.release(actor.tenant_id, call_id)
            raise
        return Ticket(call_id, actor, Target(ref, form), source, held, max_output, self.clock())

    @asynccontextmanager
    async def metered(self, ticket: Ticket) -> AsyncIterator[Meter]:
        """Settle `ticket` on the way out, by what the meter was told or by how the body failed."""
        meter = Meter()
        try:
            yield meter
        except DomainError as failure:
            meter.outcome = _outcome(failure)
            raise
        finally:
            await self._settle(ticket, meter)

    async def _reserve(
        self, actor: Actor, call_id: CallId, ref: ModelRef, row: Model | None, demand: Demand, standing: Standing
    ) -> tuple[Source, int, int | None]:
        refusal: QuotaExhausted | None = None
        for source in sources(ref, standing, self.platform):
            if isinstance(source, OwnKey):
                return source, 0, demand.max_output
            max_output = _max_output(source, row, demand)
            amount = bound(source.pot.unit, demand.prompt_characters, max_output)
            line = Line(source.pot.id, amount)
            try:
                await self.ledger.hold(Hold(actor.tenant_id, call_id, (line,), self.clock() + self.hold_for))
            except QuotaExhausted as exhausted:
                refusal = refusal or exhausted
            else:
                return source, amount, max_output
        assert refusal is not None
        raise refusal

    async def _form(self, source: Source) -> FormValues:
        if isinstance(source, OwnKey):
            return await self.keyring.own(source.credential)
        return self.keyring.platform(source.provider)

    async def _settle(self, ticket: Ticket, meter: Meter) -> None:
        if not isinstance(ticket.source, PlatformKey):
            await self.ledger.settle(self._record(ticket, meter))
            return
        due = charge(ticket.source.pot.unit, ticket.held, meter.outcome, meter.usage)
        charges = {ticket.source.pot.id: due.amount}
        await self.ledger.settle(self._record(ticket, meter), charges, due.incident)

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
        )


def _check_features(row: Model | None, wanted: frozenset[Feature]) -> None:
    missing = wanted - row.features if row is not None else frozenset()
    if row is not None and missing:
        raise UnsupportedFeature(min(missing).value.replace("_", " "), str(row.ref))


def _max_output(source: PlatformKey, row: Model | None, demand: Demand) -> int | None:
    if source.pot.unit is not Unit.TOKENS or demand.type is not ModelType.LLM:
        return demand.max_output
    cap = demand.max_output or (row.max_output if row else None)
    if cap is None:
        raise InvalidRange("maxTokens", "must be given: this quota counts tokens and the model states no limit")
    return cap


def _outcome(failure: DomainError) -> Outcome:
    """Refused only when the vendor itself answered with an error status: anything less certain may have run."""
    if not isinstance(failure, UpstreamError):
        return Outcome.UNSENT
    if not failure.sent:
        return Outcome.UNSENT
    return Outcome.REFUSED if (failure.status or 0) >= 400 else Outcome.BROKEN
