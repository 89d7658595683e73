"""Applications of a tenant: what nobody can register, who may give what, and what is over at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Forbidden, InvalidRange, NotFound, Unauthenticated
from domain.model.access import (
    IDENTITY_SCOPES,
    OPERATOR_SCOPES,
    TENANT_SCOPES,
    AccessToken,
    Actor,
    Client,
    ClientKind,
    Reach,
    Role,
    Scope,
)
from domain.model.authorization import Code, Consent, Decision, Device, RefreshToken
from domain.model.cap import CapSubject, Period
from domain.model.ids import ClientId, PersonId
from domain.model.people import Person
from domain.model.quota import Unit
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint, parse
from domain.usecases.applications import ApplicationChange, NewApplication
from domain.usecases.caps import NewCap
from tests.unit.domain.samples import NOW, TENANT, ref
from tests.unit.usecases.house import House

CALLS = frozenset({Scope.MODELS_INVOKE})
DAY = timedelta(days=1)
ANN = Person(PersonId(UUID(int=900)), "ann@example.com", "Ann", NOW)
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
KEYS = {"keys": [ED25519]}
SERVICE = NewApplication("shop", ClientKind.SERVICE, CALLS)
PARTNER = NewApplication(
    "partner", ClientKind.PARTNER, CALLS | IDENTITY_SCOPES, ("https://partner.example/cb",), public=True
)
ACME = Reach(providers=frozenset({"acme"}))


def rows(house: House) -> Any:
    return house.rows(TENANT)


def deeds(house: House) -> list[tuple[str, str]]:
    return [(entry.deed.action, entry.deed.target) for entry in rows(house).audit]


def writer(house: House, *scopes: Scope) -> Actor:
    return house.actor(Scope.APPLICATIONS_WRITE, *scopes)


async def let_in(house: House, client: Client) -> str:
    """Ann lets the application in; the text of the token that came of it."""
    house.store.directory_rows.people[ANN.id] = ANN
    text = mint(Kind.ACCESS_TOKEN, TENANT, house.randomness(SECRET_BYTES))
    family, soon = UUID(int=7), house.clock() + timedelta(hours=1)
    held: dict[str, Any] = {"tenant_id": TENANT, "client_id": client.id, "person_id": ANN.id, "scopes": client.scopes}
    async with house.store.begin(TENANT) as work:
        await work.members.add(ANN.id, Role.ADMIN, NOW)
        await work.consents.put(Consent(**held, given_at=NOW))
        await work.tokens.add(AccessToken(**held, digest=digest(text), issued_at=NOW, expires_at=soon))
        common: dict[str, Any] = {**held, "family_id": family, "signed_in_at": NOW, "expires_at": soon}
        await work.refresh_tokens.add(RefreshToken(**common, digest=b"r", issued_at=NOW))
        await work.codes.add(Code(**common, digest=b"c", redirect_uri="https://x", challenge="y"))
        await work.devices.add(Device(**common, digest=b"d", user_code="ABCD", decision=Decision.APPROVED))
    return text


async def test_a_service_is_given_a_secret_once_and_only_its_digest_is_kept() -> None:
    house = House()
    actor = replace(house.actor(), person_id=ANN.id)
    issued = await house.applications.register(actor, SERVICE)
    assert issued.secret is not None
    secret = issued.secret.reveal()
    assert parse(Kind.CLIENT_SECRET, secret)
    kept = rows(house).clients[issued.client.id]
    assert kept == issued.client
    assert (kept.secret_digest, kept.secret_hint) == (digest(secret), secret[-4:])
    assert (kept.kind, kept.created_by, kept.created_at) == (ClientKind.SERVICE, ANN.id, house.clock())
    assert secret not in repr(house.store.rows)
    assert secret not in repr(issued)
    assert deeds(house) == [("application.registered", str(kept.id))]


@pytest.mark.parametrize("new", [PARTNER, replace(PARTNER, public=False, jwks=KEYS)], ids=["public", "keys"])
async def test_who_is_public_or_has_keys_is_given_no_secret(new: NewApplication) -> None:
    house = House()
    issued = await house.applications.register(house.actor(), new)
    assert issued.secret is None
    assert (issued.client.secret_digest, issued.client.public) == (None, new.public)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (replace(SERVICE, name=" "), "name"),
        (replace(SERVICE, kind=ClientKind.API_KEY), "kind"),
        (replace(SERVICE, public=True), "public"),
        (replace(SERVICE, redirect_uris=("https://shop.example/cb",)), "redirectUris"),
        (replace(SERVICE, scopes=IDENTITY_SCOPES), "scopes"),
        (replace(SERVICE, scopes=OPERATOR_SCOPES), "scopes"),
        (replace(PARTNER, scopes=CALLS | {Scope.TENANTS_OPEN}), "scopes"),
        (replace(PARTNER, redirect_uris=("http://partner.example/cb",)), "redirectUris"),
        (replace(PARTNER, public=False, redirect_uris=("com.partner:/cb",)), "redirectUris"),
        (replace(PARTNER, jwks=KEYS), "public"),
        (replace(PARTNER, public=False, jwks={"keys": [{**ED25519, "d": "x"}]}), "jwks"),
        (replace(PARTNER, resource="http://partner.example"), "resource"),
        (replace(PARTNER, reach=Reach(models=frozenset(ref(f"m{n}") for n in range(501)))), "reach"),
    ],
)
async def test_what_no_application_can_be_is_refused(new: NewApplication, field: str) -> None:
    house = House()
    with pytest.raises(InvalidRange) as refused:
        await house.applications.register(house.actor(*Scope), new)
    assert refused.value.field == field
    assert (rows(house).clients, rows(house).audit) == ({}, [])


@pytest.mark.parametrize(
    ("reach", "what"),
    [(Reach(providers=frozenset({"nobody"})), "provider"), (Reach(models=frozenset({ref("unknown")})), "model")],
)
async def test_a_reach_names_what_there_is(reach: Reach, what: str) -> None:
    house = House()
    with pytest.raises(NotFound, match=what):
        await house.applications.register(house.actor(), replace(SERVICE, reach=reach))


@pytest.mark.parametrize("scope", sorted(TENANT_SCOPES - {Scope.APPLICATIONS_WRITE}))
async def test_nobody_gives_a_scope_that_he_lacks(scope: Scope) -> None:
    house = House()
    actor = house.actor(*(TENANT_SCOPES - {scope}))
    issued = await house.applications.register(house.actor(), replace(SERVICE, scopes=TENANT_SCOPES))
    giving = [
        house.applications.register(actor, replace(SERVICE, scopes=frozenset({scope}))),
        house.applications.rotate_secret(actor, issued.client.id, DAY),
        house.applications.resume(actor, issued.client.id),
        house.applications.update(actor, issued.client.id, ApplicationChange(jwks=KEYS)),
    ]
    for each in giving:
        with pytest.raises(Forbidden) as refused:
            await each
        assert refused.value.needs == scope
    assert rows(house).clients == {issued.client.id: issued.client}


async def test_nobody_gives_a_reach_beyond_his_own() -> None:
    house = House()
    bound = replace(house.actor(), reach=ACME)
    with pytest.raises(InvalidRange, match="reach"):
        await house.applications.register(bound, SERVICE)
    issued = await house.applications.register(bound, replace(SERVICE, reach=ACME))
    for wider in (Reach(), Reach(providers=frozenset({"acme", "home"}))):
        with pytest.raises(InvalidRange, match="reach"):
            await house.applications.update(bound, issued.client.id, ApplicationChange(reach=wider))
    unbound = await house.applications.register(house.actor(), SERVICE)
    with pytest.raises(InvalidRange, match="reach"):
        await house.applications.rotate_secret(bound, unbound.client.id, DAY)


async def test_to_take_away_needs_nothing_of_what_is_taken() -> None:
    house = House()
    issued = await house.applications.register(
        house.actor(), replace(SERVICE, scopes=frozenset({Scope.MODELS_INVOKE, Scope.USAGE_READ}))
    )
    actor, key = writer(house), issued.client.id
    narrowed = await house.applications.update(actor, key, ApplicationChange("renamed", scopes=CALLS, reach=ACME))
    assert (narrowed.name, narrowed.scopes, narrowed.reach) == ("renamed", CALLS, ACME)
    assert (await house.applications.suspend(actor, key)).suspended_at == house.clock()
    await house.applications.revoke_tokens(actor, key)
    await house.applications.remove(actor, key)
    assert rows(house).clients == {}
    assert [action for action, _ in deeds(house)] == [
        "application.registered",
        "application.updated",
        "application.suspended",
        "application.tokens_revoked",
        "application.removed",
    ]


async def test_an_operators_own_client_stays_what_it_is_and_is_given_no_more() -> None:
    house = House()
    client = Client(TENANT, ClientId(UUID(int=70)), "first client", b"x", frozenset(Scope) - IDENTITY_SCOPES, NOW)
    rows(house).clients[client.id] = client
    renamed = await house.applications.update(writer(house), client.id, ApplicationChange("ours"))
    assert renamed == replace(client, name="ours")
    with pytest.raises(Forbidden):
        await house.applications.rotate_secret(house.actor(), client.id, DAY)
    fewer = ApplicationChange(scopes=CALLS)
    await house.applications.update(writer(house), client.id, fewer)
    with pytest.raises(InvalidRange, match="operator"):
        await house.applications.update(
            house.actor(*Scope), client.id, ApplicationChange(scopes=CALLS | {Scope.QUOTAS_GRANT})
        )


async def test_what_is_not_said_stays() -> None:
    house = House()
    issued = await house.applications.register(
        house.actor(), replace(PARTNER, public=False, reach=ACME, resource="https://api.partner.example")
    )
    key = issued.client.id
    assert await house.applications.update(house.actor(), key, ApplicationChange()) == issued.client
    without = await house.applications.update(house.actor(), key, ApplicationChange(resource=""))
    assert without == replace(issued.client, resource=None)
    uris = ("https://b.example", "https://b.example", "https://c.example")
    moved = await house.applications.update(house.actor(), key, ApplicationChange(redirect_uris=uris))
    assert moved.redirect_uris == ("https://b.example", "https://c.example")


async def test_keys_take_the_place_of_a_secret() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), SERVICE)
    await house.applications.rotate_secret(house.actor(), issued.client.id, DAY)
    keyed = await house.applications.update(house.actor(), issued.client.id, ApplicationChange(jwks=KEYS))
    assert (keyed.jwks, keyed.secrets(house.clock()), keyed.secret_hint) == (KEYS, (), None)
    with pytest.raises(InvalidRange, match="secret"):
        await house.applications.rotate_secret(house.actor(), issued.client.id, DAY)
    public = await house.applications.register(house.actor(), PARTNER)
    with pytest.raises(InvalidRange, match="public"):
        await house.applications.update(house.actor(), public.client.id, ApplicationChange(jwks=KEYS))


@pytest.mark.parametrize(("overlap", "good"), [(timedelta(0), 1), (DAY, 2), (timedelta(days=7), 2)])
async def test_the_secret_before_is_good_for_the_overlap(overlap: timedelta, good: int) -> None:
    house = House()
    issued = await house.applications.register(house.actor(), SERVICE)
    before = issued.client.secret_digest
    rotated = await house.applications.rotate_secret(house.actor(), issued.client.id, overlap)
    assert rotated.secret is not None
    now = house.clock()
    assert len(rotated.client.secrets(now)) == good
    assert rotated.client.secrets(now)[0] == digest(rotated.secret.reveal()) != before
    assert rotated.client.secrets(now + overlap) == (digest(rotated.secret.reveal()),)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
async def test_an_overlap_is_at_most_a_week(overlap: timedelta) -> None:
    house = House()
    issued = await house.applications.register(house.actor(), SERVICE)
    with pytest.raises(InvalidRange, match="overlapSeconds"):
        await house.applications.rotate_secret(house.actor(), issued.client.id, overlap)


async def test_narrowing_is_felt_by_tokens_that_exist() -> None:
    house = House()
    issued = await house.applications.register(
        house.actor(), replace(PARTNER, scopes=frozenset({Scope.MODELS_INVOKE, Scope.USAGE_READ}))
    )
    token = await let_in(house, issued.client)
    assert (await house.access.authenticate(token)).scopes == {Scope.MODELS_INVOKE, Scope.USAGE_READ}
    await house.applications.update(house.actor(), issued.client.id, ApplicationChange(scopes=CALLS, reach=ACME))
    narrowed = await house.access.authenticate(token)
    assert (narrowed.scopes, narrowed.reach) == (CALLS, ACME)


async def test_a_suspended_application_holds_nothing_that_is_good_until_it_is_resumed() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), PARTNER)
    token = await let_in(house, issued.client)
    first = await house.applications.suspend(house.actor(), issued.client.id)
    house.clock.advance(timedelta(seconds=5))
    assert (await house.applications.suspend(house.actor(), issued.client.id)).suspended_at == first.suspended_at
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(token)
    await house.applications.resume(house.actor(), issued.client.id)
    assert (await house.access.authenticate(token)).person_id == ANN.id


async def test_revoking_tokens_leaves_the_consent_and_nothing_that_leads_to_a_token() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), PARTNER)
    token = await let_in(house, issued.client)
    await house.applications.revoke_tokens(house.actor(), issued.client.id)
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(token)
    mine = rows(house)
    assert (mine.tokens, mine.refresh_tokens, mine.codes, mine.devices) == ({}, {}, {}, {})
    assert len(mine.consents) == 1


async def test_an_admin_sees_who_let_it_in_and_takes_it_back() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), PARTNER)
    token, key = await let_in(house, issued.client), issued.client.id
    ((consent, member),) = (await house.applications.consents(house.actor(), [key]))[key]
    assert (consent.scopes, member.person, member.role) == (PARTNER.scopes, ANN, Role.ADMIN)
    await house.applications.revoke_consent(writer(house), key, ANN.id)
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(token)
    assert await house.applications.consents(house.actor(), [key]) == {}
    assert deeds(house)[-1] == ("consent.revoked", f"{key} {ANN.id}")
    with pytest.raises(NotFound, match="consent"):
        await house.applications.revoke_consent(house.actor(), key, ANN.id)


async def test_a_removed_application_takes_its_caps_along() -> None:
    house = House()
    issued = await house.applications.register(house.actor(), PARTNER)
    token = await let_in(house, issued.client)
    new = NewCap(CapSubject.APPLICATION, issued.client.id, Unit.CALLS, 5, Period.DAY)
    await house.caps.put(house.actor(), new)
    assert await house.applications.remove(house.actor(), issued.client.id) == issued.client
    with pytest.raises(Unauthenticated):
        await house.access.authenticate(token)
    assert (rows(house).caps, rows(house).consents) == ({}, {})


async def test_an_api_key_and_an_unknown_id_are_no_applications() -> None:
    house = House()
    key = Client(TENANT, ClientId(UUID(int=71)), "key", b"x", CALLS, NOW, ClientKind.API_KEY)
    rows(house).clients[key.id] = key
    use = house.applications
    for client_id in (key.id, ClientId(UUID(int=72))):
        for change in (
            use.update(house.actor(), client_id, ApplicationChange("x")),
            use.suspend(house.actor(), client_id),
            use.resume(house.actor(), client_id),
            use.rotate_secret(house.actor(), client_id, DAY),
            use.remove(house.actor(), client_id),
            use.revoke_tokens(house.actor(), client_id),
            use.revoke_consent(house.actor(), client_id, ANN.id),
        ):
            with pytest.raises(NotFound, match="application"):
                await change
    assert rows(house).clients == {key.id: key}
    assert rows(house).audit == []


async def test_pages_are_of_the_kinds_that_are_asked_for() -> None:
    house = House()
    made = [(await house.applications.register(house.actor(), new)).client for new in (SERVICE, PARTNER, SERVICE)]
    reader = house.actor(Scope.APPLICATIONS_READ)
    assert await house.applications.page(reader, first=2) == made[:2]
    assert await house.applications.page(reader, first=2, after=made[1].id) == made[2:]
    assert await house.applications.page(reader, {ClientKind.PARTNER}, first=9) == [made[1]]
    unknown = ClientId(UUID(int=72))
    assert await house.applications.some(reader, [made[0].id, unknown]) == {made[0].id: made[0]}


async def test_each_needs_its_scope() -> None:
    house = House()
    use, nobody, key = house.applications, house.actor(Scope.TENANT_READ), ClientId(UUID(int=1))
    refusals: list[str] = []
    for attempt in (
        use.page(nobody, first=1),
        use.some(nobody, [key]),
        use.creators(nobody, [ANN.id]),
        use.consents(nobody, [key]),
        use.register(nobody, SERVICE),
        use.update(nobody, key, ApplicationChange()),
        use.suspend(nobody, key),
        use.resume(nobody, key),
        use.rotate_secret(nobody, key, DAY),
        use.remove(nobody, key),
        use.revoke_tokens(nobody, key),
        use.revoke_consent(nobody, key, ANN.id),
    ):
        with pytest.raises(Forbidden) as refused:
            await attempt
        refusals.append(refused.value.needs)
    assert refusals == ["applications:read"] * 4 + ["applications:write"] * 8
