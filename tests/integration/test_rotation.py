"""Keys rotate on PostgreSQL while calls run: none fails, and what was interrupted goes on."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only
from uuid_utils.compat import uuid7

from domain.errors import CredentialUnreadable
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.ids import KeyId, TenantId
from domain.model.secret import Secret
from domain.model.tenant import Tenant, TenantKey
from domain.ports import Vault
from domain.usecases.rotation import Rewrapped, Rotation
from domain.usecases.sealing import sealed_into
from infrastructure.background import Detached
from infrastructure.crypto.master_keys import MasterKeys
from infrastructure.crypto.vault import RsaVault
from infrastructure.db.engine import open_engine
from infrastructure.db.roll_call import SqlRollCall
from infrastructure.db.work import begin
from infrastructure.keyring import LeasedKeyring
from tests.belongings import a_credential, a_tenant
from tests.databases import Urls, drop_database, fresh_database, migrated
from tests.fakes import FakeVault

A, B = b"a" * 32, b"b" * 32
CALLERS = 32


class Interrupted(RsaVault):
    """Is lost with its process when it has sealed `left` forms."""

    left = 0

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        if self.left == 0:
            raise ConnectionError("the process is lost")
        self.left -= 1
        return await RsaVault.seal(self, key, context, values)


@contextmanager
def vault_of(*master_keys: bytes, kind: type[RsaVault] = RsaVault) -> Iterator[RsaVault]:
    """As one process has it."""
    vault = kind(MasterKeys.of(*master_keys))
    yield vault
    vault.close()


@pytest.fixture
def fresh_urls(superuser: str) -> Iterator[Urls]:
    """A database of this test's own: a roll call calls all tenants that there are."""
    urls = asyncio.run(_migrated(superuser))
    yield urls
    asyncio.run(drop_database(superuser, urls))


async def _migrated(superuser: str) -> Urls:
    return await migrated(await fresh_database(superuser))


@pytest.fixture
async def town(fresh_urls: Urls) -> AsyncIterator["Town"]:
    engine = open_engine(fresh_urls.app)
    yield Town(engine)
    await engine.dispose()


@dataclass(eq=False)
class Interlude:
    """Lets another run, after the statement number `at` of an engine, until it is done or has to wait for a lock."""

    at: int
    other: Callable[[], Coroutine[Any, Any, Any]]
    seen: int = 0
    running: asyncio.Task[Any] | None = None

    def __call__(self, *_: object) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.running = asyncio.create_task(self.other())
            await_only(asyncio.wait([self.running], timeout=0.3))


@contextmanager
def interlude(engine: AsyncEngine, at: int, other: Callable[[], Coroutine[Any, Any, Any]]) -> Iterator[Interlude]:
    between = Interlude(at, other)
    event.listen(engine.sync_engine, "after_cursor_execute", between)
    yield between
    event.remove(engine.sync_engine, "after_cursor_execute", between)


@dataclass(frozen=True, slots=True)
class Town:
    """Tenants in a database, with real key pairs and envelopes; each form tells whose it is."""

    engine: AsyncEngine

    async def tenant(self, vault: Vault, credentials: int) -> tuple[Tenant, list[Credential]]:
        tenant = a_tenant()
        key = await vault.keypair(tenant.id, KeyId(uuid7()))
        async with begin(self.engine)(tenant.id) as work:
            await work.tenants.add(tenant)
            await work.keys.add(key)
        return tenant, [await self.add(vault, tenant.id) for _ in range(credentials)]

    async def add(self, vault: Vault, tenant_id: TenantId) -> Credential:
        credential = a_credential(tenant_id, str(uuid7()))
        await sealed_into(
            begin(self.engine),
            vault,
            SealContext.of(credential),
            form_of(credential),
            lambda work, sealed: work.credentials.add(credential, sealed),
        )
        return credential

    async def remove(self, credential: Credential) -> None:
        async with begin(self.engine)(credential.tenant_id) as work:
            await work.credentials.remove(credential.id)

    def rotation(self, vault: Vault) -> Rotation:
        work = begin(self.engine, master_keys=master_keys_of(vault))
        return Rotation(work, vault, SqlRollCall(self.engine), Detached(), uuid7)

    def keyring(self, vault: Vault) -> LeasedKeyring:
        """One that keeps nothing, so that each call opens for itself."""
        return LeasedKeyring(begin(self.engine), vault, lambda: datetime.now(UTC), {}, lease=timedelta(0))

    async def keys(self, tenant_id: TenantId) -> list[TenantKey]:
        async with begin(self.engine)(tenant_id) as work:
            return list(await work.keys.all())


def master_keys_of(vault: Vault) -> MasterKeys:
    """Those of a vault; of a fake one such that are called as fake vaults call theirs, its own first."""
    if isinstance(vault, RsaVault):
        return vault.master_keys
    return MasterKeys(dict.fromkeys([vault.master_key_id, "fake", "another"], A))


def form_of(credential: Credential) -> FormValues:
    return {"key": Secret(f"sk-{credential.id}"), "region": "eu"}


async def rewrapped(rotation: Rotation) -> Rewrapped:
    passes = [state async for state in rotation.rewrap()]
    return passes[-1]


async def during(work: Awaitable[None], *others: Callable[[], Awaitable[None]]) -> int:
    """Run each of `others` again and again while `work` runs; how often in all. Any failure is raised."""
    done, rounds = asyncio.Event(), 0

    async def again_and_again(each: Callable[[], Awaitable[None]]) -> None:
        nonlocal rounds
        while not done.is_set():
            await each()
            rounds += 1

    async def once() -> None:
        try:
            await work
        finally:
            done.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(once())
        for each in others:
            group.create_task(again_and_again(each))
    return rounds


