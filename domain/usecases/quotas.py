"""A tenant's quota on the platform's keys, and whether it goes before the tenant's own."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.access import Actor, Scope
from domain.model.catalogue import Catalogue
from domain.model.quota import Pot
from domain.model.selection import KeySource
from domain.ports import Begin, StandingReader


@dataclass(frozen=True, slots=True)
class Quotas:
    begin: Begin
    standing: StandingReader
    catalogue: Catalogue

    async def all(self, actor: Actor) -> Sequence[Pot]:
        """The tenant's pots with their balances now, in spending order."""
        actor.require(Scope.QUOTAS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.pots.all()

    async def prefer(self, actor: Actor, provider: str, source: KeySource) -> None:
        """Spend the platform's quota first, or the tenant's own key. NotFound for an unknown provider."""
        actor.require(Scope.QUOTAS_WRITE)
        self.catalogue.provider(provider)
        async with self.begin(actor.tenant_id) as work:
            await work.choices.put_preferred(provider, source)
        self.standing.forget(actor.tenant_id)
