"""A new tenant has its key pair, its first client and its trials, or nothing at all."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import Forbidden, InvalidRange, NotFound
from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES, Actor, Scope
from domain.model.ids import ClientId, KeyId, TenantId
from domain.model.quota import PotKind, Unit
from domain.model.tenant import TenantKey
from domain.model.tokens import Kind, digest, parse
from domain.usecases.tenants import Tenants
from tests.fakes import CountedIds, FakeClock, FakeStore, FakeVault
from tests.unit.domain.samples import PLATFORM

SECRET = bytes(range(32))


class BrokenVault(FakeVault):
    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        raise RuntimeError("no entropy")


@dataclass
class WatchingVault(FakeVault):
    """Notes whether a unit of work was open while a pair was made."""

    store: FakeStore
    held_up: list[bool] = field(default_factory=list)

    async def keypair(self, tenant_id: TenantId, key_id: KeyId) -> TenantKey:
        self.held_up.append(self.store.turn.locked())
        return await super().keypair(tenant_id, key_id)


@dataclass
class Office:
    vault: FakeVault = field(default_factory=FakeVault)
    store: FakeStore = field(default_factory=FakeStore)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.fresh = CountedIds()
        self.tenants = Tenants(
            self.store.begin, self.vault, PLATFORM, self.clock, self.fresh, lambda size: SECRET[:size]
        )

    def actor(self, *scopes: Scope) -> Actor:
        expires_at = self.clock() + timedelta(hours=1)
        return Actor(TenantId(UUID(int=77)), ClientId(UUID(int=78)), frozenset(scopes), expires_at)


async def test_an_opened_tenant_has_all_that_it_needs() -> None:
    office = Office()
    opened = await office.tenants.open(office.actor(Scope.TENANTS_OPEN), "  Acme ")
    rows = office.store.rows[opened.tenant.id]
    assert rows.tenants == [opened.tenant]
    assert opened.tenant.name == "Acme"
    assert [key.tenant_id for key in rows.keys.values()] == [opened.tenant.id]
    assert list(rows.clients.values()) == [opened.client]
    (pot,) = rows.pots.values()
    assert (pot.provider, pot.kind, pot.unit, pot.granted, pot.free) == ("acme", PotKind.TRIAL, Unit.CALLS, 200, 200)


async def test_its_client_is_named_and_proved_by_what_is_handed_out() -> None:
    opened = await Office().tenants.found("Acme")
    named = parse(Kind.CLIENT_ID, opened.client_id)
    assert named is not None
    assert (named.tenant_id, named.rest) == (opened.tenant.id, opened.client.id.bytes)
    assert digest(opened.client_secret.reveal()) == opened.client.secret_digest


async def test_the_secret_is_neither_stored_nor_shown() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    assert opened.client_secret.reveal() not in repr(opened) + repr(office.store.rows)


async def test_an_operators_client_opens_tenants_whose_clients_cannot() -> None:
    office = Office()
    operator = await office.tenants.found("Operator", operator=True)
    assert operator.client.scopes == TENANT_SCOPES | OPERATOR_SCOPES
    opened = await office.tenants.open(office.actor(*operator.client.scopes), "Acme")
    assert opened.client.scopes == TENANT_SCOPES
    assert (await office.tenants.found("Globex")).client.scopes == TENANT_SCOPES


async def test_a_tenants_own_client_opens_none() -> None:
    office = Office()
    with pytest.raises(Forbidden) as refusal:
        await office.tenants.open(office.actor(*TENANT_SCOPES), "Acme")
    assert refusal.value.needs == Scope.TENANTS_OPEN
    assert office.store.rows == {}


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", "a\x00"])
async def test_a_name_that_cannot_be_shown_is_refused_before_a_key_is_made(name: str) -> None:
    office = Office(BrokenVault())
    with pytest.raises(InvalidRange):
        await office.tenants.found(name)
    assert office.store.rows == {}


async def test_without_a_key_pair_nothing_is_stored() -> None:
    office = Office(BrokenVault())
    with pytest.raises(RuntimeError):
        await office.tenants.found("Acme")
    assert office.store.rows == {}


async def test_the_key_pair_is_made_outside_the_unit_of_work() -> None:
    store = FakeStore()
    vault = WatchingVault(store)
    await Office(vault, store).tenants.found("Acme")
    assert vault.held_up == [False]


async def test_an_actor_sees_its_own_tenant() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    actor = Actor(opened.tenant.id, opened.client.id, TENANT_SCOPES, office.clock())
    assert await office.tenants.tenant(actor) == opened.tenant
    with pytest.raises(Forbidden):
        await office.tenants.tenant(Actor(opened.tenant.id, opened.client.id, frozenset(), office.clock()))
    with pytest.raises(NotFound):
        await office.tenants.tenant(office.actor(Scope.TENANT_READ))
