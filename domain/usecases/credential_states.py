"""What becomes of credentials once they are stored: which rest, when each was last used, and who uses it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.model.access import Actor, Scope
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Cooling, Credential
from domain.model.defaults import default_model
from domain.model.ids import ClientId, CredentialId
from domain.model.selection import Platform, Standing, serving
from domain.ports import Begin, Clock, StandingReader

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Application:
    """A client that called with a credential; its name is None when it is gone."""

    client_id: ClientId
    name: str | None
    calls: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class UsedBy:
    """The default models whose calls it serves, alone or with others, and who called with it of late, latest first."""

    defaults: tuple[ModelRef, ...]
    applications: tuple[Application, ...]


@dataclass(frozen=True, slots=True)
class CredentialStates:
    """Each method answers for many credentials at once; ids that are unknown to the tenant are left out."""

    begin: Begin
    standing: StandingReader
    platform: Platform
    clock: Clock

    async def coolings(self, actor: Actor) -> Mapping[CredentialId, Cooling]:
        """The rests that are not over."""
        actor.require(Scope.CREDENTIALS_READ)
        now = self.clock()
        async with self.begin(actor.tenant_id) as work:
            return {c.credential_id: c for c in await work.coolings.all() if c.lasts(now)}

    async def last_used(self, actor: Actor, ids: Collection[CredentialId]) -> Mapping[CredentialId, datetime]:
        """When a call was last sent with each that ever was used."""
        actor.require(Scope.CREDENTIALS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.records.last_used(ids)

    async def users(self, actor: Actor, ids: Collection[CredentialId]) -> Mapping[CredentialId, UsedBy]:
        """What depends on each now, and who called with it within the last 30 days."""
        actor.require(Scope.CREDENTIALS_READ)
        standing = await self.standing(actor.tenant_id)
        async with self.begin(actor.tenant_id) as work:
            uses = await work.records.users_of(ids, self.clock() - RECENT)
            names = await work.clients.names({use.client_id for found in uses.values() for use in found})
        defaults = _defaults(standing, self.platform)
        return {
            c.id: UsedBy(
                tuple(ref for ref in defaults if c in serving(ref, standing)),
                tuple(Application(u.client_id, names.get(u.client_id), u.calls, u.last_at) for u in uses.get(c.id, ())),
            )
            for c in _among(standing, ids)
        }


def _among(standing: Standing, ids: Collection[CredentialId]) -> list[Credential]:
    return [c for c in standing.credentials if c.id in ids]


def _defaults(standing: Standing, platform: Platform) -> list[ModelRef]:
    """The default models that can be called now."""
    found = (default_model(kind, standing, platform) for kind in ModelType)
    return [default.model for default in found if default.model is not None and default.reason is None]
