"""The use cases over the fakes: one tenant with a trial of two calls at the provider acme."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from domain.errors import DomainError, NoCredential
from domain.model.access import TENANT_SCOPES, Actor, Scope
from domain.model.catalogue import Catalogue, FormValues
from domain.model.credential import Cooling, Credential
from domain.model.ids import ClientId, KeyId, TenantId
from domain.model.quota import Pot, Trial, Unit
from domain.model.secret import Secret
from domain.model.selection import Platform
from domain.model.tenant import Tenant, TenantKey
from domain.usecases.access import Access
from domain.usecases.api_keys import ApiKeys
from domain.usecases.applications import Applications
from domain.usecases.browsing import Browsing
from domain.usecases.caps import Caps
from domain.usecases.conversations import Conversations
from domain.usecases.credential_states import CredentialStates
from domain.usecases.credential_updates import CredentialUpdates
from domain.usecases.credentials import Credentials
from domain.usecases.defaults import Defaults
from domain.usecases.grants import Grants
from domain.usecases.imports import Imports
from domain.usecases.inference import Inference
from domain.usecases.metering import Metering
from domain.usecases.models import Models
from domain.usecases.planning import Planning
from domain.usecases.quotas import Quotas
from domain.usecases.reaching import Reaching
from infrastructure.background import Detached
from infrastructure.balances import PolledBalances
from infrastructure.standing import LeasedStanding
from tests.fakes import CountedIds, FakeClock, FakeGateway, FakeLedger, FakeStore, FakeVault, Reply, TenantRows
from tests.unit.domain.samples import ACME, HOME, TENANT, pot, ref

HOLD_FOR = timedelta(minutes=15)


class Pulse:
    """Rests until it is told to beat; `resting` counts who rests."""

    def __init__(self) -> None:
        self._beat = asyncio.Event()
        self.resting = 0

    async def __call__(self, _seconds: float) -> None:
        self.resting += 1
        try:
            await self._beat.wait()
        finally:
            self.resting -= 1

    async def beat(self) -> None:
        """Let all who rest go on, and wait until they rest again or are gone."""
        self._beat.set()
        self._beat = asyncio.Event()
        for _ in range(50):
            await asyncio.sleep(0)


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
    """`script` is what the vendor answers, in order; `offer` is the operator's, if not that trial alone."""

    script: Iterable[Reply | DomainError] = ()
    granted: int | None = 2
    unit: Unit = Unit.CALLS
    clock: FakeClock = field(default_factory=FakeClock)
    offer: Platform | None = None

    def __post_init__(self) -> None:
        self.store, self.vault, self.gateway = FakeStore(), FakeVault(), FakeGateway(*self.script)
        self.ledger, self.detached, self.fresh = FakeLedger(self.store), Detached(), CountedIds()
        trial_only = Platform(Catalogue((ACME, HOME)), {"acme": Trial("acme", self.unit, 2, (ref("old"),))})
        self.platform = self.offer or trial_only
        self.standing = LeasedStanding(self.store.begin, self.clock)
        self.pulse = Pulse()
        self.balances = PolledBalances(self.store.begin, self.clock, self.pulse)
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

    async def rest(self, credential: Credential, span: timedelta = timedelta(minutes=1)) -> Cooling:
        """Let it rest for so long, as a call does that its vendor refused."""
        cooling = Cooling(credential.id, self.clock() + span, "UPSTREAM_RATE_LIMITED")
        async with self.store.begin(credential.tenant_id) as work:
            await work.coolings.put(cooling)
        self.standing.forget(credential.tenant_id)
        return cooling

    @property
    def credentials(self) -> Credentials:
        catalogue = self.platform.catalogue
        return Credentials(self.store.begin, catalogue, self.gateway, self.vault, self.standing, self.clock, self.fresh)

    @property
    def updates(self) -> CredentialUpdates:
        catalogue = self.platform.catalogue
        return CredentialUpdates(self.store.begin, catalogue, self.gateway, self.vault, self.standing, self.clock)

    @property
    def states(self) -> CredentialStates:
        return CredentialStates(self.store.begin, self.standing, self.platform, self.clock)

    @property
    def metering(self) -> Metering:
        keyring = OpenKeyring(self.store, self.vault)
        return Metering(
            self.store.begin, self.standing, self.platform, keyring, self.ledger, self.clock, self.fresh, HOLD_FOR
        )

    @property
    def inference(self) -> Inference:
        return Inference(self.metering, self.gateway, self.detached)

    @property
    def planning(self) -> Planning:
        return Planning(self.metering, self.standing)

    @property
    def caps(self) -> Caps:
        return Caps(self.store.begin, self.ledger, self.standing, self.clock, self.fresh)

    @property
    def grants(self) -> Grants:
        return Grants(self.store.begin, self.ledger, self.standing, self.platform, self.clock, self.fresh)

    @property
    def conversations(self) -> Conversations:
        return Conversations(self.inference, self.standing, self.platform)

    @property
    def models(self) -> Models:
        return Models(self.store.begin, self.standing, self.platform, self.clock)

    @property
    def imports(self) -> Imports:
        keyring = OpenKeyring(self.store, self.vault)
        begin, clock = self.store.begin, self.clock
        return Imports(begin, self.standing, self.platform, self.gateway, keyring, self.vault, clock, self.fresh)

    @property
    def defaults(self) -> Defaults:
        return Defaults(self.store.begin, self.standing, self.platform)

    @property
    def quotas(self) -> Quotas:
        return Quotas(self.store.begin, self.standing, self.platform, self.balances)

    @property
    def applications(self) -> Applications:
        return Applications(self.store.begin, self._reaching, self.standing, self.clock, self.fresh, self.randomness)

    @property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.store.begin, self._reaching, self.standing, self.clock, self.fresh, self.randomness)

    @property
    def access(self) -> Access:
        return Access(self.store.begin, self.clock)

    @property
    def _reaching(self) -> Reaching:
        return Reaching(self.standing, self.platform)

    def randomness(self, size: int) -> bytes:
        """Never the same."""
        return self.fresh().bytes.rjust(size, b"r")

    @property
    def browsing(self) -> Browsing:
        return Browsing(self.standing, self.platform)
