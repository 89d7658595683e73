"""What an application may be let use, by what there is to use and what its giver may use."""

from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import Actor, Reach
from domain.model.cap import CapSubject
from domain.model.registration import check_reach
from domain.model.selection import Platform, model_of
from domain.ports import StandingReader


@dataclass(frozen=True, slots=True)
class Reaching:
    standing: StandingReader
    platform: Platform

    async def check(self, actor: Actor, reach: Reach) -> None:
        """NotFound for a provider or model that nobody could use; InvalidRange for too many of them."""
        check_reach(reach)
        for provider in reach.providers or ():
            self.platform.catalogue.provider(provider)
        standing = await self.standing(actor.tenant_id)
        for model in reach.models or ():
            if model_of(model, standing, self.platform.catalogue) is None:
                raise NotFound("model")

    async def capped(self, actor: Actor) -> bool:
        """Whether the application that acts has a cap of its own."""
        standing = await self.standing(actor.tenant_id)
        own = (CapSubject.APPLICATION, actor.client_id)
        return any((cap.subject, cap.subject_id) == own for cap in standing.caps)
