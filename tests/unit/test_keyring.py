"""Opened forms are shared while they are fresh, and forgotten soon."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import CredentialUnreadable, NoCredential, NotFound
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import TenantKey
from infrastructure.keyring import LEASE, LeasedKeyring
from tests.belongings import a_credential
from tests.fakes import FakeClock, FakeStore, FakeVault

TENANT = TenantId(UUID(int=1))
FORM: FormValues = {"key": Secret("sk-canary-0123456789"), "region": "eu"}


class SlowVault(FakeVault):
    """Counts its openings, each of which takes a turn of the event loop."""

    def __init__(self) -> None:
        self.opened = 0

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        self.opened += 1
        await asyncio.sleep(0)
        return await super().open(key, context, sealed)


@dataclass
class Drawer:
    """A keyring over a store in which credentials can be laid."""

    store: FakeStore = field(default_factory=FakeStore)
    vault: SlowVault = field(default_factory=SlowVault)
    clock: FakeClock = field(default_factory=FakeClock)
    room: int = 10
    lease: timedelta = LEASE

    def __post_init__(self) -> None:
        self.keyring = LeasedKeyring(self.store.begin, self.vault, self.clock, {"acme": FORM}, self.room, self.lease)

    async def lay(self, form: FormValues = FORM, tenant_id: TenantId = TENANT) -> Credential:
        credential = a_credential(tenant_id, f"key {id(form)} {len(self.store.rows[tenant_id].credentials)}")
        await self.relay(credential, form)
        return credential

    async def relay(self, credential: Credential, form: FormValues) -> None:
        key = await self.vault.keypair(credential.tenant_id, KeyId(UUID(int=7)))
        sealed = await self.vault.seal(key, SealContext.of(credential), form)
        rows = self.store.rows[credential.tenant_id]
        rows.keys[key.id] = key
        rows.credentials[credential.id] = credential, sealed


async def test_a_form_is_opened_once_for_all_who_ask_at_the_same_time() -> None:
    drawer = Drawer()
    credential = await drawer.lay()
    forms = await asyncio.gather(*(drawer.keyring.own(credential) for _ in range(20)))
    assert forms == [FORM] * 20
    assert drawer.vault.opened == 1


async def test_a_form_is_opened_again_when_its_lease_is_over() -> None:
    drawer = Drawer()
    credential = await drawer.lay()
    await drawer.keyring.own(credential)
    drawer.clock.advance(LEASE - timedelta(seconds=1))
    await drawer.keyring.own(credential)
    assert drawer.vault.opened == 1
    drawer.clock.advance(timedelta(seconds=1))
    await drawer.keyring.own(credential)
    assert drawer.vault.opened == 2


async def test_a_form_leaves_the_memory_when_its_lease_is_over_though_nobody_asks() -> None:
    drawer = Drawer(lease=timedelta(milliseconds=1))
    assert await drawer.keyring.own(await drawer.lay()) == FORM
    while drawer.keyring.kept:
        await asyncio.sleep(0.001)


async def test_a_renewed_form_outlives_the_end_of_the_old_lease() -> None:
    drawer = Drawer(lease=timedelta(milliseconds=20))
    credential = await drawer.lay()
    await drawer.keyring.own(credential)
    drawer.clock.advance(timedelta(seconds=1))
    drawer.keyring.lease = LEASE
    await drawer.keyring.own(credential)
    await asyncio.sleep(0.03)
    assert drawer.keyring.kept == 1


async def test_a_new_version_is_another_form() -> None:
    drawer = Drawer()
    old = await drawer.lay()
    await drawer.keyring.own(old)
    new = replace(old, version=2)
    await drawer.relay(new, {"key": Secret("renewed")})
    assert await drawer.keyring.own(new) == {"key": Secret("renewed")}


async def test_tenants_do_not_share_forms_even_under_one_id() -> None:
    drawer = Drawer()
    mine = await drawer.lay()
    other = replace(mine, tenant_id=TenantId(UUID(int=2)))
    await drawer.relay(other, {"key": Secret("another's")})
    assert await drawer.keyring.own(mine) == FORM
    assert await drawer.keyring.own(other) == {"key": Secret("another's")}


async def test_the_oldest_form_makes_room() -> None:
    drawer = Drawer(room=2)
    credentials = [await drawer.lay() for _ in range(3)]
    for credential in credentials:
        await drawer.keyring.own(credential)
    await drawer.keyring.own(credentials[2])
    assert drawer.vault.opened == 3
    await drawer.keyring.own(credentials[0])
    assert drawer.vault.opened == 4


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    drawer = Drawer()
    credential = await drawer.lay()
    rows = drawer.store.rows[TENANT].credentials
    whole = rows[credential.id]
    rows[credential.id] = replace(credential, version=2), whole[1]
    outcomes = await asyncio.gather(*(drawer.keyring.own(credential) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [CredentialUnreadable] * 3
    assert drawer.vault.opened == 1
    rows[credential.id] = whole
    assert await drawer.keyring.own(credential) == FORM


async def test_a_call_that_chose_the_credential_before_it_was_replaced_sends_the_new_form() -> None:
    drawer = Drawer()
    chosen = await drawer.lay()
    await drawer.relay(replace(chosen, version=2), {"key": Secret("renewed")})
    assert await drawer.keyring.own(chosen) == {"key": Secret("renewed")}


async def test_a_tenant_is_forgotten_and_no_other() -> None:
    drawer = Drawer()
    mine, others = await drawer.lay(), await drawer.lay(tenant_id=TenantId(UUID(int=2)))
    await drawer.keyring.own(mine)
    await drawer.keyring.own(others)
    drawer.keyring.forget(TENANT)
    assert drawer.keyring.kept == 1
    await drawer.keyring.own(others)
    assert drawer.vault.opened == 2
    await drawer.keyring.own(mine)
    assert drawer.vault.opened == 3


async def test_a_caller_that_leaves_does_not_end_the_opening_for_the_others() -> None:
    drawer = Drawer()
    credential = await drawer.lay()
    leaving = asyncio.create_task(drawer.keyring.own(credential))
    staying = asyncio.create_task(drawer.keyring.own(credential))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == FORM
    assert drawer.vault.opened == 1


async def test_a_removed_credential_is_not_found() -> None:
    drawer = Drawer()
    with pytest.raises(NotFound):
        await drawer.keyring.own(a_credential(TENANT))


async def test_the_platforms_form_is_there_or_says_so() -> None:
    keyring = Drawer().keyring
    assert keyring.platform("acme") == FORM
    with pytest.raises(NoCredential):
        keyring.platform("globex")


async def test_the_keyring_does_not_show_what_it_keeps() -> None:
    drawer = Drawer()
    await drawer.keyring.own(await drawer.lay())
    assert "canary" not in repr(drawer.keyring)
    assert "region" not in repr(drawer.keyring)
