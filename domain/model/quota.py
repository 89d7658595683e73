"""Pots of quota, holds on them, and what a finished call costs: integers only, never more than was held.

A hold goes HELD → SETTLED (charged what the call cost), RELEASED (no byte reached the vendor) or, when its worker died,
EXPIRED (charged in full): ending a worker never gives a free call. SENT is assumed from the moment of the hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid5

from domain.model.catalogue import Catalogue, ModelRef
from domain.model.events import Usage
from domain.model.ids import CallId, CapId, ClientId, GrantId, PotId, TenantId


class Unit(StrEnum):
    CALLS = "calls"
    TOKENS = "tokens"
    CREDITS = "credits"  # a call costs its model's weight


class PotKind(StrEnum):
    """What pays for calls on the platform's key, in the order in which it is spent; a cap pays for nothing."""

    PAID = "paid"
    FREE = "free"
    TRIAL = "trial"
    CAP = "cap"


POOL = "pool"
"""Stands for the provider of what is good at every provider."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which models a quota is good for, None being all, and what a call of each costs in credits: 1 unless said.

    A listed model stands for those that its vendor names as its successors, too. Weights go by `provider/name`.
    """

    models: tuple[ModelRef, ...] | None = None
    weights: Mapping[str, int] = field(default_factory=dict)

    def includes(self, ref: ModelRef, catalogue: Catalogue) -> bool:
        return self.models is None or any(ref in catalogue.successors(listed) for listed in self.models)

    def weight(self, ref: ModelRef, catalogue: Catalogue) -> int:
        """The weight of the model itself, else of the nearest one that it succeeds, else 1."""
        found = [(steps, w) for name, w in self.weights.items() if (steps := _steps(name, ref, catalogue)) is not None]
        return min(found, default=(0, 1))[1]


def _steps(name: str, ref: ModelRef, catalogue: Catalogue) -> int | None:
    """How many successions lead from the model of this `provider/name` to `ref`; None when they do not."""
    provider, _, model = name.partition("/")
    line = catalogue.successors(ModelRef(provider, model, ref.type))
    return next((at for at, each in enumerate(line) if each == ref), None)


@dataclass(frozen=True, slots=True)
class Pot:
    """A tenant's quota: on the platform's key at one provider, or at all when `provider` is None; or a window of a cap.

    `granted` None is unlimited. `closes_at` is the end of a cap's window: what is free then is gone, and another opens.
    A trial's terms are those of its offer, so that they can change; `terms` holds for the other kinds.
    """

    tenant_id: TenantId
    id: PotId
    kind: PotKind
    provider: str | None
    unit: Unit
    granted: int | None
    used: int
    held: int
    opened_at: datetime
    closes_at: datetime | None = None
    cap_id: CapId | None = None
    terms: Terms = Terms()

    @property
    def free(self) -> int | None:
        """What a new call may still hold; None when unlimited."""
        return None if self.granted is None else self.granted - self.used - self.held


@dataclass(frozen=True, slots=True)
class Trial:
    """What every new tenant may try on the platform's keys: `granted` units at one provider, or at all (None)."""

    provider: str | None
    unit: Unit
    granted: int
    models: tuple[ModelRef, ...]
    weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        return Terms(self.models, self.weights)


def granted_pot(
    tenant_id: TenantId, kind: PotKind, provider: str | None, unit: Unit, terms: Terms, opened_at: datetime
) -> Pot:
    """The pot of what an operator grants on these terms, as it is before anything was. Its id follows from them."""
    models = sorted(f"{ref.type}:{ref}" for ref in terms.models or ())
    weights = sorted(f"{name}={weight}" for name, weight in terms.weights.items())
    told = "\n".join((kind, provider or POOL, unit, str(terms.models is None), *models, *weights))
    return Pot(tenant_id, PotId(uuid5(tenant_id, told)), kind, provider, unit, 0, 0, 0, opened_at, terms=terms)


@dataclass(frozen=True, slots=True)
class Grant:
    """An operator's change of a pot: `amount` units more, or less when below zero; unlimited when None, and no more
    than what is spent and held of a pot that was unlimited when 0.
    """

    tenant_id: TenantId
    id: GrantId
    pot_id: PotId
    amount: int | None
    reason: str
    granted_by: ClientId
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """An amount of one pot."""

    pot_id: PotId
    amount: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What one call may cost at most, over every pot it touches, until `expires_at`. Its id is the call's.

    `opens` are windows of caps that may have no row yet: the hold opens them.
    """

    tenant_id: TenantId
    id: CallId
    lines: tuple[Line, ...]
    expires_at: datetime
    opens: tuple[Pot, ...] = ()


class HoldState(StrEnum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """How a call ended, seen from the vendor's side."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"  # the vendor answered that it did not run the call
    UNSENT = "unsent"  # no byte reached the vendor
    BROKEN = "broken"  # it may have run: cut stream, time-out, garbage
    ABANDONED = "abandoned"  # the client left before the end
    LOST = "lost"  # the worker died


@dataclass(frozen=True, slots=True)
class Charge:
    """What to charge of a hold, and what was odd about the vendor's count, if anything."""

    amount: int
    incident: str | None = None


def bound(unit: Unit, prompt_characters: int, max_output: int | None, weight: int = 1) -> int:
    """The most that a call can cost, in `unit`: a token covers at least one byte, and a character has at most four.

    No price is part of it, so no price tier can be missed: tokens rest on the sizes alone, credits on the weight.
    """
    if unit is Unit.CALLS:
        return 1
    if unit is Unit.CREDITS:
        return weight
    return 4 * prompt_characters + (max_output or 0)


def charge(unit: Unit, held: int, outcome: Outcome, usage: Usage) -> Charge:
    """What a call that held `held` costs. What the vendor did not count, or counted absurdly, costs the whole hold."""
    if outcome in (Outcome.REFUSED, Outcome.UNSENT):
        return Charge(0)
    if unit is not Unit.TOKENS or outcome is not Outcome.SUCCEEDED:
        return Charge(held)
    if usage.input is None or usage.output is None:
        return Charge(held, "the vendor reported no usage")
    total = usage.input + usage.output
    if usage.input < 0 or usage.output < 0 or total == 0:
        return Charge(held, f"the vendor reported {usage.input} + {usage.output} tokens")
    if total > held:
        return Charge(held, f"the vendor reported {total} tokens for a bound of {held}")
    return Charge(total)
