"""A tenant brings a key: it is proved, sealed, shown masked, and removed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

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
from domain.model.cap import Cap, CapSubject, Period
from domain.model.catalogue import Feature
from domain.model.credential_change import CredentialChange
from domain.model.ids import CapId, CredentialId
from domain.model.quota import Unit
from domain.model.selection import KeySource, Status, preferred
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
        (NewCredential("home", "main", {"address": "http://h"}, ref("a\0b", "home")), InvalidRange),
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


def named(name: str, **more: Any) -> NewCredential:
    return replace(GOOD, name=name, **more)


async def activity(house: House) -> dict[str, bool]:
    return {c.name: c.active for c in await house.credentials.page(house.actor(), first=9)}


async def test_a_second_key_changes_nothing_that_runs_unless_it_is_asked_to() -> None:
    house = House()
    for new in (GOOD, named("second"), HOSTED, named("third", active=True), named("fourth", active=False)):
        await house.credentials.add(house.actor(), new)
    assert await activity(house) == {"main": True, "second": False, "mine": True, "third": True, "fourth": False}


async def test_the_next_key_is_active_when_none_is() -> None:
    house = House()
    await house.credentials.add(house.actor(), named("first", active=False))
    await house.credentials.add(house.actor(), named("second", weight=0))
    assert await activity(house) == {"first": False, "second": True}


@pytest.mark.parametrize("weight", [-1, 101])
async def test_a_weight_out_of_range_is_refused_before_the_vendor_hears_of_it(weight: int) -> None:
    house = House()
    with pytest.raises(InvalidRange, match="weight"):
        await house.credentials.add(house.actor(), named("main", weight=weight))
    assert house.gateway.asked == []


async def test_one_name_may_be_taken_by_one_credential_of_each_hosted_model() -> None:
    house = House()
    await house.credentials.add(house.actor(), HOSTED)
    await house.credentials.add(house.actor(), replace(HOSTED, model=ref("other", "home")))
    with pytest.raises(DuplicateName):
        await house.credentials.add(house.actor(), HOSTED)
    assert len(house.rows(TENANT).credentials) == 2


async def test_a_hosted_model_is_known_from_its_first_credential_on_and_outlives_the_last() -> None:
    house = House()
    values = {"address": "http://h", "context_size": "8192", "vision": "yes"}
    added = await house.credentials.add(house.actor(), replace(HOSTED, values=values))
    second = await house.credentials.add(house.actor(), replace(HOSTED, name="second"))
    for credential in (added, second):
        await house.credentials.remove(house.actor(), credential.id)
    shown = await house.browsing.model(house.actor(), ref("llama", "home"))
    assert shown.model.context == 8192
    assert Feature.VISION in shown.model.features
    assert shown.availability.status is Status.CREDENTIAL_REMOVED


async def test_a_model_name_that_no_row_could_hold_is_refused_before_the_vendor_hears_of_it() -> None:
    house = House()
    with pytest.raises(InvalidRange, match="200"):
        await house.credentials.add(house.actor(), replace(HOSTED, model=ref("x" * 201, "home")))
    assert house.gateway.asked == []


async def test_a_switch_makes_one_the_only_active_of_its_scope_and_sends_nothing() -> None:
    house = House()
    for new in (GOOD, named("second", active=True), named("third"), HOSTED):
        await house.credentials.add(house.actor(), new)
    third = (await house.credentials.page(house.actor(), first=9))[2]
    probes = len(house.gateway.asked)
    await house.rest(third)
    chosen = await house.credentials.switch(house.actor(), third.id)
    assert chosen == replace(third, active=True)
    assert await activity(house) == {"main": False, "second": False, "third": True, "mine": True}
    assert [c.name for c in (await house.standing(TENANT)).credentials if c.active] == ["third", "mine"]
    assert (len(house.gateway.asked), list(house.rows(TENANT).coolings)) == (probes, [third.id])


async def test_removing_the_last_active_one_makes_the_one_proved_last_active() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    for name in ("second", "third"):
        house.clock.advance(timedelta(minutes=1))
        await house.credentials.add(house.actor(), named(name))
    removed = await house.credentials.remove(house.actor(), main.id)
    assert (removed.credential, removed.successor and removed.successor.name) == (main, "third")
    assert await activity(house) == {"second": False, "third": True}
    assert preferred("acme", await house.standing(TENANT)) is KeySource.OWN


async def test_a_named_successor_takes_the_place_of_the_one_removed() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    second = await house.credentials.add(house.actor(), named("second"))
    await house.credentials.add(house.actor(), named("third"))
    removed = await house.credentials.remove(house.actor(), main.id, second.id)
    assert removed.successor == replace(second, active=True)
    assert await activity(house) == {"second": True, "third": False}


async def test_a_successor_of_another_scope_is_refused_and_nothing_is_removed() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    hosted = await house.credentials.add(house.actor(), HOSTED)
    for stranger in (hosted.id, main.id, CredentialId(house.fresh())):
        with pytest.raises(InvalidRange, match="successor"):
            await house.credentials.remove(house.actor(), main.id, stranger)
    assert await activity(house) == {"main": True, "mine": True}


async def test_no_successor_is_made_while_another_is_active_or_for_one_that_was_not() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    idle = await house.credentials.add(house.actor(), named("idle"))
    other = await house.credentials.add(house.actor(), named("other", active=True))
    assert (await house.credentials.remove(house.actor(), main.id)).successor is None
    assert (await house.credentials.remove(house.actor(), idle.id, other.id)).successor is None
    assert (await house.credentials.remove(house.actor(), other.id)).successor is None


async def test_the_platform_goes_first_again_after_the_last_key_and_the_next_one_before_it() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    await house.credentials.remove(house.actor(), main.id)
    assert preferred("acme", await house.standing(TENANT)) is KeySource.PLATFORM
    await house.credentials.add(house.actor(), GOOD)
    assert preferred("acme", await house.standing(TENANT)) is KeySource.OWN


async def test_a_credentials_caps_go_with_it_and_no_others() -> None:
    house = House()
    main = await house.credentials.add(house.actor(), GOOD)
    client = house.actor().client_id
    subjects = ((CapSubject.CREDENTIAL, main.id), (CapSubject.APPLICATION, main.id), (CapSubject.APPLICATION, client))
    async with house.store.begin(TENANT) as work:
        for kind, subject in subjects:
            cap_id = CapId(house.fresh())
            await work.caps.put(Cap(TENANT, cap_id, kind, subject, Unit.CALLS, 5, Period.DAY, house.clock()))
    await house.credentials.remove(house.actor(), main.id)
    left = [(c.subject, c.subject_id) for c in (await house.standing(TENANT)).caps]
    assert left == [(CapSubject.APPLICATION, main.id), (CapSubject.APPLICATION, client)]


async def test_a_key_that_the_gateway_lets_through_is_not_refused() -> None:
    """Which refusals prove a key, as that of one that may only use some models, is its adapter's to say."""
    house = House()
    added = await house.credentials.add(house.actor(), GOOD)
    assert (len(house.gateway.asked), added.proved_at) == (1, house.clock())


