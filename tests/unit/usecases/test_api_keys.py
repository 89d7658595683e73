"""API keys: who may make which, what they open, and when they end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Forbidden, InvalidRange, NotFound, QuotaExhausted, Unauthenticated
from domain.model.access import IDENTITY_SCOPES, TENANT_SCOPES, Actor, Client, ClientKind, Reach, Scope
from domain.model.cap import CapSubject, Period
from domain.model.ids import ClientId, TenantId
from domain.model.planning import Demand
from domain.model.quota import Unit
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.model.usage import Job
from domain.usecases.api_keys import KeyCap, KeyChange, Minted, NewKey
from domain.usecases.applications import NewApplication
from tests.unit.domain.samples import LLM, NOW, TENANT, a_cap, ref
from tests.unit.usecases.house import House

CALLS = frozenset({Scope.MODELS_INVOKE})
NEW = NewKey("ci", CALLS)
DAY, YEAR = timedelta(days=1), timedelta(days=366)
ACME = Reach(providers=frozenset({"acme"}))


def rows(house: House) -> Any:
    return house.rows(TENANT)


async def made(house: House, new: NewKey = NEW) -> Minted:
    return await house.api_keys.create(house.actor(), new)


async def test_a_key_is_shown_once_and_opens_what_it_allows() -> None:
    house = House()
    key = await made(house, replace(NEW, reach=ACME, expires_at=house.clock() + DAY))
    text = key.text.reveal()
    actor = await house.access.authenticate(text)
    assert (actor.tenant_id, actor.client_id, actor.scopes) == (TENANT, key.client.id, CALLS)
    assert (actor.expires_at, actor.reach, actor.person_id) == (house.clock() + DAY, ACME, None)
    kept = rows(house).clients[key.client.id]
    assert (kept.kind, kept.secret_digest, kept.secret_hint) == (ClientKind.API_KEY, digest(text), text[-4:])
    assert text not in repr(house.store.rows)
    assert text not in repr(key)
    assert [(e.deed.action, e.deed.target) for e in rows(house).audit] == [("api_key.created", str(kept.id))]


async def test_every_key_ends() -> None:
    house = House()
    key = await made(house)
    assert key.client.expires_at == house.clock() + YEAR
    house.clock.advance(YEAR - timedelta(seconds=1))
    await house.access.authenticate(key.text.reveal())
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(key.text.reveal())


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (replace(NEW, name=""), "name"),
        (replace(NEW, scopes=frozenset({Scope.QUOTAS_GRANT})), "scopes"),
        (replace(NEW, scopes=IDENTITY_SCOPES), "scopes"),
        (replace(NEW, expires_at=NOW), "expiresAt"),
        (replace(NEW, expires_at=NOW + YEAR + timedelta(seconds=1)), "expiresAt"),
        (replace(NEW, expires_at=datetime(2026, 12, 1)), "expiresAt"),  # noqa: DTZ001 - no zone is the point
        (replace(NEW, cap=KeyCap(Unit.CALLS, -1, Period.DAY)), "cap.amount"),
    ],
)
async def test_what_no_key_can_be_is_refused(new: NewKey, field: str) -> None:
    house = House()
    with pytest.raises(InvalidRange) as refused:
        await house.api_keys.create(house.actor(*Scope), new)
    assert refused.value.field == field
    assert (rows(house).clients, rows(house).caps, rows(house).audit) == ({}, {}, [])


@pytest.mark.parametrize("scope", sorted(TENANT_SCOPES - {Scope.APPLICATIONS_WRITE}))
async def test_nobody_gives_a_scope_that_he_lacks(scope: Scope) -> None:
    house = House()
    key = await made(house, replace(NEW, scopes=TENANT_SCOPES))
    actor = house.actor(*(TENANT_SCOPES - {scope}))
    for each in (
        house.api_keys.create(actor, replace(NEW, scopes=frozenset({scope}))),
        house.api_keys.rotate(actor, key.client.id, DAY),
    ):
        with pytest.raises(Forbidden) as refused:
            await each
        assert refused.value.needs == scope
    assert rows(house).clients == {key.client.id: key.client}


async def test_nobody_gives_a_reach_or_a_time_beyond_what_he_could_make_himself() -> None:
    house = House()
    bound, weak = replace(house.actor(), reach=ACME), house.actor(Scope.APPLICATIONS_WRITE)
    with pytest.raises(InvalidRange, match="reach"):
        await house.api_keys.create(bound, NEW)
    key = await made(house, replace(NEW, reach=ACME, expires_at=house.clock() + DAY))
    with pytest.raises(InvalidRange, match="reach"):
        await house.api_keys.update(bound, key.client.id, KeyChange(reach=Reach()))
    for more in (KeyChange(expires_at=house.clock() + 2 * DAY), KeyChange(reach=Reach())):
        with pytest.raises(Forbidden):
            await house.api_keys.update(weak, key.client.id, more)
    less = KeyChange("renamed", frozenset(), house.clock() + DAY / 2, Reach(models=frozenset({ref("best")})))
    narrowed = await house.api_keys.update(weak, key.client.id, less)
    assert (narrowed.name, narrowed.scopes, narrowed.expires_at, narrowed.reach) == (
        less.name,
        less.scopes,
        less.expires_at,
        less.reach,
    )


async def test_a_key_is_never_given_more_scopes() -> None:
    house = House()
    key = await made(house)
    with pytest.raises(InvalidRange, match="never given more"):
        await house.api_keys.update(house.actor(), key.client.id, KeyChange(scopes=TENANT_SCOPES))


async def test_a_cap_holds_from_the_first_call() -> None:
    house = House(granted=100)
    key = await made(house, replace(NEW, cap=KeyCap(Unit.CALLS, 1, Period.DAY)))
    (cap,) = rows(house).caps.values()
    assert (cap.subject, cap.subject_id, cap.amount) == (CapSubject.APPLICATION, key.client.id, 1)
    actor = await house.access.authenticate(key.text.reveal())
    await house.metering.admit(actor, Demand(ref("old"), LLM), Job.CHAT)
    with pytest.raises(QuotaExhausted, match="cap"):
        await house.metering.admit(actor, Demand(ref("old"), LLM), Job.CHAT)


async def test_a_rotated_key_is_good_beside_the_new_one_for_the_overlap_and_ends_with_it() -> None:
    house = House()
    key = await made(house, replace(NEW, expires_at=house.clock() + 10 * DAY))
    rotated = await house.api_keys.rotate(house.actor(), key.client.id, DAY)
    old, new = key.text.reveal(), rotated.text.reveal()
    assert old != new
    assert rotated.client.secret_hint == new[-4:]
    assert (await house.access.authenticate(old)).expires_at == house.clock() + DAY
    assert (await house.access.authenticate(new)).expires_at == house.clock() + 10 * DAY
    house.clock.advance(DAY)
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(old)
    await house.access.authenticate(new)


async def test_a_key_can_be_replaced_at_once_and_prolonged() -> None:
    house = House()
    key = await made(house, replace(NEW, expires_at=house.clock() + DAY))
    end = house.clock() + 30 * DAY
    rotated = await house.api_keys.rotate(house.actor(), key.client.id, timedelta(0), end)
    assert rotated.client.expires_at == end
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(key.text.reveal())
    with pytest.raises(InvalidRange, match="overlap"):
        await house.api_keys.rotate(house.actor(), key.client.id, 8 * DAY)


async def test_of_two_rotations_within_the_overlap_two_keys_are_good() -> None:
    house = House()
    texts = [(key := await made(house)).text.reveal()]
    for _ in range(2):
        texts.append((await house.api_keys.rotate(house.actor(), key.client.id, DAY)).text.reveal())
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(texts[0])
    assert [(await house.access.authenticate(text)).client_id for text in texts[1:]] == [key.client.id] * 2


async def capped(house: House, *without: Scope, client_id: ClientId | None = None) -> Actor:
    """An application that may call once a day, and all else but what it is without."""
    actor = house.actor(*(TENANT_SCOPES - {*without}))
    actor = replace(actor, client_id=client_id or actor.client_id)
    cap = a_cap(1, actor.client_id)
    rows(house).caps[cap.id] = cap
    return actor


async def test_a_capped_application_makes_no_way_around_its_cap() -> None:
    house = House()
    actor, key = (
        await capped(house, Scope.QUOTAS_WRITE),
        await made(house, replace(NEW, expires_at=house.clock() + DAY)),
    )
    service = NewApplication("svc", ClientKind.SERVICE, CALLS)
    registered = (await house.applications.register(house.actor(), service)).client.id
    for act in (
        house.api_keys.create(actor, NEW),
        house.api_keys.rotate(actor, key.client.id, timedelta(0)),
        house.api_keys.update(actor, key.client.id, KeyChange(expires_at=house.clock() + YEAR)),
        house.applications.register(actor, service),
        house.applications.resume(actor, registered),
        house.applications.rotate_secret(actor, registered, timedelta(0)),
    ):
        with pytest.raises(Forbidden) as refused:
            await act
        assert refused.value.needs == Scope.QUOTAS_WRITE


async def test_a_capped_application_gives_what_spends_nothing_and_renews_itself() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), NewApplication("svc", ClientKind.SERVICE, CALLS))
    actor = await capped(house, Scope.QUOTAS_WRITE, client_id=issued.client.id)
    await house.api_keys.create(actor, replace(NEW, scopes=frozenset({Scope.USAGE_READ})))
    await house.applications.rotate_secret(actor, issued.client.id, timedelta(0))


async def test_an_application_that_could_free_itself_of_its_cap_may_let_others_call() -> None:
    house = House()
    await house.api_keys.create(await capped(house), NEW)


async def test_a_revoked_key_is_gone_with_its_caps() -> None:
    house = House()
    key = await made(house, replace(NEW, cap=KeyCap(Unit.CALLS, 1, Period.DAY)))
    assert await house.api_keys.revoke(house.actor(Scope.APPLICATIONS_WRITE), key.client.id) == key.client
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(key.text.reveal())
    assert (rows(house).clients, rows(house).caps) == ({}, {})
    assert [e.deed.action for e in rows(house).audit] == ["api_key.created", "api_key.revoked"]


async def test_a_suspended_key_opens_nothing() -> None:
    house = House()
    key = await made(house)
    rows(house).clients[key.client.id] = replace(key.client, suspended_at=NOW)
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(key.text.reveal())


async def test_no_other_text_opens_anything() -> None:
    house = House()
    key = await made(house)
    app = await house.applications.register(house.actor(), NewApplication("shop", ClientKind.SERVICE, CALLS))
    assert app.secret is not None
    text, random = key.text.reveal(), bytes(SECRET_BYTES)
    as_secret = replace(app.client, id=ClientId(UUID(int=77)))
    as_key = mint(Kind.API_KEY, TENANT, as_secret.id.bytes + random)
    rows(house).clients[as_secret.id] = replace(as_secret, secret_digest=digest(as_key))
    for wrong in (
        text[:-1] + ("0" if text[-1] != "0" else "1"),
        text.replace("ptn_sk_", "ptn_at_"),
        mint(Kind.API_KEY, TENANT, key.client.id.bytes + random),
        mint(Kind.API_KEY, TenantId(UUID(int=2)), key.client.id.bytes + random),
        mint(Kind.API_KEY, TENANT, UUID(int=404).bytes + random),
        app.secret.reveal(),
        as_key,
    ):
        with pytest.raises(Unauthenticated):
            await house.access.authenticate(wrong)


async def test_a_key_with_a_wrong_checksum_is_refused_before_anything_is_looked_up() -> None:
    house = House()
    text = (await made(house)).text.reveal()
    begun = house.store.begun
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert house.store.begun == begun


async def test_applications_and_unknown_ids_are_no_keys() -> None:
    house = House()
    app = Client(TENANT, ClientId(UUID(int=71)), "shop", b"x", CALLS, NOW)
    rows(house).clients[app.id] = app
    for client_id in (app.id, ClientId(UUID(int=72))):
        for change in (
            house.api_keys.update(house.actor(), client_id, KeyChange("x")),
            house.api_keys.rotate(house.actor(), client_id, DAY),
            house.api_keys.revoke(house.actor(), client_id),
        ):
            with pytest.raises(NotFound, match="api key"):
                await change
    assert rows(house).clients == {app.id: app}


async def test_pages_are_of_keys_alone() -> None:
    house = House()
    await house.applications.register(house.actor(), NewApplication("shop", ClientKind.SERVICE, CALLS))
    keys = [(await made(house)).client for _ in range(3)]
    reader = house.actor(Scope.APPLICATIONS_READ)
    assert await house.api_keys.page(reader, first=2) == keys[:2]
    assert await house.api_keys.page(reader, first=2, after=keys[1].id) == keys[2:]


async def test_each_needs_its_scope() -> None:
    house = House()
    nobody, key = house.actor(Scope.TENANT_READ), ClientId(UUID(int=1))
    with pytest.raises(Forbidden, match="applications:read"):
        await house.api_keys.page(nobody, first=1)
    for change in (
        house.api_keys.create(nobody, NEW),
        house.api_keys.update(nobody, key, KeyChange()),
        house.api_keys.rotate(nobody, key, DAY),
        house.api_keys.revoke(nobody, key),
    ):
        with pytest.raises(Forbidden, match="applications:write"):
            await change
