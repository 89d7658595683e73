"""A tenant's quotas on the platform's keys, as they are and as they change, and whether they go before its own keys."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.quota import Pot, PotKind, Terms
from domain.model.selection import KeySource, Platform
from domain.ports import Balances, Begin, StandingReader


@dataclass(frozen=True, slots=True)
class Quotas:
    begin: Begin
    standing: StandingReader
    platform: Platform
    balances: Balances

    async def all(self, actor: Actor) -> Sequence[Pot]:
        """The tenant's quotas with their balances now, in spending order, each with the terms that hold today."""
        actor.require(Scope.QUOTAS_READ)
        async with self.begin(actor.tenant_id) as work:
            return self._shown(await work.pots.all())

    def watch(
        self, actor: Actor, only: Collection[str] | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Pot]]]:
        """`all`, or those of these ids: at once, then whenever one of them changes, until the reader leaves."""
        actor.require(Scope.QUOTAS_READ)
        return self._watched(actor, only)

    async def prefer(self, actor: Actor, provider: str, source: KeySource) -> None:
        """Spend the platform's quota first, or the tenant's own key. NotFound for an unknown provider."""
        actor.require(Scope.QUOTAS_WRITE)
        self.platform.catalogue.provider(provider)
        async with self.begin(actor.tenant_id) as work:
            await work.choices.put_preferred(provider, source)
            await work.audit.add(deed(actor, "preferred_source.set", provider))
        self.standing.forget(actor.tenant_id)

    @asynccontextmanager
    async def _watched(self, actor: Actor, only: Collection[str] | None) -> AsyncIterator[AsyncIterator[Sequence[Pot]]]:
        async with self.balances(actor.tenant_id) as readings:
            yield self._changes(readings, only)

    async def _changes(
        self, readings: AsyncIterator[Sequence[Pot]], only: Collection[str] | None
    ) -> AsyncIterator[Sequence[Pot]]:
        told: list[Pot] | None = None
        async for pots in readings:
            wanted = self._shown(pot for pot in pots if only is None or str(pot.id) in only)
            if wanted != told:
                told = wanted
                yield wanted

    def _shown(self, pots: Iterable[Pot]) -> list[Pot]:
        """Those that pay; a trial that is offered no more is good for no model."""
        paying = (pot for pot in pots if pot.kind is not PotKind.CAP)
        return [replace(pot, terms=self.platform.terms(pot) or Terms(models=())) for pot in paying]
