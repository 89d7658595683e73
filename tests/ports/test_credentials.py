"""What stores promise of credentials and their rests, in memory, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.errors import ChangedMeanwhile, DuplicateName, NotFound
from domain.model.catalogue import ModelRef, ModelType
from domain.model.credential import Cooling, Credential, Sealed
from domain.model.ids import CredentialId
from domain.model.tenant import TenantKey
from tests.belongings import NOW, a_credential, a_key, sealed, settled_in
from tests.stores import Store

LLAMA, OTHER = ModelRef("acme", "llama", ModelType.LLM), ModelRef("acme", "other", ModelType.LLM)


@pytest.fixture
async def key(store: Store) -> TenantKey:
    """The key of a tenant that is stored."""
    key = a_key((await settled_in(store.begin)).id)
    async with store.begin(key.tenant_id) as work:
        await work.keys.add(key)
    return key


async def stored(store: Store, key: TenantKey, *made: Credential) -> None:
    async with store.begin(key.tenant_id) as work:
        for credential in made:
            await work.credentials.add(credential, sealed(key))


async def test_weight_and_activity_read_back(store: Store, key: TenantKey) -> None:
    credential = replace(a_credential(key.tenant_id), weight=100, active=False)
    await stored(store, key, credential)
    async with store.begin(key.tenant_id) as work:
        assert await work.credentials.one(credential.id) == credential


async def test_a_name_is_taken_once_per_scope(store: Store, key: TenantKey) -> None:
    wide = a_credential(key.tenant_id, "main")
    narrow = a_credential(key.tenant_id, "main", model=LLAMA)
    await stored(store, key, wide, narrow, a_credential(key.tenant_id, "main", model=OTHER))
    with pytest.raises(DuplicateName):
        await stored(store, key, a_credential(key.tenant_id, "main", model=LLAMA))


async def test_those_of_one_scope_are_found_oldest_first(store: Store, key: TenantKey) -> None:
    wide = [a_credential(key.tenant_id, name) for name in "ab"]
    narrow = a_credential(key.tenant_id, "c", model=LLAMA)
    elsewhere = a_credential(key.tenant_id, "d", provider="other")
    await stored(store, key, wide[1], narrow, elsewhere, wide[0])
    async with store.begin(key.tenant_id) as work:
        assert list(await work.credentials.alike("acme", "")) == wide
        assert list(await work.credentials.alike("acme", narrow.scope)) == [narrow]
        assert list(await work.credentials.alike("acme", "llm:unknown")) == []


async def test_some_are_found_by_their_ids_and_unknown_ids_are_left_out(store: Store, key: TenantKey) -> None:
    a, b, c = (a_credential(key.tenant_id, name) for name in "abc")
    await stored(store, key, a, b, c)
    async with store.begin(key.tenant_id) as work:
        found = await work.credentials.some({a.id, c.id, CredentialId(uuid7())})
        assert sorted(each.name for each in found) == ["a", "c"]
        assert await work.credentials.some(()) == []


async def test_pages_are_narrowed_to_what_reaches_a_model_and_to_what_is_active(store: Store, key: TenantKey) -> None:
    wide, idle = a_credential(key.tenant_id, "a"), replace(a_credential(key.tenant_id, "b"), active=False)
    narrow = a_credential(key.tenant_id, "c", model=LLAMA)
    await stored(store, key, wide, idle, narrow, a_credential(key.tenant_id, "d", provider="other"))
    async with store.begin(key.tenant_id) as work:
        page = work.credentials.page
        assert list(await page(first=9, model=LLAMA)) == [wide, idle, narrow]
        assert list(await page(first=9, model=OTHER)) == [wide, idle]
        assert list(await page(first=9, active=False)) == [idle]
        assert list(await page(first=1, model=LLAMA, active=True, after=wide.id)) == [narrow]


async def test_a_credential_is_written_anew_and_keeps_its_sealed_form(store: Store, key: TenantKey) -> None:
    before = a_credential(key.tenant_id)
    await stored(store, key, before)
    after = replace(before, name="renamed", weight=0, active=False, proved_at=NOW + timedelta(days=1))
    async with store.begin(key.tenant_id) as work:
        await work.credentials.put(after, version=1)
    async with store.begin(key.tenant_id) as work:
        assert await work.credentials.one(before.id) == after
        assert await work.credentials.sealed(before.id) == sealed(key)


async def test_a_new_version_comes_with_its_sealed_form(store: Store, key: TenantKey) -> None:
    before = a_credential(key.tenant_id)
    await stored(store, key, before)
    after = replace(before, version=2, public={"base": "https://b"}, masked={"key": "••••"}, endpoint="https://b:443")
    envelope = Sealed(key.id, b"\x01another\x00")
    async with store.begin(key.tenant_id) as work:
        await work.credentials.put(after, envelope, version=1)
    async with store.begin(key.tenant_id) as work:
        assert await work.credentials.one(before.id) == after
        assert await work.credentials.sealed(before.id) == envelope


async def test_another_version_is_not_overwritten(store: Store, key: TenantKey) -> None:
    before = replace(a_credential(key.tenant_id), version=2)
    await stored(store, key, before)
    with pytest.raises(ChangedMeanwhile, match="credential"):
        async with store.begin(key.tenant_id) as work:
            await work.credentials.put(replace(before, name="x"), Sealed(key.id, b"x"), version=1)
    async with store.begin(key.tenant_id) as work:
        assert await work.credentials.one(before.id) == before
        assert await work.credentials.sealed(before.id) == sealed(key)
        with pytest.raises(NotFound, match="credential"):
            await work.credentials.put(a_credential(key.tenant_id), version=1)


async def test_a_taken_name_cannot_be_taken_by_a_change(store: Store, key: TenantKey) -> None:
    taken, other = a_credential(key.tenant_id, "taken"), a_credential(key.tenant_id, "other")
    await stored(store, key, taken, other, a_credential(key.tenant_id, "free", model=LLAMA))
    with pytest.raises(DuplicateName, match="taken"):
        async with store.begin(key.tenant_id) as work:
            await work.credentials.put(replace(other, name="taken"), version=1)
    async with store.begin(key.tenant_id) as work:
        await work.credentials.put(replace(other, name="free"), version=1)
        await work.credentials.put(taken, version=1)


async def test_those_who_change_one_scope_at_once_take_turns(store: Store, key: TenantKey) -> None:
    made = [a_credential(key.tenant_id, name) for name in "abcdef"]
    await stored(store, key, *made)

    async def only(chosen: Credential) -> None:
        async with store.begin(key.tenant_id) as work:
            for each in await work.credentials.alike("acme", ""):
                await asyncio.sleep(0)
                await work.credentials.put(replace(each, active=each.id == chosen.id), version=1)

    await asyncio.gather(*map(only, made))
    async with store.begin(key.tenant_id) as work:
        assert len(await work.credentials.page(first=9, active=True)) == 1


async def test_the_later_rest_replaces_the_earlier_until_it_is_cleared(store: Store, key: TenantKey) -> None:
    tired, other = a_credential(key.tenant_id, "tired"), a_credential(key.tenant_id, "other")
    await stored(store, key, tired, other)
    rests = [Cooling(tired.id, NOW + timedelta(hours=hours), f"REASON_{hours}") for hours in (2, 1)]
    async with store.begin(key.tenant_id) as work:
        for rest in rests:
            await work.coolings.put(rest)
        await work.coolings.put(Cooling(other.id, NOW, "OTHER"))
    async with store.begin(key.tenant_id) as work:
        assert sorted(await work.coolings.all(), key=lambda c: c.until) == [Cooling(other.id, NOW, "OTHER"), rests[1]]
        await work.coolings.clear(tired.id)
        await work.coolings.clear(tired.id)
        assert list(await work.coolings.all()) == [Cooling(other.id, NOW, "OTHER")]


async def test_a_rest_goes_with_its_credential_and_none_is_kept_of_one_that_is_gone(
    store: Store, key: TenantKey
) -> None:
    gone = a_credential(key.tenant_id)
    await stored(store, key, gone)
    async with store.begin(key.tenant_id) as work:
        await work.coolings.put(Cooling(gone.id, NOW, "TIRED"))
        await work.credentials.remove(gone.id)
    async with store.begin(key.tenant_id) as work:
        await work.coolings.put(Cooling(gone.id, NOW, "TIRED"))
        await work.coolings.put(Cooling(CredentialId(uuid7()), NOW, "TIRED"))
        assert list(await work.coolings.all()) == []


async def test_another_tenant_changes_nothing_of_it(store: Store, key: TenantKey) -> None:
    mine = a_credential(key.tenant_id)
    await stored(store, key, mine)
    stranger = await settled_in(store.begin)
    async with store.begin(stranger.id) as work:
        assert list(await work.credentials.alike("acme", "")) == []
        await work.coolings.put(Cooling(mine.id, NOW, "TIRED"))
        with pytest.raises(NotFound, match="credential"):
            await work.credentials.put(replace(mine, name="theirs"), version=1)
    async with store.begin(key.tenant_id) as work:
        assert await work.credentials.one(mine.id) == mine
        assert list(await work.coolings.all()) == []
