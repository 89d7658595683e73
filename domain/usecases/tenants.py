"""Opening tenants, each with its key pair, its first client and its trials; and closing them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES, Actor, Client, Scope
from domain.model.audit import deed
from domain.model.ids import ClientId, KeyId, PotId, TenantId
from domain.model.quota import Pot, PotKind, Trial
from domain.model.secret import Secret
from domain.model.selection import Platform
from domain.model.tenant import Tenant, checked_name
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, Clock, Fresh, Randomness, Remembers, Vault


@dataclass(frozen=True, slots=True)
class OpenedTenant:
    """A new tenant and its first client. The secret exists here only: what is stored is its digest."""

    tenant: Tenant
    client: Client
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Tenants:
    """`remembering` is what this process keeps of tenants and must forget of one that is closed."""

    begin: Begin
    vault: Vault
    platform: Platform
    clock: Clock
    fresh: Fresh
    randomness: Randomness
    remembering: Sequence[Remembers] = ()

    async def tenant(self, actor: Actor) -> Tenant:
        """The actor's own tenant."""
        actor.require(Scope.TENANT_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.tenants.one()

    async def open(self, actor: Actor, name: str) -> OpenedTenant:
        """A new tenant, opened by an operator's client, never with an operator's scopes. InvalidRange for its name."""
        actor.require(Scope.TENANTS_OPEN)
        return await self._opened(name, TENANT_SCOPES, actor)

    async def found(self, name: str, *, operator: bool = False) -> OpenedTenant:
        """A new tenant, opened from the operator's own shell, where there is no actor to ask."""
        return await self._opened(name, TENANT_SCOPES | OPERATOR_SCOPES if operator else TENANT_SCOPES)

    async def close(self, actor: Actor, tenant_id: TenantId, name: str) -> Tenant:
        """Delete a tenant and all that it has, its private keys included: nothing opens its envelopes any more.

        Done by an operator's client, which repeats the name. NotFound when there is no such tenant of that name. The
        tenant's audit goes with it, so that this stands in the operator's.
        """
        actor.require(Scope.TENANTS_CLOSE)
        return await self._closed(tenant_id, name, actor)

    async def shut(self, tenant_id: TenantId) -> Tenant:
        """The same from the operator's own shell, where there is no actor to ask."""
        return await self._closed(tenant_id)

    async def named(self, tenant_id: TenantId) -> Tenant:
        """Any tenant, for the operator's own shell. NotFound when it is not open."""
        async with self.begin(tenant_id) as work:
            return await work.tenants.one()

    async def _closed(self, tenant_id: TenantId, name: str | None = None, by: Actor | None = None) -> Tenant:
        async with self.begin(tenant_id) as work:
            tenant = await work.tenants.one()
            if name not in (None, tenant.name):
                raise NotFound("tenant")
            await work.tenants.close()
            if by is not None and by.tenant_id != tenant_id:
                await work.audit.add_to(by.tenant_id, deed(by, "tenant.closed", tenant_id))
        for memory in self.remembering:
            memory.forget(tenant_id)
        return tenant

    async def _opened(self, name: str, scopes: frozenset[Scope], by: Actor | None = None) -> OpenedTenant:
        tenant = Tenant(TenantId(self.fresh()), checked_name(name), self.clock())
        secret = mint(Kind.CLIENT_SECRET, tenant.id, self.randomness(SECRET_BYTES))
        client_id = ClientId(self.fresh())
        client = Client(tenant.id, client_id, "first client", digest(secret), scopes, tenant.opened_at)
        key = await self.vault.keypair(tenant.id, KeyId(self.fresh()))
        async with self.begin(tenant.id) as work:
            await work.tenants.add(tenant)
            await work.keys.add(key)
            await work.clients.add(client)
            for trial in self.platform.trials.values():
                await work.pots.add(self._pot(tenant, trial))
            await work.audit.add(deed(by, "tenant.opened", tenant.id))
        public_id = mint(Kind.CLIENT_ID, tenant.id, client_id.bytes)
        return OpenedTenant(tenant, client, public_id, Secret(secret))

    def _pot(self, tenant: Tenant, trial: Trial) -> Pot:
        return Pot(
            tenant_id=tenant.id,
            id=PotId(self.fresh()),
            kind=PotKind.TRIAL,
            provider=trial.provider,
            unit=trial.unit,
            granted=trial.granted,
            used=0,
            held=0,
            opened_at=tenant.opened_at,
        )
