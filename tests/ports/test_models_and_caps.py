"""What the repositories of a tenant's own models, of its switches, its caps and its resting keys promise."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from uuid_utils.compat import uuid7

from domain.errors import DuplicateName, NotFound
from domain.model.cap import Period
from domain.model.catalogue import Feature, ModelRef, ModelType, Price
from domain.model.credential import Cooling
from domain.model.custom_model import CustomModel
from domain.model.ids import CapId
from domain.model.tenant import Tenant
from tests.belongings import MODEL, NOW, a_cap, a_credential, a_key, sealed, settled_in
from tests.stores import Store

EARS = ModelRef("acme", "ears:7b", ModelType.SPEECH_TO_TEXT)


@pytest.fixture
async def tenant(store: Store) -> Tenant:
    return await settled_in(store.begin)


def described(tenant: Tenant) -> CustomModel:
    price = Price(Decimal("0.000000001"), None, 1_000_000, "EUR")
    features = frozenset({Feature.TOOLS, Feature.VISION})
    return CustomModel(tenant.id, MODEL, "Best of all", NOW, features, 2**31, 100, None, price, True)


async def test_a_model_comes_back_as_it_went_in(store: Store, tenant: Tenant) -> None:
    bare = CustomModel(tenant.id, EARS, "Ears", NOW)
    async with store.begin(tenant.id) as work:
        assert await work.models.add(described(tenant))
        assert await work.models.add(bare)
    async with store.begin(tenant.id) as work:
        assert list(await work.models.custom()) == [described(tenant), bare]


async def test_a_model_is_added_once_and_the_first_stays(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        assert await work.models.add(described(tenant))
        assert not await work.models.add(replace(described(tenant), label="Another"))
        assert [model.label for model in await work.models.custom()] == ["Best of all"]


async def test_names_are_one_per_type(store: Store, tenant: Tenant) -> None:
    twin = replace(described(tenant), ref=replace(MODEL, type=ModelType.EMBEDDING))
    async with store.begin(tenant.id) as work:
        assert await work.models.add(described(tenant))
        assert await work.models.add(twin)
        await work.models.remove(MODEL)
        assert [model.ref for model in await work.models.custom()] == [twin.ref]


async def test_what_is_not_there_cannot_be_removed(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        with pytest.raises(NotFound, match="model"):
            await work.models.remove(MODEL)


async def test_a_model_is_switched_off_and_on_however_often(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        await work.models.disable(MODEL, NOW)
        await work.models.disable(MODEL, NOW + timedelta(days=1))
        await work.models.disable(EARS, NOW)
        assert await work.models.disabled() == {MODEL, EARS}
        await work.models.enable(MODEL)
        await work.models.enable(MODEL)
        assert await work.models.disabled() == {EARS}


async def test_a_cap_is_kept_changed_and_lifted(store: Store, tenant: Tenant) -> None:
    cap = a_cap(tenant.id)
    async with store.begin(tenant.id) as work:
        await work.caps.put(cap)
        await work.caps.put(replace(cap, amount=0))
    async with store.begin(tenant.id) as work:
        assert await work.caps.one(cap.id) == replace(cap, amount=0)
        assert list(await work.caps.all()) == [replace(cap, amount=0)]
        await work.caps.remove(cap.id)
        assert list(await work.caps.all()) == []


async def test_a_subject_has_one_cap_per_unit_and_period(store: Store, tenant: Tenant) -> None:
    cap = a_cap(tenant.id)
    again = replace(cap, id=CapId(uuid7()))
    other = replace(again, period=Period.NEVER if cap.period is not Period.NEVER else Period.DAY)
    async with store.begin(tenant.id) as work:
        await work.caps.put(cap)
        with pytest.raises(DuplicateName):
            await work.caps.put(again)
        await work.caps.put(other)
        assert len(await work.caps.all()) == 2


async def test_an_unknown_cap_is_not_found(store: Store, tenant: Tenant) -> None:
    async with store.begin(tenant.id) as work:
        for asked in (work.caps.one, work.caps.remove):
            with pytest.raises(NotFound, match="cap"):
                await asked(CapId(uuid7()))


async def test_a_credential_rests_until_its_last_rest_ends_and_forgets_it_when_it_goes(
    store: Store, tenant: Tenant
) -> None:
    key, credential = a_key(tenant.id), a_credential(tenant.id)
    rest = Cooling(credential.id, NOW, "UPSTREAM_RATE_LIMITED")
    longer = Cooling(credential.id, NOW + timedelta(hours=1), "CREDENTIAL_REJECTED")
    async with store.begin(tenant.id) as work:
        await work.keys.add(key)
        await work.credentials.add(credential, sealed(key))
        await work.coolings.put(rest)
        await work.coolings.put(longer)
        assert list(await work.coolings.all()) == [longer]
        await work.coolings.clear(credential.id)
        await work.coolings.clear(credential.id)
        assert list(await work.coolings.all()) == []
        await work.coolings.put(rest)
        await work.credentials.remove(credential.id)
    async with store.begin(tenant.id) as work:
        assert list(await work.coolings.all()) == []
