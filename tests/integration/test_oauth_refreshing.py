"""A refresh token is good once; whoever shows it again ends all that came of the sign-in."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.model.access import Role, Scope
from domain.model.audit import Entry
from domain.model.authorization import Consent
from tests.databases import Urls
from tests.oauth_town import ASKED, RESOURCE, Town, error_of, founded

INVALID = (400, "invalid_grant")


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def reuses(town: Town) -> list[Entry]:
    async with town.begin(town.opened.tenant.id) as work:
        return list(await work.audit.page(first=10, actions=["tokens.reused"]))


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_each_use_gives_a_new_one(urls: Urls, public: bool) -> None:
    async with founded(urls) as town:
        partner = await town.partner(public=public)
        first = await partner.let_in()
        second = (await partner.refresh(first["refresh_token"])).json()
        third = (await partner.refresh(second["refresh_token"])).json()
        assert len({each["refresh_token"] for each in (first, second, third)}) == 3
        assert third["scope"].split() == sorted(ASKED)
        assert "id_token" not in third
        for tokens in (first, second, third):
            assert (await town.whoami(tokens["access_token"])).status_code == 200


async def test_a_used_one_ends_its_family_and_no_other(town: Town) -> None:
    partner = await town.partner()
    other, first = await partner.let_in(), await partner.let_in()
    second = (await partner.refresh(first["refresh_token"])).json()
    assert error_of(await partner.refresh(first["refresh_token"])) == INVALID
    assert error_of(await partner.refresh(second["refresh_token"])) == INVALID
    for tokens in (first, second):
        assert (await town.whoami(tokens["access_token"])).status_code == 401
    assert (await town.whoami(other["access_token"])).status_code == 200
    assert (await partner.refresh(other["refresh_token"])).status_code == 200


async def test_what_a_used_one_ends_is_an_entry_of_the_audit_once(town: Town) -> None:
    partner = await town.partner()
    first = await partner.let_in()
    await partner.refresh(first["refresh_token"])
    assert await reuses(town) == []
    for _ in range(3):
        await partner.refresh(first["refresh_token"])
    (entry,) = await reuses(town)
    assert (entry.deed.client_id, entry.deed.outcome, entry.deed.person_id is None) == (
        partner.client.id,
        "DONE",
        False,
    )


async def test_a_family_ends_when_its_first_one_would_have(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    for _ in range(2):
        town.clock.advance(timedelta(days=14))
        tokens = (await partner.refresh(tokens["refresh_token"])).json()
    town.clock.advance(timedelta(days=2) - timedelta(seconds=30))
    last = (await partner.refresh(tokens["refresh_token"])).json()
    assert last["expires_in"] == 30
    town.clock.advance(timedelta(seconds=30))
    assert error_of(await partner.refresh(last["refresh_token"])) == INVALID
    assert (await town.whoami(last["access_token"])).status_code == 401


async def test_less_may_be_asked_for_and_all_of_it_again_later(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    narrow = (await partner.refresh(tokens["refresh_token"], scope="models:invoke")).json()
    assert narrow["scope"] == "models:invoke"
    assert (await town.whoami(narrow["access_token"])).json()["scopes"] == ["models:invoke"]
    assert (await partner.refresh(narrow["refresh_token"])).json()["scope"].split() == sorted(ASKED)


@pytest.mark.parametrize("scope", ["credentials:read", "models:invoke email", "nonsense", "", " ", "offline_access"])
async def test_more_is_refused_and_the_token_stays_good(town: Town, scope: str) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    assert error_of(await partner.refresh(tokens["refresh_token"], scope=scope)) == (400, "invalid_scope")
    assert (await partner.refresh(tokens["refresh_token"])).status_code == 200


async def test_another_clients_is_none(town: Town) -> None:
    partner, thief = await town.partner(), await town.partner()
    tokens = await partner.let_in()
    assert error_of(await thief.refresh(tokens["refresh_token"])) == INVALID
    assert (await partner.refresh(tokens["refresh_token"])).status_code == 200
    assert error_of(await thief.refresh(tokens["refresh_token"])) == INVALID
    assert (await town.whoami(tokens["access_token"])).status_code == 200


async def test_a_lower_role_is_felt_at_the_next_use(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        await work.members.put(partner.person.id, Role.AUDITOR)
    renewed = (await partner.refresh(tokens["refresh_token"])).json()
    assert renewed["scope"].split() == ["offline_access", "openid", "tenant:read"]


async def test_consent_to_less_is_felt_at_the_next_use(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        key = partner.client.tenant_id, partner.client.id, partner.person.id
        await work.consents.put(Consent(*key, frozenset({Scope.TENANT_READ}), town.clock()))
    assert error_of(await partner.refresh(tokens["refresh_token"])) == INVALID


@pytest.mark.parametrize("token", ["", "nonsense", "ptn_rt_nonsense"])
async def test_what_was_never_a_refresh_token_is_none(town: Town, token: str) -> None:
    partner = await town.partner()
    assert error_of(await partner.refresh(token)) == INVALID
    assert error_of(await partner.refresh((await partner.let_in())["access_token"])) == INVALID
    assert error_of(await partner.post({"grant_type": "refresh_token"})) == (400, "invalid_request")


async def test_an_unbound_one_serves_either_resource(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    tokens = await partner.let_in()
    signed = (await partner.refresh(tokens["refresh_token"], resource=RESOURCE)).json()
    assert signed["access_token"].count(".") == 2
    opaque = (await partner.refresh(signed["refresh_token"])).json()
    assert opaque["access_token"].startswith("ptn_at_")


async def test_a_bound_one_serves_that_resource_alone(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    tokens = await partner.let_in(resource=RESOURCE)
    refused = await partner.refresh(tokens["refresh_token"], resource="https://portunus.example")
    assert error_of(refused) == (400, "invalid_target")
    assert (await partner.refresh(tokens["refresh_token"])).json()["access_token"].count(".") == 2
