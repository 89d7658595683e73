"""What an operator grants tenants on the platform's keys and takes back, each time with a reason that they can read."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.errors import ChangedMeanwhile, InvalidRange, NotFound
from domain.model.access import Actor, Scope
from domain.model.audit import deed
from domain.model.ids import ClientId, GrantId, PotId, TenantId
from domain.model.quota import Grant, Pot, PotKind, Terms, Unit, granted_pot
from domain.model.selection import Platform
from domain.ports import Begin, Clock, Fresh, Ledger, StandingReader

SHELL = ClientId(UUID(int=0))
"""Stands for the client of who grants from the operator's own shell."""

REASON = range(3, 301)
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class NewGrant:
    """`amount` units, or unlimited when None, at one provider or at all when None, on these terms."""

    tenant_id: TenantId
    kind: PotKind
    provider: str | None
    unit: Unit
    amount: int | None
    reason: str
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Grants:
    begin: Begin
    ledger: Ledger
    standing: StandingReader
    platform: Platform
    clock: Clock
    fresh: Fresh

    async def page(self, actor: Actor, *, first: int, after: GrantId | None = None) -> Sequence[Grant]:
        """Up to `first` grants and revocations of the actor's own tenant, newest first, from behind `after`."""
        actor.require(Scope.QUOTAS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.grants.page(first=first, after=after)

    async def grant(self, actor: Actor, new: NewGrant) -> Pot:
        """Give any tenant more; what is granted on the same terms adds up in one quota, which is returned.

        NotFound for an unknown tenant or provider; InvalidRange for kind, amount, reason, models or weights.
        """
        actor.require(Scope.QUOTAS_GRANT)
        return await self._granted(actor, new)

    async def bestow(self, new: NewGrant) -> Pot:
        """`grant`, from the operator's own shell, where there is no actor to ask."""
        return await self._granted(None, new)

    async def revoke(self, actor: Actor, tenant_id: TenantId, pot_id: PotId, amount: int | None, reason: str) -> Pot:
        """Take back `amount`, or all that is free when None, which also ends "unlimited"; the quota as it is then.

        NotFound for an unknown tenant or quota, InvalidRange("amount") for more than is free or anything of what is
        unlimited, ChangedMeanwhile when all that is free does not hold still.
        """
        actor.require(Scope.QUOTAS_GRANT)
        reason = _checked_reason(reason)
        if amount is not None and amount <= 0:
            raise InvalidRange("amount", "must be above zero")
        if amount is not None:
            return await self._revoked(actor, await self._pot(tenant_id, pot_id), amount, reason)
        for _ in range(_ATTEMPTS):
            with suppress(InvalidRange):
                return await self._emptied(actor, await self._pot(tenant_id, pot_id), reason)
        raise ChangedMeanwhile("quota")

    async def _granted(self, by: Actor | None, new: NewGrant) -> Pot:
        reason = _checked_reason(new.reason)
        self._check(new)
        async with self.begin(new.tenant_id) as work:
            await work.tenants.one()
        pot = granted_pot(new.tenant_id, new.kind, new.provider, new.unit, new.terms, self.clock())
        return await self._changed(by, pot, new.amount, reason, "quota.granted")

    async def _revoked(self, by: Actor, pot: Pot, amount: int, reason: str) -> Pot:
        return await self._changed(by, pot, -amount, reason, "quota.revoked")

    async def _emptied(self, by: Actor, pot: Pot, reason: str) -> Pot:
        """InvalidRange when a call took some of it meanwhile. What is unlimited is closed once that has been noted."""
        if pot.free is not None:
            return await self._revoked(by, pot, pot.free, reason) if pot.free else pot
        await self._revoked(by, pot, 0, reason)
        await self.ledger.resize(replace(pot, granted=0, used=0, held=0))
        return await self._pot(pot.tenant_id, pot.id)

    async def _changed(self, by: Actor | None, pot: Pot, amount: int | None, reason: str, action: str) -> Pot:
        client_id = by.client_id if by else SHELL
        grant = Grant(pot.tenant_id, GrantId(self.fresh()), pot.id, amount, reason, client_id, self.clock())
        changed = await self.ledger.grant(grant, pot, deed(by, action, pot.id))
        self.standing.forget(pot.tenant_id)
        return changed

    async def _pot(self, tenant_id: TenantId, pot_id: PotId) -> Pot:
        async with self.begin(tenant_id) as work:
            pots = [pot for pot in await work.pots.all() if pot.id == pot_id and pot.kind is not PotKind.CAP]
        if not pots:
            raise NotFound("quota")
        return pots[0]

    def _check(self, new: NewGrant) -> None:
        if new.kind not in (PotKind.PAID, PotKind.FREE):
            raise InvalidRange("kind", "must be paid or free")
        if new.amount is not None and new.amount <= 0:
            raise InvalidRange("amount", "must be above zero")
        if new.provider is not None:
            self.platform.catalogue.provider(new.provider)
        self._check_terms(new)

    def _check_terms(self, new: NewGrant) -> None:
        if new.terms.models == ():
            raise InvalidRange("models", "must name a model, or be left out for all of them")
        for at, ref in enumerate(new.terms.models or ()):
            if new.provider not in (None, ref.provider) or self.platform.catalogue.model(ref) is None:
                raise InvalidRange(f"models[{at}]", "must be a model of the catalogue at the quota's provider")
        names = {
            str(m.ref) for p in self.platform.catalogue.providers if new.provider in (None, p.id) for m in p.models
        }
        for at, (name, weight) in enumerate(new.terms.weights.items()):
            if new.unit is not Unit.CREDITS:
                raise InvalidRange("weights", "are for quotas that count credits")
            if name not in names or weight <= 0:
                raise InvalidRange(f"weights[{at}]", "must be above zero, of a model at the quota's provider")


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) not in REASON or not reason.isprintable():
        raise InvalidRange(
            "reason", f"must have {REASON.start} to {REASON.stop - 1} characters, none a control character"
        )
    return reason
