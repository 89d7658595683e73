"""What a call would do, told without making it."""

from dataclasses import dataclass

from domain.model.access import Actor, Scope
from domain.model.planning import Candidate, Demand, Plan, affordable
from domain.ports import StandingReader
from domain.usecases.metering import Metering


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the first of its candidates that could be held now."""

    plan: Plan
    chosen: Candidate


@dataclass(frozen=True, slots=True)
class Planning:
    metering: Metering
    standing: StandingReader

    async def plan(self, actor: Actor, demand: Demand) -> Planned:
        """Where the actor's call would go, by what is true now; nothing is held, sent or opened.

        Refused with what the call itself would be refused with, but for what only the vendor, or opening the
        credential, can tell. Which of several credentials that share a load comes first is drawn anew for each call.
        """
        actor.require(Scope.MODELS_INVOKE)
        self.standing.forget(actor.tenant_id)
        planned = await self.metering.planned(actor, demand)
        return Planned(planned, affordable(planned))