async def test_pages_can_be_narrowed_to_what_reaches_a_model_and_to_what_is_active() -> None:
    house = House()
    for new in (GOOD, named("second"), HOSTED):
        await house.credentials.add(house.actor(), new)

    async def names(**narrowed: Any) -> list[str]:
        return [c.name for c in await house.credentials.page(house.actor(), first=9, **narrowed)]

    assert await names(model=ref("best")) == ["main", "second"]
    assert await names(model=ref("llama", "home")) == ["mine"]
    assert await names(model=ref("other", "home")) == []
    assert await names(active=True) == ["main", "mine"]
    assert await names(active=False, provider="acme") == ["second"]


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
        house.credentials.switch(reader, nobody),
        house.updates.update(reader, nobody, CredentialChange("x")),
        house.updates.check(reader, nobody, {}),
        house.updates.prove(reader, nobody),
        house.states.coolings(house.actor(Scope.CREDENTIALS_WRITE)),
        house.states.last_used(house.actor(Scope.CREDENTIALS_WRITE), ()),
        house.states.users(house.actor(Scope.CREDENTIALS_WRITE), ()),
        house.credentials.one(house.actor(Scope.CREDENTIALS_WRITE), nobody),
        house.credentials.page(house.actor(Scope.MODELS_INVOKE), first=1),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert house.gateway.asked == []
