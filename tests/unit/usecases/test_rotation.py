"""Keys rotate in short steps: what was done stays done, and what is left is read from the rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import CredentialUnreadable, Forbidden, NotFound
from domain.model.access import TENANT_SCOPES, Actor, Scope
from domain.model.catalogue import FormValues
from domain.model.credential import Credential, SealContext, Sealed
from domain.model.ids import ClientId, KeyId, TenantId, behind, made_at
from domain.model.secret import Secret
from domain.model.tenant import Tenant, TenantKey
from domain.ports import Work
from domain.usecases.rotation import Rewrapped, Rotation
from domain.usecases.sealing import all_sealed_into
from infrastructure.background import Detached
from tests.belongings import NOW, a_credential
from tests.fakes import CountedIds, FakeSigner, FakeStore, FakeVault

TENANT = TenantId(UUID(int=1))
FORM: FormValues = {"key": Secret("sk-canary-0123456789"), "region": "eu"}


@dataclass
class FlakyVault(FakeVault):
    """Breaks down when it is about to seal for the time `breaks_at`; waits for `gate` before it opens anything."""

    breaks_at: int | None = None
    sealed: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    forgotten: list[TenantId] = field(default_factory=list)
    master_key_id: str = "fake"

    def __post_init__(self) -> None:
        self.gate.set()

    async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
        if self.sealed == self.breaks_at:
            raise ConnectionError("the process is lost")
        self.sealed += 1
        return await super().seal(key, context, values)

    async def open(self, key: TenantKey, context: SealContext, sealed: Sealed) -> FormValues:
        await self.gate.wait()
        return await super().open(key, context, sealed)

    def forget(self, tenant_id: TenantId) -> None:
        self.forgotten.append(tenant_id)


@dataclass
class Locksmith:
    """A tenant with one key and `credentials` sealed under it."""

    credentials: int = 3
    store: FakeStore = field(default_factory=FakeStore)
    vault: FlakyVault = field(default_factory=FlakyVault)
    fresh: CountedIds = field(default_factory=CountedIds)
    patience: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        self.rotation = Rotation(
            self.store.begin, self.vault, self.store.roll_call, Detached(), self.fresh, self.patience
        )
        self.rows = self.store.rows[TENANT]

    async def moved_in(self, tenant_id: TenantId = TENANT) -> list[Credential]:
        key = await self.vault.keypair(tenant_id, KeyId(self.fresh()))
        async with self.store.begin(tenant_id) as work:
            await work.tenants.add(Tenant(tenant_id, "Acme", NOW))
            await work.keys.add(key)
        return [await self.lay(key, f"key {n}") for n in range(self.credentials)]

    async def lay(self, key: TenantKey, name: str) -> Credential:
        credential = a_credential(key.tenant_id, name)
        sealed = await FakeVault().seal(key, SealContext.of(credential), FORM)
        self.store.rows[key.tenant_id].credentials[credential.id] = credential, sealed
        return credential

    def actor(self, *scopes: Scope) -> Actor:
        return Actor(TENANT, ClientId(UUID(int=9)), frozenset(scopes) or TENANT_SCOPES, NOW)

    @property
    def under(self) -> set[KeyId]:
        return {sealed.key_id for _, sealed in self.rows.credentials.values()}

    async def all_open(self) -> bool:
        forms = []
        for credential_id in self.rows.credentials:
            async with self.store.begin(TENANT) as work:
                opening = await work.envelopes.one(credential_id)
            forms.append(await FakeVault().open(opening.key, opening.context, opening.sealed))
        return forms == [FORM] * len(self.rows.credentials)


async def test_every_credential_moves_to_a_new_key_and_the_old_one_goes() -> None:
    smith = Locksmith()
    await smith.moved_in()
    (old,) = smith.rows.keys
    rotated = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (rotated.created, rotated.resealed, rotated.remaining) == (True, 3, 0)
    assert list(smith.rows.keys) == [rotated.key.id] != [old]
    assert smith.under == {rotated.key.id}
    assert await smith.all_open()
    assert smith.vault.forgotten == [TENANT]


async def test_versions_stay_since_the_forms_do() -> None:
    smith = Locksmith()
    before = {credential.id: credential for credential in await smith.moved_in()}
    await smith.rotation.rotate_tenant_key(smith.actor())
    assert {id_: credential for id_, (credential, _) in smith.rows.credentials.items()} == before


async def test_a_tenant_without_credentials_gets_a_new_key_too() -> None:
    smith = Locksmith(credentials=0)
    await smith.moved_in()
    rotated = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (rotated.created, rotated.resealed) == (True, 0)
    assert list(smith.rows.keys) == [rotated.key.id]


@pytest.mark.parametrize("done", range(4))
async def test_what_was_interrupted_anywhere_goes_on_without_a_further_key(done: int) -> None:
    smith = Locksmith(credentials=4)
    await smith.moved_in()
    smith.vault.breaks_at = done
    with pytest.raises(ConnectionError):
        await smith.rotation.rotate_tenant_key(smith.actor())
    assert len(smith.rows.keys) == 2
    assert await smith.all_open()
    smith.vault.breaks_at = None
    resumed = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (resumed.created, resumed.resealed, resumed.remaining) == (False, 4 - done, 0)
    assert list(smith.rows.keys) == [resumed.key.id]
    assert await smith.all_open()


async def test_a_rotation_of_which_only_the_shredding_is_left_does_that() -> None:
    smith = Locksmith(credentials=0)
    await smith.moved_in()
    newer = await smith.vault.keypair(TENANT, KeyId(smith.fresh()))
    smith.rows.keys[newer.id] = newer
    rotated = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (rotated.created, list(smith.rows.keys)) == (False, [newer.id])


async def test_a_repeated_call_makes_no_further_key_when_it_names_the_one_to_replace() -> None:
    smith = Locksmith()
    await smith.moved_in()
    (old,) = smith.rows.keys
    first = await smith.rotation.rotate_tenant_key(smith.actor(), old)
    again = await smith.rotation.rotate_tenant_key(smith.actor(), old)
    assert (first.created, again.created, again.key) == (True, False, first.key)
    assert (await smith.rotation.rotate_tenant_key(smith.actor(), again.key.id)).created


async def test_two_who_rotate_at_once_make_one_key_and_share_the_work() -> None:
    smith = Locksmith()
    await smith.moved_in()
    both = await asyncio.gather(*(smith.rotation.rotate_tenant_key(smith.actor()) for _ in range(2)))
    assert sorted(rotated.created for rotated in both) == [False, True]
    assert sum(rotated.resealed for rotated in both) == 3
    assert len(smith.rows.keys) == 1
    assert await smith.all_open()


async def test_a_caller_out_of_patience_is_told_what_is_left_and_the_work_goes_on() -> None:
    smith = Locksmith(patience=timedelta(milliseconds=1))
    await smith.moved_in()
    smith.vault.gate.clear()
    rotated = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (rotated.created, rotated.resealed, rotated.remaining) == (True, 0, 3)
    keys = await smith.rotation.keys(smith.actor(), smith.actor().tenant_id)
    assert [(key.newest, key.credentials) for key in keys] == [(False, 3), (True, 0)]
    smith.vault.gate.set()
    while len(smith.rows.keys) > 1:
        await asyncio.sleep(0)
    assert smith.under == {rotated.key.id}


async def test_what_nothing_opens_keeps_its_key_until_it_is_removed() -> None:
    smith = Locksmith()
    broken, *_ = await smith.moved_in()
    (old,) = smith.rows.keys
    smith.rows.credentials[broken.id] = replace(broken, version=7), smith.rows.credentials[broken.id][1]
    rotated = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (rotated.resealed, rotated.remaining) == (2, 1)
    assert set(smith.rows.keys) == {old, rotated.key.id}
    del smith.rows.credentials[broken.id]
    resumed = await smith.rotation.rotate_tenant_key(smith.actor())
    assert (resumed.created, resumed.remaining, list(smith.rows.keys)) == (False, 0, [rotated.key.id])


async def test_more_credentials_than_a_page_holds_all_move() -> None:
    smith = Locksmith(credentials=250)
    await smith.moved_in()
    assert (await smith.rotation.rotate_tenant_key(smith.actor())).resealed == 250


async def test_one_that_is_replaced_or_removed_meanwhile_is_left_to_who_did() -> None:
    smith = Locksmith()
    replaced, removed, _ = await smith.moved_in()
    (old,) = smith.rows.keys
    smith.vault.gate.clear()
    rotating = asyncio.create_task(smith.rotation.rotate_tenant_key(smith.actor()))
    while len(smith.rows.keys) == 1:
        await asyncio.sleep(0)
    newer = replace(replaced, version=2)
    sealed = await FakeVault().seal(smith.rows.keys[old], SealContext.of(newer), {"key": Secret("new")})
    smith.rows.credentials[newer.id] = newer, sealed
    del smith.rows.credentials[removed.id]
    smith.vault.gate.set()
    rotated = await rotating
    assert (rotated.resealed, rotated.remaining) == (2, 0)
    async with smith.store.begin(TENANT) as work:
        opening = await work.envelopes.one(replaced.id)
    assert await FakeVault().open(opening.key, opening.context, opening.sealed) == {"key": Secret("new")}


@pytest.mark.parametrize("many", [1, 3])
async def test_forms_whose_key_is_shredded_before_they_are_stored_are_sealed_again(many: int) -> None:
    smith = Locksmith(credentials=0)
    await smith.moved_in()
    credentials = [a_credential(TENANT, str(n)) for n in range(many)]

    class SlowVault(FakeVault):
        async def seal(self, key: TenantKey, context: SealContext, values: FormValues) -> Sealed:
            sealed = await super().seal(key, context, values)
            if not rotated:
                rotated.append(await smith.rotation.renew(TENANT))
            return sealed

    async def store(work: Work, envelopes: Sequence[Sealed]) -> None:
        for credential, sealed in zip(credentials, envelopes, strict=True):
            await work.credentials.add(credential, sealed)

    rotated: list[object] = []
    forms = [(SealContext.of(credential), FORM) for credential in credentials]
    await all_sealed_into(smith.store.begin, SlowVault(), TENANT, forms, store)
    assert (len(smith.rows.credentials), smith.under) == (many, set(smith.rows.keys))
    assert await smith.all_open()


async def test_rotating_needs_its_scope_and_a_tenant() -> None:
    smith = Locksmith()
    with pytest.raises(Forbidden):
        await smith.rotation.rotate_tenant_key(smith.actor(Scope.TENANT_READ))
    with pytest.raises(Forbidden):
        await smith.rotation.keys(smith.actor(Scope.KEYS_ROTATE), smith.actor().tenant_id)
    for attempt in (smith.rotation.rotate_tenant_key(smith.actor()), smith.rotation.renew(TENANT)):
        with pytest.raises(NotFound):
            await attempt
    assert smith.rows.keys == {}


def test_a_new_keys_id_sorts_behind_the_old_ones_whatever_the_clock_says() -> None:
    early, late = UUID(int=5), UUID(int=8)
    assert behind(early, late) == late
    assert behind(late, early) == UUID(int=9)


def test_an_id_tells_when_it_was_made() -> None:
    """The example of RFC 9562, appendix A.6."""
    assert made_at(UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


async def rewrapped(smith: Locksmith) -> Rewrapped:
    passes = [state async for state in smith.rotation.rewrap()]
    return passes[-1]


async def test_every_tenants_keys_are_wrapped_under_the_new_master_key() -> None:
    smith = Locksmith(credentials=1)
    tenants = [TenantId(UUID(int=n)) for n in range(1, 121)]
    for tenant_id in tenants:
        await smith.moved_in(tenant_id)
    smith.vault.master_key_id = "new"
    passes = [state async for state in smith.rotation.rewrap()]
    assert [state.keys for state in passes] == [100, 120]
    assert passes[-1].under == {"new": 120}
    assert {key.master_key_id for rows in smith.store.rows.values() for key in rows.keys.values()} == {"new"}
    assert await rewrapped(smith) == Rewrapped(0, 0, {"new": 120})
    assert await smith.all_open()


async def test_the_keys_of_audits_are_wrapped_anew_as_well() -> None:
    smith = Locksmith(credentials=0)
    await smith.moved_in()
    await smith.rotation.renew(TENANT)
    smith.vault.master_key_id = "new"
    assert await rewrapped(smith) == Rewrapped(1, 0, {"new": 1, "fake": 1})
    smith.store.master_key_id = "new"
    assert await rewrapped(smith) == Rewrapped(0, 1, {"new": 1})


async def test_a_key_that_cannot_be_unwrapped_stays_and_counts() -> None:
    smith = Locksmith(credentials=0)
    await smith.moved_in()
    await smith.moved_in(TenantId(UUID(int=2)))
    (key,) = smith.rows.keys.values()
    smith.rows.keys[key.id] = replace(key, wrapped_private=b"broken", master_key_id="lost")
    smith.vault.master_key_id = "new"
    assert await rewrapped(smith) == Rewrapped(1, 0, {"new": 1, "lost": 1})
    with pytest.raises(CredentialUnreadable):
        await smith.vault.rewrapped(smith.rows.keys[key.id])


async def test_the_issuers_keys_come_first_and_one_that_cannot_be_unwrapped_counts() -> None:
    smith = Locksmith(credentials=0)
    rotation = replace(smith.rotation, signer=FakeSigner(wrapped=2, lost={"lost": 1}))
    await smith.moved_in()
    passes = [state async for state in rotation.rewrap()]
    assert passes == [Rewrapped(2, 0, {"fake": 0, "lost": 1}), Rewrapped(2, 0, {"fake": 1, "lost": 1})]


async def test_a_tenant_amid_a_rotation_of_its_own_counts_under_each_master_key_it_needs() -> None:
    smith = Locksmith(credentials=1)
    await smith.moved_in()
    smith.vault.master_key_id, smith.vault.breaks_at = "new", 0
    smith.store.master_key_id = "new"
    with pytest.raises(ConnectionError):
        await smith.rotation.renew(TENANT)
    assert sorted(key.master_key_id for key in smith.rows.keys.values()) == ["fake", "new"]
    assert await rewrapped(smith) == Rewrapped(1, 0, {"new": 1})
    smith.vault.breaks_at = None
    assert (await smith.rotation.renew(TENANT)).remaining == 0
    assert await smith.all_open()
