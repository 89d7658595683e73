"""Pots of quota, holds on them, and what a finished call costs: integers only, never more than was held.

A hold goes HELD → SETTLED (charged what the call cost), RELEASED (no byte reached the vendor) or, when its worker died,
EXPIRED (charged in full): ending a worker never gives a free call. SENT is assumed from the moment of the hold.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.model.catalogue import Catalogue, ModelRef
from domain.model.events import Usage
from domain.model.ids import CallId, PotId, TenantId


class Unit(StrEnum):
    CALLS = "calls"
    TOKENS = "tokens"


class PotKind(StrEnum):
    """In the order in which they are spent."""

    PAID = "paid"
    FREE = "free"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Pot:
    """A tenant's quota on the platform's key at one provider. `granted` None is unlimited."""

    tenant_id: TenantId
    id: PotId
    kind: PotKind
    provider: str
    unit: Unit
    granted: int | None
    used: int
    held: int
    opened_at: datetime

    @property
    def free(self) -> int | None:
        """What a new call may still hold; None when unlimited."""
        return None if self.granted is None else self.granted - self.used - self.held


@dataclass(frozen=True, slots=True)
class Trial:
    """What every new tenant may try on the platform's key: `granted` units over the models of one provider."""

    provider: str
    unit: Unit
    granted: int
    models: tuple[ModelRef, ...]

    def includes(self, ref: ModelRef, catalogue: Catalogue) -> bool:
        """True for a listed model, and for what its vendor names as its successor."""
        return any(ref in catalogue.successors(listed) for listed in self.models)


@dataclass(frozen=True, slots=True)
class Line:
    """An amount of one pot."""

    pot_id: PotId
    amount: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What one call may cost at most, over every pot it touches, until `expires_at`. Its id is the call's."""

    tenant_id: TenantId
    id: CallId
    lines: tuple[Line, ...]
    expires_at: datetime


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


def bound(unit: Unit, prompt_characters: int, max_output: int | None) -> int:
    """The most that a call can cost, in `unit`: a token covers at least one byte, and a character has at most four."""
    if unit is Unit.CALLS:
        return 1
    return 4 * prompt_characters + (max_output or 0)


def charge(unit: Unit, held: int, outcome: Outcome, usage: Usage) -> Charge:
    """What a call that held `held` costs. What the vendor did not count, or counted absurdly, costs the whole hold."""
    if outcome in (Outcome.REFUSED, Outcome.UNSENT):
        return Charge(0)
    if unit is Unit.CALLS:
        return Charge(held)
    if outcome is not Outcome.SUCCEEDED:
        return Charge(held)
    if usage.input is None or usage.output is None:
        return Charge(held, "the vendor reported no usage")
    total = usage.input + usage.output
    if usage.input < 0 or usage.output < 0 or total == 0:
        return Charge(held, f"the vendor reported {usage.input} + {usage.output} tokens")
    if total > held:
        return Charge(held, f"the vendor reported {total} tokens for a bound of {held}")
    return Charge(total)
