"""A closed tenant is gone at once, with its keys, from the rows and from what this process remembers."""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.model.access import OPERATOR_SCOPES, TENANT_SCOPES, Actor
from domain.model.ids import ClientId, TenantId
from domain.model.issuing import Grant, Lifetimes, Proof, Verdict
from domain.model.tenant import Tenant
from domain.usecases.access import Access
from domain.usecases.granting import Asking, Granting
from domain.usecases.minting import Mint
from domain.usecases.tenants import OpenedTenant, Tenants
from tests.fakes import CountedIds, FakeClock, FakeSigner, FakeStore, FakeVault
from tests.unit.domain.samples import PLATFORM

OPERATOR = TenantId(UUID(int=77))


@dataclass
class Memory:
    forgotten: list[TenantId] = field(default_factory=list)

    def forget(self, tenant_id: TenantId) -> None:
        self.forgotten.append(tenant_id)


class Office:
    def __init__(self) -> None:
        self.store, self.clock, self.memory = FakeStore(), FakeClock(), Memory()
        begin, fresh = self.store.begin, CountedIds()
        self.tenants = Tenants(begin, FakeVault(), PLATFORM, self.clock, fresh, bytes, (self.memory, self.memory))
        self.store.rows[OPERATOR].tenants.append(Tenant(OPERATOR, "Operator", self.clock()))
        self.access = Access(begin, self.clock)
        mint = Mint("https://portunus.example", bytes, Lifetimes(timedelta(hours=1)))
        self.granting = Granting(begin, self.clock, mint, FakeSigner())

    def operator(self) -> Actor:
        return Actor(OPERATOR, ClientId(UUID(int=78)), OPERATOR_SCOPES, self.clock() + timedelta(hours=1))

    async def token(self, opened: OpenedTenant) -> str:
        asking = Asking(opened.client_id, lambda client: Proof() if client else None)
        _, issued = await self.granting.grant(asking, lambda _: Verdict(None, Grant(TENANT_SCOPES)))
        assert issued is not None
        return issued.access_token

    def left(self, tenant_id: TenantId) -> list[object]:
        rows = self.store.rows[tenant_id]
        return [row for kind in fields(rows) for row in getattr(rows, kind.name)]


async def test_nothing_of_a_closed_tenant_is_left_and_its_token_is_nobodys() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    token = await office.token(opened)
    assert (await office.access.authenticate(token)).tenant_id == opened.tenant.id
    closed = await office.tenants.close(office.operator(), opened.tenant.id, "Acme")
    assert closed == opened.tenant
    assert office.left(opened.tenant.id) == []
    with pytest.raises(Unauthenticated):
        await office.access.authenticate(token)
    with pytest.raises(Unauthenticated):
        await office.token(opened)


async def test_all_that_remembers_tenants_forgets_it() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    await office.tenants.shut(opened.tenant.id)
    assert office.memory.forgotten == [opened.tenant.id] * 2


@pytest.mark.parametrize("name", ["", "acme", "Acme ", "Globex"])
async def test_another_name_closes_nothing(name: str) -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    with pytest.raises(NotFound, match="tenant"):
        await office.tenants.close(office.operator(), opened.tenant.id, name)
    assert await office.tenants.named(opened.tenant.id) == opened.tenant
    assert office.memory.forgotten == []


async def test_a_tenant_is_closed_once() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    await office.tenants.shut(opened.tenant.id)
    for again in (
        office.tenants.shut(opened.tenant.id),
        office.tenants.named(opened.tenant.id),
        office.tenants.close(office.operator(), opened.tenant.id, "Acme"),
    ):
        with pytest.raises(NotFound):
            await again


async def test_a_tenants_own_client_closes_none_not_even_its_own() -> None:
    office = Office()
    opened = await office.tenants.found("Acme")
    actor = Actor(opened.tenant.id, opened.client.id, TENANT_SCOPES, office.clock())
    with pytest.raises(Forbidden):
        await office.tenants.close(actor, opened.tenant.id, "Acme")
    assert office.left(opened.tenant.id)
