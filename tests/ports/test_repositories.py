"""What every unit of work promises, in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.errors import DuplicateName, NotFound
from domain.model.cap import Period
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import ClientId, CredentialId, KeyId, TenantId
from domain.model.quota import Outcome, PotKind, Terms, Unit
from domain.model.selection import KeySource
from domain.model.tenant import Tenant, TenantKey
from tests.belongings import (
    GRANTED,
    MODEL,
    NOW,
    a_cap,
    a_client,
    a_credential,
    a_grant,
    a_hold,
    a_key,
    a_pot,
    a_record,
    a_token,
    as_stored,
    sealed,
    settled_in,
)
from tests.stores import Store


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


@pytest.fixture
async def key(store: Store, tenant: Tenant) -> TenantKey:
    key = a_key(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.keys.add(key)
    return key


async def test_a_tenant_reads_back_as_it_was_written(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        assert await work.tenants.one() == tenant


async def test_a_tenant_that_was_never_opened_is_not_found(store: Store) -> None:
    async with store.begin(TenantId(uuid7())) as work:
        with pytest.raises(NotFound):
            await work.tenants.one()
        with pytest.raises(NotFound):
            await work.keys.newest()


async def test_new_credentials_are_sealed_under_the_newest_key(store: Store, tenant: Tenant) -> None:
    older, newer = a_key(tenant.id), a_key(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.keys.add(newer)
        await work.keys.add(older)
        assert await work.keys.newest() == newer
        assert await work.keys.one(older.id) == older
        with pytest.raises(NotFound):
            await work.keys.one(KeyId(uuid7()))


async def test_clients_and_tokens_read_back_as_they_were_written(store: Store, tenant: Tenant) -> None:
    client = a_client(tenant.id)
    token = a_token(client)
    async with store.begin(tenant.id) as work:
        await work.clients.add(client)
        await work.tokens.add(token)
    async with store.begin(tenant.id) as work:
        assert await work.clients.one(client.id) == client
        assert await work.tokens.one(token.digest) == token
        with pytest.raises(NotFound, match="client"):
            await work.clients.one(ClientId(uuid7()))
        with pytest.raises(NotFound, match="token"):
            await work.tokens.one(b"\x02" * 32)


@pytest.mark.parametrize("model", [None, ModelRef("acme", "own/llama", ModelType.EMBEDDING)])
async def test_a_credential_reads_back_with_its_sealed_form(
    store: Store, tenant: Tenant, key: TenantKey, model: ModelRef | None
) -> None:
    credential = a_credential(tenant.id, model=model)
    async with store.begin(tenant.id) as work:
        await work.credentials.add(credential, sealed(key))
    async with store.begin(tenant.id) as work:
        assert await work.credentials.one(credential.id) == credential
        assert await work.credentials.sealed(credential.id) == sealed(key)


async def test_a_moment_comes_back_in_utc(store: Store, tenant: Tenant, key: TenantKey) -> None:
    credential = a_credential(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.credentials.add(credential, sealed(key))
    async with store.begin(tenant.id) as work:
        found = await work.credentials.one(credential.id)
    assert found.created_at.utcoffset() == timedelta(0)


async def test_a_name_is_taken_once_per_provider(store: Store, tenant: Tenant, key: TenantKey) -> None:
    first = a_credential(tenant.id, "main")
    async with store.begin(tenant.id) as work:
        await work.credentials.add(first, sealed(key))
        with pytest.raises(DuplicateName, match="main"):
            await work.credentials.add(a_credential(tenant.id, "main"), sealed(key))
        elsewhere = a_credential(tenant.id, "main", provider="other")
        await work.credentials.add(elsewhere, sealed(key))
    async with store.begin(tenant.id) as work:
        assert list(await work.credentials.page(first=10)) == [first, elsewhere]


async def test_credentials_are_paged_by_id(store: Store, tenant: Tenant, key: TenantKey) -> None:
    made = [a_credential(tenant.id, str(n), provider="even" if n % 2 == 0 else "odd") for n in range(5)]
    async with store.begin(tenant.id) as work:
        for credential in reversed(made):
            await work.credentials.add(credential, sealed(key))
        page = work.credentials.page
        assert list(await page(first=2)) == made[:2]
        assert list(await page(first=2, after=made[1].id)) == made[2:4]
        assert list(await page(first=9, after=made[0].id, provider="even")) == [made[2], made[4]]
        assert list(await page(first=9, after=made[4].id)) == []


async def test_a_removed_credential_is_gone_with_its_sealed_form(store: Store, tenant: Tenant, key: TenantKey) -> None:
    credential = a_credential(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.credentials.add(credential, sealed(key))
        await work.credentials.remove(credential.id)
    async with store.begin(tenant.id) as work:
        for gone in (work.credentials.one, work.credentials.sealed, work.credentials.remove):
            with pytest.raises(NotFound, match="credential"):
                await gone(credential.id)


async def test_a_choice_replaces_the_one_before(store: Store, tenant: Tenant) -> None:
    better = ModelRef("other", "better", ModelType.LLM)
    vectors = ModelRef("acme", "vectors", ModelType.EMBEDDING)
    async with store.begin(tenant.id) as work:
        for model in (MODEL, vectors, better):
            await work.choices.put_default(model)
        await work.choices.put_preferred("acme", KeySource.OWN)
        await work.choices.put_preferred("acme", KeySource.PLATFORM)
    async with store.begin(tenant.id) as work:
        assert await work.choices.defaults() == {ModelType.LLM: better, ModelType.EMBEDDING: vectors}
        assert await work.choices.preferred() == {"acme": KeySource.PLATFORM}


async def test_clearing_a_default_leaves_the_others(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        await work.choices.put_default(MODEL)
        await work.choices.clear_default(ModelType.EMBEDDING)
        assert await work.choices.defaults() == {ModelType.LLM: MODEL}
        await work.choices.clear_default(ModelType.LLM)
        assert await work.choices.defaults() == {}


async def test_pots_come_in_spending_order(store: Store, tenant: Tenant) -> None:
    kinds = (PotKind.TRIAL, PotKind.PAID, PotKind.FREE, PotKind.PAID)
    trial, paid, free, paid_later = (a_pot(tenant.id, kind=kind) for kind in kinds)
    async with store.begin(tenant.id) as work:
        for pot in (trial, paid_later, free, paid):
            await work.pots.add(pot)
        assert list(await work.pots.all()) == [paid, paid_later, free, trial]


async def test_a_pot_may_be_unlimited_or_huge(store: Store, tenant: Tenant) -> None:
    unlimited = a_pot(tenant.id, granted=None)
    huge = replace(a_pot(tenant.id, granted=2**62, unit=Unit.TOKENS), used=2**61)
    async with store.begin(tenant.id) as work:
        await work.pots.add(unlimited)
        await work.pots.add(huge)
    async with store.begin(tenant.id) as work:
        assert list(await work.pots.all()) == [unlimited, huge]


async def test_a_pot_reads_back_with_its_terms(store: Store, tenant: Tenant) -> None:
    listed = (MODEL, ModelRef("other", "own/llama", ModelType.EMBEDDING))
    for terms in (Terms(), Terms(models=()), Terms(listed, {str(MODEL): 3, "other/own/llama": 2**40})):
        pot = replace(a_pot(tenant.id), provider=None, terms=terms)
        async with store.begin(tenant.id) as work:
            await work.pots.add(pot)
        assert await as_stored(store.begin, pot) == pot


@pytest.mark.parametrize("period", Period)
async def test_a_caps_window_reads_back_as_it_was_opened(store: Store, tenant: Tenant, period: Period) -> None:
    cap = a_cap(tenant.id, 10, period)
    window = cap.window(NOW)
    await store.cap(cap)
    await store.ledger.hold(a_hold((window, 1)))
    assert await as_stored(store.begin, window) == replace(window, held=1)


async def test_grants_are_paged_newest_first(store: Store, tenant: Tenant) -> None:
    pot = a_pot(tenant.id)
    made = [a_grant(pot, amount) for amount in (5, -3, 2**40, None)]
    for grant in made:
        await store.ledger.grant(grant, pot, GRANTED)
    newest_first = list(reversed(made))
    async with store.begin(tenant.id) as work:
        assert list(await work.grants.page(first=9)) == newest_first
        assert list(await work.grants.page(first=2)) == newest_first[:2]
        assert list(await work.grants.page(first=2, after=made[2].id)) == newest_first[2:]
        assert list(await work.grants.page(first=2, after=made[0].id)) == []
    stranger = await settled_in(store.begin)
    async with store.begin(stranger.id) as work:
        assert list(await work.grants.page(first=9)) == []


async def test_uses_count_what_succeeded_since(store: Store, tenant: Tenant) -> None:
    rare = ModelRef("acme", "rare", ModelType.LLM)
    day = timedelta(days=1)
    for model, outcome, at in (
        (MODEL, Outcome.SUCCEEDED, NOW),
        (MODEL, Outcome.SUCCEEDED, NOW - day),
        (MODEL, Outcome.SUCCEEDED, NOW - day - timedelta(seconds=1)),
        (MODEL, Outcome.BROKEN, NOW),
        (rare, Outcome.SUCCEEDED, NOW),
    ):
        await store.ledger.settle(a_record(tenant.id, outcome=outcome, model=model, at=at))
    async with store.begin(tenant.id) as work:
        assert await work.records.uses(NOW - day) == {MODEL: 2, rare: 1}


async def test_a_failing_unit_of_work_leaves_nothing(store: Store, tenant: Tenant) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.begin(tenant.id) as work:
            await work.choices.put_default(MODEL)
            await work.keys.add(a_key(tenant.id))
            _ = 1 // 0
    async with store.begin(tenant.id) as work:
        assert await work.choices.defaults() == {}
        with pytest.raises(NotFound):
            await work.keys.newest()


async def test_another_tenant_reads_nothing_of_it(store: Store, tenant: Tenant, key: TenantKey) -> None:
    credential = a_credential(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.credentials.add(credential, sealed(key))
    stranger = await settled_in(store.begin)
    async with store.begin(stranger.id) as work:
        assert list(await work.credentials.page(first=10)) == []
        with pytest.raises(NotFound) as foreign:
            await work.credentials.one(credential.id)
        with pytest.raises(NotFound) as unknown:
            await work.credentials.one(CredentialId(uuid7()))
    assert str(foreign.value) == str(unknown.value)