async def rotated_while_used(town: Town, vaults: tuple[Vault, Vault], rounds: int) -> int:
    """Rotate two tenants' keys and the master key under `CALLERS`, twice at once each time; how much was called.

    The two vaults wrap under different master keys and know both.
    """
    tenants = [await town.tenant(vaults[0], 3) for _ in range(2)]
    credentials = [credential for _, those in tenants for credential in those]
    keyrings = [town.keyring(vault) for vault in vaults]
    chance = random.Random(8)

    async def call() -> None:
        credential = chance.choice(credentials)
        assert await chance.choice(keyrings).own(credential) == form_of(credential)

    async def change() -> None:
        credential = await town.add(chance.choice(vaults), chance.choice(tenants)[0].id)
        assert await chance.choice(keyrings).own(credential) == form_of(credential)
        await town.remove(credential)

    async def rotate() -> None:
        for turn in range(1, rounds + 1):
            rotations = [town.rotation(vaults[turn % 2]) for _ in range(2)]
            await asyncio.gather(
                *(rotation.renew(tenant.id) for rotation in rotations for tenant, _ in tenants),
                *(rewrapped(rotation) for rotation in rotations),
            )

    before = [await town.keys(tenant.id) for tenant, _ in tenants]
    called = await during(rotate(), *[call] * CALLERS, *[change] * 4)
    last = vaults[rounds % 2].master_key_id
    assert (await rewrapped(town.rotation(vaults[rounds % 2]))).under == {last: 2}
    for (tenant, those), old in zip(tenants, before, strict=True):
        (key,) = await town.keys(tenant.id)
        assert key not in old
        assert [await keyrings[0].own(credential) for credential in those] == [form_of(each) for each in those]
    return called


async def test_no_call_fails_while_both_kinds_of_key_rotate(town: Town) -> None:
    with vault_of(A, B) as first, vault_of(B, A) as second:
        assert await rotated_while_used(town, (first, second), rounds=1) > CALLERS


async def test_no_call_fails_in_any_order_of_many_rotations(town: Town) -> None:
    """With a vault that takes no time, so that the steps of all meet in many orders."""
    first, second = FakeVault(), FakeVault()
    second.master_key_id = "another"
    assert await rotated_while_used(town, (first, second), rounds=6) > CALLERS


async def test_a_rotation_may_come_between_any_two_statements_of_whoever_adds_and_calls(
    town: Town, fresh_urls: Urls
) -> None:
    vault, engine = FakeVault(), open_engine(fresh_urls.app)
    busy = Town(engine)
    at, met = 0, True
    while met:
        at += 1
        tenant, (older,) = await town.tenant(vault, 1)
        (old,) = await town.keys(tenant.id)
        with interlude(engine, at, partial(town.rotation(vault).renew, tenant.id)) as between:
            added = await busy.add(vault, tenant.id)
            for credential in (older, added):
                assert await busy.keyring(vault).own(credential) == form_of(credential), at
        met = between.running is not None
        if between.running is not None:
            await between.running
            (new,) = await town.keys(tenant.id)
            assert new.id != old.id
            for credential in (older, added):
                assert await town.keyring(vault).own(credential) == form_of(credential), at
    assert at > 8
    await engine.dispose()


@pytest.mark.parametrize("done", [0, 1, 3])
async def test_what_was_interrupted_after_some_credentials_goes_on(town: Town, done: int) -> None:
    with vault_of(A, kind=Interrupted) as lost, vault_of(A) as vault:
        tenant, credentials = await town.tenant(vault, 4)
        (old,) = await town.keys(tenant.id)
        assert isinstance(lost, Interrupted)
        lost.left = done
        with pytest.raises(ConnectionError):
            await town.rotation(lost).renew(tenant.id)
        assert len(await town.keys(tenant.id)) == 2
        forms = [form_of(credential) for credential in credentials]
        assert [await town.keyring(vault).own(credential) for credential in credentials] == forms
        resumed = await town.rotation(vault).renew(tenant.id)
        assert (resumed.created, resumed.resealed, resumed.remaining) == (False, 4 - done, 0)
        (new,) = await town.keys(tenant.id)
        assert new.id != old.id
        assert [await town.keyring(vault).own(credential) for credential in credentials] == forms


async def test_a_master_key_can_be_taken_away_when_no_tenant_is_left_under_it(town: Town) -> None:
    with vault_of(A) as before, vault_of(B, A) as both, vault_of(B) as after:
        (tenant, [first]), (_, [second]) = await town.tenant(before, 1), await town.tenant(before, 1)
        await town.rotation(before).renew(tenant.id)
        assert (await rewrapped(town.rotation(after))).under == {after.master_key_id: 0, before.master_key_id: 2}
        passing = town.rotation(both).rewrap()
        assert await anext(passing) == Rewrapped(2, 1, {both.master_key_id: 2})
        for credential in (first, second):
            assert await town.keyring(after).own(credential) == form_of(credential)
            with pytest.raises(CredentialUnreadable):
                await town.keyring(before).own(credential)
        assert (await town.rotation(after).renew(tenant.id)).created
        async with begin(town.engine, master_keys=after.master_keys)(tenant.id) as work:
            verdict = await work.audit.check({})
        assert (verdict.entries, verdict.faults) == (4, ())
