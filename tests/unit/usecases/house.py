"""The use cases over the fakes: one tenant with a trial of two calls at the provider acme."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from domain.errors import DomainError, NoCredential
from domain.model.access import TENANT_SCOPES, Actor, Scope
from domain.model.catalogue import Catalogue, FormValues
from domain.model.credential import Credential
from domain.model.ids import ClientId, KeyId, TenantId
from domain.model.quota import Pot, Trial, Unit
from domain.model.secret import Secret
from domain.model.selection import Platform
from domain.model.tenant import Tenant, TenantKey
from domain.usecases.browsing import Browsing
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.inference import Inference
from domain.usecases.metering import Metering
from domain.usecases.quotas import Quotas
from infrastructure.background import Detached
from infrastructure.standing import LeasedStanding
from tests.fakes import CountedIds, FakeClock, FakeGateway, FakeLedger, FakeStore, FakeVault, Reply, TenantRows
from tests.unit.domain.samples import ACME, HOME, TENANT, pot, ref

HOLD_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OpenKeyring:
    """Opens a tenant's forms each time; the platform has a key at acme alone."""

    store: FakeStore
    vault: FakeVault

    async def own(self, credential: Credential) -> FormValues:
        async with self.store.begin(credential.tenant_id) as work:
            opening = await work.envelopes.one(credential.id)
        return await self.vault.open(opening.key, opening.context, opening.sealed)

    def forget(self, tenant_id: TenantId) -> None:
        """It remembers nothing."""

    def platform(self, provider: str) -> FormValues:
        if provider != "acme":
            raise NoCredential(provider)
        return {"key": Secret("platform-key")}


@dataclass
class House:
    """`script` is what the vendor answers, in order."""

    script: Iterable[Reply | DomainError] = ()
    granted: int | None = 2
    unit: Unit = Unit.CALLS
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.store, self.vault, self.gateway = FakeStore(), FakeVault(), FakeGateway(*self.script)
        self.ledger, self.detached, self.fresh = FakeLedger(self.store), Detached(), CountedIds()
        self.platform = Platform(Catalogue((ACME, HOME)), {"acme": Trial("acme", self.unit, 2, (ref("old"),))})
        self.standing = LeasedStanding(self.store.begin, self.clock)
        self.rows(TENANT).tenants.append(Tenant(TENANT, "Acme", self.clock()))
        key = TenantKey(TENANT, KeyId(self.fresh()), b"public", b"wrapped", "fake")
        self.rows(TENANT).keys[key.id] = key
        trial = pot(self.granted, unit=self.unit)
        self.rows(TENANT).pots[trial.id] = trial

    def rows(self, tenant_id: TenantId) -> TenantRows:
        return self.store.rows[tenant_id]

    @property
    def pot(self) -> Pot:
        return next(iter(self.rows(TENANT).pots.values()))

    def actor(self, *scopes: Scope) -> Actor:
        held = frozenset(scopes) or TENANT_SCOPES
        return Actor(TENANT, ClientId(self.fresh()), held, self.clock() + timedelta(hours=1))

    @property
    def credentials(self) -> Credentials:
        catalogue = self.platform.catalogue
        return Credentials(self.store.begin, catalogue, self.gateway, self.vault, self.standing, self.clock, self.fresh)

    @property
    def inference(self) -> Inference:
        keyring = OpenKeyring(self.store, self.vault)
        metering = Metering(
            self.store.begin, self.standing, self.platform, keyring, self.ledger, self.clock, self.fresh, HOLD_FOR
        )
        return Inference(metering, self.gateway, self.detached)

    @property
    def defaults(self) -> Defaults:
        return Defaults(self.store.begin, self.standing, self.platform)

    @property
    def quotas(self) -> Quotas:
        return Quotas(self.store.begin, self.standing, self.platform.catalogue)

    @property
    def browsing(self) -> Browsing:
        return Browsing(self.standing, self.platform)
