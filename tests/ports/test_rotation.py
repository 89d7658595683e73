"""What keys, envelopes and the roll call promise to a rotation, in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from domain.errors import NotFound
from domain.model.credential import Credential, Opening, SealContext, Sealed
from domain.model.ids import CredentialId, KeyId, TenantId
from domain.model.tenant import Tenant, TenantKey
from domain.usecases.rotation import Rotation
from infrastructure.background import Detached
from tests.belongings import a_client, a_credential, a_hold, a_key, a_pot, a_record, a_token, sealed, settled_in
from tests.fakes import FakeVault
from tests.stores import Store


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


@pytest.fixture
async def old(store: Store, tenant: Tenant) -> TenantKey:
    return await laid(store, a_key(tenant.id))


async def laid(store: Store, key: TenantKey) -> TenantKey:
    async with store.begin(key.tenant_id) as work:
        await work.keys.add(key)
    return key


async def stored(store: Store, key: TenantKey, name: str = "key") -> Credential:
    credential = a_credential(key.tenant_id, name)
    async with store.begin(key.tenant_id) as work:
        await work.credentials.add(credential, sealed(key))
    return credential


def opening(credential: Credential, key: TenantKey) -> Opening:
    return Opening(SealContext.of(credential), sealed(key), key)


async def test_an_envelope_comes_with_its_key_and_what_it_is_bound_to(store: Store, old: TenantKey) -> None:
    credential = await stored(store, old)
    await laid(store, a_key(old.tenant_id))
    async with store.begin(old.tenant_id) as work:
        assert await work.envelopes.one(credential.id) == opening(credential, old)
        with pytest.raises(NotFound, match="credential"):
            await work.envelopes.one(CredentialId(uuid7()))


async def test_envelopes_are_listed_and_counted_by_their_key(store: Store, old: TenantKey) -> None:
    first, second = await stored(store, old, "one"), await stored(store, old, "two")
    new = await laid(store, a_key(old.tenant_id))
    third = await stored(store, new, "three")
    async with store.begin(old.tenant_id) as work:
        assert list(await work.envelopes.under(old.id, first=9)) == [opening(first, old), opening(second, old)]
        assert list(await work.envelopes.under(old.id, first=1)) == [opening(first, old)]
        assert list(await work.envelopes.under(new.id, first=9)) == [opening(third, new)]
        assert await work.envelopes.counts() == {old.id: 2, new.id: 1}


async def test_an_envelope_is_put_in_place_of_what_it_was_made_from_and_of_nothing_else(
    store: Store, old: TenantKey
) -> None:
    credential = await stored(store, old)
    new = await laid(store, a_key(old.tenant_id))
    before, after = opening(credential, old), Sealed(new.id, b"\x01anew\x00")
    replaced = replace(before, context=replace(before.context, version=2))
    removed = replace(before, context=replace(before.context, credential_id=CredentialId(uuid7())))
    async with store.begin(old.tenant_id) as work:
        assert not await work.envelopes.reseal(replaced, after)
        assert not await work.envelopes.reseal(removed, after)
        assert await work.envelopes.reseal(before, after)
        assert not await work.envelopes.reseal(before, after)
    async with store.begin(old.tenant_id) as work:
        assert await work.envelopes.one(credential.id) == Opening(before.context, after, new)
        assert await work.credentials.one(credential.id) == credential


async def test_keys_come_oldest_first(store: Store, tenant: Tenant) -> None:
    older, newer = a_key(tenant.id), a_key(tenant.id)
    await laid(store, newer)
    await laid(store, older)
    async with store.begin(tenant.id) as work:
        assert list(await work.keys.all()) == [older, newer]


async def test_a_key_succeeds_the_newest_alone(store: Store, old: TenantKey) -> None:
    new, late = a_key(old.tenant_id), a_key(old.tenant_id)
    async with store.begin(old.tenant_id) as work:
        assert await work.keys.succeed(old.id, new)
        assert not await work.keys.succeed(old.id, late)
        assert not await work.keys.succeed(KeyId(uuid7()), late)
        assert list(await work.keys.all()) == [old, new]


async def test_only_a_key_that_is_there_can_be_pinned(store: Store, old: TenantKey) -> None:
    async with store.begin(old.tenant_id) as work:
        assert await work.keys.pin(old.id)
        assert not await work.keys.pin(KeyId(uuid7()))


async def test_a_key_is_shredded_when_nothing_is_sealed_under_it(store: Store, old: TenantKey) -> None:
    credential = await stored(store, old)
    new = await laid(store, a_key(old.tenant_id))
    async with store.begin(old.tenant_id) as work:
        assert await work.keys.shred(old.id) is None
        assert await work.envelopes.reseal(opening(credential, old), sealed(new))
        assert await work.keys.shred(old.id) == 1
        assert await work.keys.shred(old.id) == 0
    async with store.begin(old.tenant_id) as work:
        assert list(await work.keys.all()) == [new]
        assert await work.credentials.one(credential.id) == credential


async def test_a_wrapping_is_put_in_place_of_the_one_it_was_made_from(store: Store, old: TenantKey) -> None:
    newer = replace(old, wrapped_private=b"\xfeanew", master_key_id="master-2")
    newest = replace(old, wrapped_private=b"\xfdagain", master_key_id="master-3")
    async with store.begin(old.tenant_id) as work:
        assert await work.keys.rewrap(old, newer)
        assert not await work.keys.rewrap(old, newest)
        assert await work.keys.one(old.id) == newer
        assert not await work.keys.rewrap(a_key(old.tenant_id), newest)


async def test_the_roll_call_has_every_tenant_once_in_pages(store: Store) -> None:
    tenants = [(await settled_in(store.begin)).id for _ in range(5)]
    first = await store.roll_call(first=2, after=tenants[0])
    assert list(first) == tenants[1:3]
    assert list(await store.roll_call(first=9, after=first[-1])) == tenants[3:]
    assert list(await store.roll_call(first=9, after=tenants[-1])) == []
    everyone = list(await store.roll_call(first=10_000))
    assert everyone == sorted(everyone)
    assert set(tenants) <= set(everyone)


async def test_a_rotation_runs_on_every_store(store: Store, tenant: Tenant) -> None:
    vault = FakeVault()
    await laid(store, await vault.keypair(tenant.id, KeyId(uuid7())))
    rotation = Rotation(store.begin, vault, store.roll_call, Detached(), uuid7)
    async with store.begin(tenant.id) as work:
        key = await work.keys.newest()
    for number in range(3):
        credential = a_credential(tenant.id, str(number))
        form = await vault.seal(key, SealContext.of(credential), {"region": "eu"})
        async with store.begin(tenant.id) as work:
            await work.credentials.add(credential, form)
    rotated = await rotation.renew(tenant.id)
    assert (rotated.created, rotated.resealed, rotated.remaining) == (True, 3, 0)
    async with store.begin(tenant.id) as work:
        (new,) = await work.keys.all()
        for each in await work.envelopes.under(new.id, first=9):
            assert await vault.open(each.key, each.context, each.sealed) == {"region": "eu"}
    vault.master_key_id = "another"
    async for _ in rotation.rewrap():
        pass
    async with store.begin(tenant.id) as work:
        assert [key.master_key_id for key in await work.keys.all()] == ["another"]


async def test_a_closed_tenant_has_left_nothing(store: Store, old: TenantKey) -> None:
    tenant_id = old.tenant_id
    client, pot, other = a_client(tenant_id), a_pot(tenant_id), await settled_in(store.begin)
    await stored(store, old)
    async with store.begin(tenant_id) as work:
        await work.clients.add(client)
        await work.tokens.add(a_token(client))
        await work.pots.add(pot)
    hold = a_hold((pot, 1))
    await store.ledger.hold(hold)
    done = a_record(tenant_id)
    await store.ledger.settle(done, incident="noted")
    async with store.begin(tenant_id) as work:
        await work.tenants.close()
    async with store.begin(tenant_id) as work:
        with pytest.raises(NotFound, match="tenant"):
            await work.tenants.one()
        with pytest.raises(NotFound, match="tenant"):
            await work.tenants.close()
        for rows in (work.keys.all, work.envelopes.counts, work.pots.all):
            assert not await rows()
        assert not await work.credentials.page(first=9)
        with pytest.raises(NotFound):
            await work.clients.one(client.id)
    assert await store.state(tenant_id, hold.id) is None
    assert await store.outcome(tenant_id, done.id) is None
    assert await store.incident(tenant_id, done.id) is None
    assert tenant_id not in await store.roll_call(first=10_000)
    async with store.begin(other.id) as work:
        assert await work.tenants.one() == other


async def test_a_call_that_ends_after_its_tenant_was_closed_leaves_nothing(store: Store, tenant: Tenant) -> None:
    pot = a_pot(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.pots.add(pot)
    metered, released = a_hold((pot, 1)), a_hold((pot, 1))
    await store.ledger.hold(metered)
    await store.ledger.hold(released)
    async with store.begin(tenant.id) as work:
        await work.tenants.close()
    record = a_record(tenant.id, metered.id)
    await store.ledger.settle(record, incident="the vendor said nothing")
    await store.ledger.settle(record)
    await store.ledger.settle(a_record(tenant.id))
    await store.ledger.release(tenant.id, released.id)
    assert await store.outcome(tenant.id, record.id) is None
    assert await store.incident(tenant.id, record.id) is None
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound):
            await work.tenants.one()
        assert not await work.pots.all()


async def test_a_tenant_that_was_never_opened_cannot_be_closed(store: Store) -> None:
    async with store.begin(TenantId(uuid7())) as work:
        with pytest.raises(NotFound, match="tenant"):
            await work.tenants.close()
