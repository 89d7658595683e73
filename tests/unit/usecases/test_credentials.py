"""A tenant brings a key: it is proved, sealed, shown masked, and removed."""

import pytest

from domain.errors import (
    CredentialRejected,
    DomainError,
    DuplicateName,
    Forbidden,
    InvalidForm,
    InvalidRange,
    NotFound,
    UpstreamUnavailable,
)
from domain.model.access import Scope
from domain.model.ids import CredentialId
from domain.model.selection import KeySource, preferred
from domain.usecases.credentials import NewCredential
from tests.unit.domain.samples import EMBEDDING, TENANT, ref
from tests.unit.usecases.house import House

KEY = "sk-canary-0123456789"
GOOD = NewCredential("acme", "main", {"key": KEY})
HOSTED = NewCredential("home", "mine", {"address": "http://h"}, ref("llama", "home"))


async def test_a_proved_key_is_stored_sealed_and_shown_masked() -> None:
    house = House()
    added = await house.credentials.add(house.actor(), GOOD)
    assert added.masked == {"key": "••••6789"}
    assert added.public == {"base": "https://acme.example"}
    assert added.endpoint == "https://acme.example:443"
    assert await house.credentials.one(house.actor(), added.id) == added
    assert KEY not in repr(added)


@pytest.mark.parametrize(
    ("new", "refusal"),
    [
        (NewCredential("nobody", "main", {"key": KEY}), NotFound),
        (NewCredential("acme", "main", {}), InvalidForm),
        (NewCredential("acme", "main", {"key": KEY, "kye": KEY}), InvalidForm),
        (NewCredential("acme", " ", {"key": KEY}), InvalidRange),
        (NewCredential("acme", "main", {"key": KEY}, ref("best")), InvalidRange),
        (NewCredential("home", "main", {"address": "http://h"}), InvalidRange),
        (NewCredential("home", "main", {"address": "http://h"}, ref("e", "home", EMBEDDING)), InvalidRange),
    ],
)
async def test_what_is_wrong_is_refused_before_the_vendor_hears_of_it(
    new: NewCredential, refusal: type[DomainError]
) -> None:
    house = House()
    with pytest.raises(refusal) as refused:
        await house.credentials.add(house.actor(), new)
    assert KEY not in str(refused.value)
    assert house.gateway.asked == []
    assert house.rows(TENANT).credentials == {}


@pytest.mark.parametrize("failure", [CredentialRejected("acme", 401), UpstreamUnavailable("acme", sent=False)])
async def test_a_key_that_the_vendor_does_not_accept_is_not_stored(failure: DomainError) -> None:
    house = House([failure])
    with pytest.raises(type(failure)):
        await house.credentials.add(house.actor(), GOOD)
    assert house.rows(TENANT).credentials == {}
    assert house.rows(TENANT).preferred == {}


async def test_a_check_stores_nothing() -> None:
    house = House()
    proof = await house.credentials.check(house.actor(), GOOD)
    assert proof.endpoint == "https://acme.example:443"
    assert house.rows(TENANT).credentials == {}


async def test_a_name_is_taken_once_per_provider() -> None:
    house = House()
    await house.credentials.add(house.actor(), GOOD)
    await house.credentials.add(house.actor(), HOSTED)
    with pytest.raises(DuplicateName):
        await house.credentials.add(house.actor(), GOOD)
    assert len(house.rows(TENANT).credentials) == 2


async def test_the_first_key_goes_before_the_trial_even_if_the_trial_was_preferred_before() -> None:
    house = House()
    await house.quotas.prefer(house.actor(), "acme", KeySource.PLATFORM)
    added = await house.credentials.add(house.actor(), GOOD)
    assert preferred("acme", await house.standing(TENANT)) is KeySource.OWN
    await house.quotas.prefer(house.actor(), "acme", KeySource.PLATFORM)
    await house.credentials.add(house.actor(), NewCredential("acme", "second", {"key": KEY}))
    assert preferred("acme", await house.standing(TENANT)) is KeySource.PLATFORM
    await house.credentials.remove(house.actor(), added.id)
    assert len((await house.standing(TENANT)).credentials) == 1


async def test_removing_forgets_at_once() -> None:
    house = House()
    added = await house.credentials.add(house.actor(), GOOD)
    await house.standing(TENANT)
    await house.credentials.remove(house.actor(), added.id)
    assert (await house.standing(TENANT)).credentials == ()
    with pytest.raises(NotFound):
        await house.credentials.remove(house.actor(), added.id)


async def test_pages_are_oldest_first_and_by_provider() -> None:
    house = House()
    first = await house.credentials.add(house.actor(), GOOD)
    second = await house.credentials.add(house.actor(), HOSTED)
    actor = house.actor()
    assert await house.credentials.page(actor, first=1) == [first]
    assert await house.credentials.page(actor, first=5, after=first.id) == [second]
    assert await house.credentials.page(actor, first=5, provider="home") == [second]


async def test_each_use_needs_its_scope() -> None:
    house = House()
    reader = house.actor(Scope.CREDENTIALS_READ)
    nobody = CredentialId(house.fresh())
    for attempt in (
        house.credentials.add(reader, GOOD),
        house.credentials.check(reader, GOOD),
        house.credentials.remove(reader, nobody),
        house.credentials.one(house.actor(Scope.CREDENTIALS_WRITE), nobody),
        house.credentials.page(house.actor(Scope.MODELS_INVOKE), first=1),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert house.gateway.asked == []
