"""A stored key is renamed, replaced, moved and proved again, and its secrets stay where they were entered for."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ChangedMeanwhile,
    CredentialRejected,
    CredentialUnreadable,
    DomainError,
    DuplicateName,
    InvalidForm,
    InvalidRange,
    NotFound,
    UpstreamRateLimited,
)
from domain.model.catalogue import Feature, FormValues, ModelRef
from domain.model.credential import Cooling, Credential, SealContext, Sealed
from domain.model.credential_change import CredentialChange
from domain.model.ids import CredentialId
from domain.model.secret import Secret
from domain.usecases.credentials import NewCredential
from tests.fakes import FakeGateway
from tests.unit.domain.samples import TENANT, ref
from tests.unit.usecases.house import House

KEY, NEW = "sk-canary-0123456789", "sk-second-9876543210"
GOOD = NewCredential("acme", "main", {"key": KEY})
BASE = "https://acme.example"


async def added(house: House, new: NewCredential = GOOD) -> Credential:
    """A stored credential; what its proving sent is forgotten, and time has passed."""
    credential = await house.credentials.add(house.actor(), new)
    house.gateway.asked.clear()
    house.clock.advance(timedelta(minutes=5))
    return credential


async def update(house: House, credential: Credential, /, **changes: Any) -> Credential:
    beside = {name: changes.pop(name) for name in list(changes) if name in ("name", "weight", "active")}
    return await house.updates.update(house.actor(), credential.id, CredentialChange(**beside, fields=changes))


async def form(house: House, credential: Credential) -> Any:
    """What is sealed of it, opened."""
    _, sealed = house.rows(TENANT).credentials[credential.id]
    return await house.vault.open(house.rows(TENANT).keys[sealed.key_id], SealContext.of(credential), sealed)


async def test_what_is_beside_the_form_changes_without_a_probe_or_a_new_version() -> None:
    house = House()
    before = await added(house)
    cooling = await house.rest(before)
    after = await update(house, before, name=" renamed ", weight=0, active=False)
    assert after == replace(before, name="renamed", weight=0, active=False)
    assert (await house.standing(TENANT)).credentials == (after,)
    assert house.gateway.asked == []
    assert house.rows(TENANT).coolings == {before.id: cooling}
    assert (await form(house, after))["key"] == Secret(KEY)


async def test_nothing_changes_when_nothing_is_given() -> None:
    house = House()
    before = await added(house)
    assert await update(house, before) == before
    assert await update(house, before, base=BASE, name="main") == before
    assert house.gateway.asked == []


async def test_a_replaced_secret_is_proved_sealed_as_a_new_version_and_rests_no_longer() -> None:
    house = House()
    before = await added(house)
    await house.rest(before)
    after = await update(house, before, key=Secret(NEW))
    assert after == replace(before, version=2, proved_at=house.clock(), masked={"key": "••••3210"})
    assert house.gateway.asked == [{"key": Secret(NEW), "base": BASE}]
    assert await form(house, after) == {"key": Secret(NEW), "base": BASE}
    assert house.rows(TENANT).coolings == {}
    assert (await house.standing(TENANT)).credentials == (after,)


async def test_fields_that_are_not_given_keep_their_values_and_null_clears_one() -> None:
    house = House()
    before = await added(house, replace(GOOD, values={"key": KEY, "base": "https://a.example/v1", "mode": "fast"}))
    moved = await update(house, before, base="https://a.example/v2")
    assert await form(house, moved) == {"key": Secret(KEY), "base": "https://a.example/v2", "mode": "fast"}
    cleared = await update(house, moved, mode=None)
    assert await form(house, cleared) == {"key": Secret(KEY), "base": "https://a.example/v2"}
    assert cleared.version == 3


@pytest.mark.parametrize("base", ["https://evil.example", "http://acme.example", "https://acme.example:8443"])
async def test_a_kept_secret_is_asked_for_again_before_anything_is_sent_elsewhere(base: str) -> None:
    house = House()
    before = await added(house)
    for attempt in (update(house, before, base=base), house.updates.check(house.actor(), before.id, {"base": base})):
        with pytest.raises(InvalidForm) as refused:
            await attempt
        (problem,) = refused.value.problems
        assert (problem.field, problem.reason) == ("key", "must be entered again, since the address changes")
    assert house.gateway.asked == []
    assert await house.credentials.one(house.actor(), before.id) == before


async def test_with_its_secret_entered_again_a_credential_moves_to_another_host() -> None:
    house = House()
    before = await added(house)
    after = await update(house, before, base="https://other.example", key=Secret(KEY))
    assert (after.endpoint, after.version) == ("https://other.example:443", 2)


async def test_a_hosted_models_description_changes_and_is_proved_for_that_model() -> None:
    house = House()
    before = await added(house, NewCredential("home", "mine", {"address": "http://h"}, ref("llama", "home")))
    after = await update(house, before, vision="yes")
    assert after.public == {"address": "http://h", "context_size": "4096", "vision": "yes"}
    shown = await house.browsing.model(house.actor(), ref("llama", "home"))
    assert Feature.VISION in shown.model.features


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"key": None}, InvalidForm),
        ({"key": Secret("")}, InvalidForm),
        ({"mode": "backwards"}, InvalidForm),
        ({"address": "https://no.such.field"}, InvalidForm),
        ({"name": " "}, InvalidRange),
        ({"weight": 101}, InvalidRange),
    ],
)
async def test_what_is_wrong_is_refused_before_the_vendor_hears_of_it(
    changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    house = House()
    before = await added(house)
    with pytest.raises(refusal) as refused:
        await update(house, before, **changes)
    assert KEY not in str(refused.value)
    assert house.gateway.asked == []
    assert await house.credentials.one(house.actor(), before.id) == before


async def test_a_form_that_the_vendor_does_not_accept_replaces_nothing() -> None:
    house = House()
    before = await added(house)
    house.gateway.script.append(CredentialRejected("acme", 401))
    with pytest.raises(CredentialRejected):
        await update(house, before, key=Secret(NEW), name="renamed")
    assert await house.credentials.one(house.actor(), before.id) == before
    assert house.rows(TENANT).coolings == {}


async def test_a_taken_name_is_refused_with_and_without_a_new_form() -> None:
    house = House()
    await added(house, replace(GOOD, name="taken"))
    before = await added(house)
    for changes in ({"name": "taken"}, {"name": "taken", "key": Secret(NEW)}):
        with pytest.raises(DuplicateName):
            await update(house, before, **changes)
    assert await house.credentials.one(house.actor(), before.id) == before


async def test_an_unknown_credential_is_not_found() -> None:
    house = House()
    nobody = CredentialId(house.fresh())
    for attempt in (
        house.updates.update(house.actor(), nobody, CredentialChange("x")),
        house.updates.check(house.actor(), nobody, {}),
        house.updates.prove(house.actor(), nobody),
        house.credentials.switch(house.actor(), nobody),
    ):
        with pytest.raises(NotFound):
            await attempt


class InterruptedGateway(FakeGateway):
    """While the vendor thinks about the next form, something else happens."""

    meanwhile: Awaitable[Credential] | None = None

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None, **more: Any) -> None:
        await super().probe(provider, form, model, **more)
        await self._passing()

    async def _passing(self) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            await happening


async def interrupted() -> tuple[House, InterruptedGateway, Credential]:
    house, gateway = House(), InterruptedGateway()
    house.gateway = gateway
    return house, gateway, await added(house)


async def test_a_form_that_another_replaced_meanwhile_is_not_overwritten() -> None:
    house, gateway, before = await interrupted()
    gateway.meanwhile = update(house, before, key=Secret(NEW))
    with pytest.raises(ChangedMeanwhile):
        await update(house, before, key=Secret("sk-third-0000000000"))
    (now,) = (await house.standing(TENANT)).credentials
    assert (now.version, now.masked) == (2, {"key": "••••3210"})


async def test_what_others_change_beside_the_form_meanwhile_stays() -> None:
    house, gateway, before = await interrupted()
    gateway.meanwhile = update(house, before, name="renamed", active=False)
    after = await update(house, before, key=Secret(NEW), weight=9)
    assert (after.name, after.active, after.weight, after.version) == ("renamed", False, 9, 2)


async def test_a_proof_of_a_form_that_was_replaced_meanwhile_is_none_of_the_new_one() -> None:
    house, gateway, before = await interrupted()
    gateway.meanwhile = update(house, before, key=Secret(NEW))
    with pytest.raises(ChangedMeanwhile):
        await house.updates.prove(house.actor(), before.id)
    (now,) = (await house.standing(TENANT)).credentials
    assert (now.version, now.masked) == (2, {"key": "••••3210"})


async def test_a_credential_that_was_removed_meanwhile_stays_removed() -> None:
    house, gateway, before = await interrupted()

    async def removed() -> Credential:
        return (await house.credentials.remove(house.actor(), before.id)).credential

    gateway.meanwhile = removed()
    with pytest.raises(NotFound):
        await update(house, before, key=Secret(NEW))
    assert house.rows(TENANT).credentials == {}


async def test_a_check_of_an_update_proves_the_whole_form_and_stores_nothing() -> None:
    house = House()
    before = await added(house)
    proof = await house.updates.check(house.actor(), before.id, {"base": f"{BASE}/v2"})
    assert (proof.endpoint, proof.at) == (before.endpoint, house.clock())
    assert house.gateway.asked == [{"key": Secret(KEY), "base": f"{BASE}/v2"}]
    assert await house.credentials.one(house.actor(), before.id) == before


async def test_proving_again_asks_with_the_stored_form_and_ends_the_rest() -> None:
    house = House()
    before = await added(house)
    await house.rest(before)
    after = await house.updates.prove(house.actor(), before.id)
    assert after == replace(before, proved_at=house.clock())
    assert house.gateway.asked == [{"key": Secret(KEY), "base": BASE}]
    assert (await house.standing(TENANT)).coolings == {}


async def test_a_key_that_is_refused_on_being_proved_again_rests_and_nothing_else_changes() -> None:
    house = House()
    before = await added(house)
    house.gateway.script.append(UpstreamRateLimited("acme", 429, retry_after=90))
    with pytest.raises(UpstreamRateLimited):
        await house.updates.prove(house.actor(), before.id)
    standing = await house.standing(TENANT)
    rest = Cooling(before.id, house.clock() + timedelta(seconds=90), "UPSTREAM_RATE_LIMITED")
    assert (standing.credentials, standing.coolings) == ((before,), {before.id: rest})


async def test_a_refusal_that_is_not_the_keys_fault_lets_nothing_rest() -> None:
    house = House()
    before = await added(house)
    house.gateway.script.append(BadRequestUpstream("acme", 400))
    with pytest.raises(BadRequestUpstream):
        await house.updates.prove(house.actor(), before.id)
    assert house.rows(TENANT).coolings == {}


async def test_a_form_that_cannot_be_opened_is_replaced_whole_but_neither_kept_nor_proved() -> None:
    house = House()
    before = await added(house)
    rows = house.rows(TENANT).credentials
    rows[before.id] = before, Sealed(rows[before.id][1].key_id, b'["other", "context", {}]')
    for attempt in (house.updates.prove(house.actor(), before.id), update(house, before, mode="slow")):
        with pytest.raises(CredentialUnreadable):
            await attempt
    assert house.gateway.asked == []
    renamed = await update(house, before, name="renamed")
    assert (await update(house, renamed, key=Secret(NEW))).version == 2
