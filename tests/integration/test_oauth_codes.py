"""A code becomes tokens once, for the client it was made for, with the verifier that only that client knows."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.model.access import ClientKind, Role, Scope
from domain.model.authorization import Consent
from domain.model.tokens import digest
from tests.databases import Urls
from tests.oauth_town import ASKED, CHALLENGE, RESOURCE, SECRET, Town, basic, error_of, founded


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_a_code_becomes_tokens_for_what_was_asked(urls: Urls, public: bool) -> None:
    async with founded(urls) as town:
        partner = await town.partner(public=public)
        answer = await partner.redeem(await partner.code())
        tokens = answer.json()
        assert answer.headers["cache-control"] == "no-store"
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 1_800)
        assert tokens["scope"].split() == sorted(ASKED)
        assert tokens["refresh_token"].startswith("ptn_rt_")
        assert (await town.whoami(tokens["access_token"])).json()["scopes"] == sorted(ASKED)


async def test_without_offline_access_there_is_no_refresh_token(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in(scopes=frozenset({Scope.MODELS_INVOKE}))
    assert sorted(tokens) == ["access_token", "expires_in", "scope", "token_type"]


async def test_a_code_shown_twice_ends_all_that_came_of_it(town: Town) -> None:
    partner = await town.partner()
    code = await partner.code()
    tokens = (await partner.redeem(code)).json()
    assert error_of(await partner.redeem(code)) == (400, "invalid_grant")
    assert (await town.whoami(tokens["access_token"])).status_code == 401
    assert error_of(await partner.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


async def test_who_did_not_prove_himself_ends_nothing_with_a_used_code(town: Town) -> None:
    partner = await town.partner()
    code = await partner.code()
    tokens = (await partner.redeem(code)).json()
    form = {"grant_type": "authorization_code", "code": code}
    refused = await town.post(form, Authorization=basic(partner.id, "wrong"))
    assert error_of(refused) == (401, "invalid_client")
    assert (await town.whoami(tokens["access_token"])).status_code == 200


WRONG = {
    "another verifier": ({"code_verifier": "x" * 43}, "invalid_grant"),
    "the challenge itself": ({"code_verifier": CHALLENGE}, "invalid_grant"),
    "no verifier": ({"code_verifier": "-"}, "invalid_request"),
    "a short verifier": ({"code_verifier": "x" * 42}, "invalid_request"),
    "another redirect URI": ({"redirect_uri": "https://crm.example/callback/"}, "invalid_grant"),
    "no redirect URI": ({"redirect_uri": "-"}, "invalid_grant"),
    "no code": ({"code": "-"}, "invalid_request"),
    "an empty code": ({"code": ""}, "invalid_grant"),
    "nonsense for a code": ({"code": "ptn_ac_nonsense"}, "invalid_grant"),
}


@pytest.mark.parametrize(("changed", "error"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_a_wrong_request_leaves_the_code_as_it_was(
    town: Town, public: bool, changed: dict[str, str], error: str
) -> None:
    partner = await town.partner(public=public)
    code = await partner.code()
    assert error_of(await partner.redeem(code, **changed)) == (400, error)
    assert (await partner.redeem(code)).status_code == 200


async def test_a_code_without_a_challenge_is_none(town: Town) -> None:
    partner = await town.partner()
    for verifier in ("x" * 43, "-"):
        refused = await partner.redeem(await partner.code(challenge=""), code_verifier=verifier)
        assert error_of(refused) == (400, "invalid_grant")


async def test_a_code_is_good_for_a_minute(town: Town) -> None:
    partner = await town.partner()
    code = await partner.code()
    town.clock.advance(timedelta(seconds=60))
    assert error_of(await partner.redeem(code)) == (400, "invalid_grant")


async def test_another_clients_code_is_none_and_stays_good(town: Town) -> None:
    partner, thief = await town.partner(), await town.partner()
    code = await partner.code()
    assert error_of(await thief.redeem(code)) == (400, "invalid_grant")
    assert (await partner.redeem(code)).status_code == 200
    assert error_of(await thief.redeem(code)) == (400, "invalid_grant")
    assert error_of(await partner.redeem(code)) == (400, "invalid_grant")


async def test_a_service_cannot_use_what_people_give(town: Town) -> None:
    partner = await town.partner(kind=ClientKind.SERVICE)
    assert error_of(await partner.redeem(await partner.code())) == (400, "unauthorized_client")


async def test_what_the_person_may_not_do_is_not_granted(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in(scopes=frozenset({Scope.MODELS_INVOKE, Scope.CREDENTIALS_READ}))
    assert tokens["scope"] == "models:invoke"
    async with town.begin(partner.client.tenant_id) as work:
        await work.members.put(partner.person.id, Role.AUDITOR)
    assert error_of(await partner.redeem(await partner.code(frozenset({Scope.MODELS_INVOKE})))) == (
        400,
        "invalid_scope",
    )


async def test_what_was_not_consented_to_is_not_granted(town: Town) -> None:
    partner = await town.partner()
    code = await partner.code(ASKED)
    consented = frozenset({Scope.TENANT_READ})
    async with town.begin(partner.client.tenant_id) as work:
        given = Consent(partner.client.tenant_id, partner.client.id, partner.person.id, consented, town.clock())
        await work.consents.put(given)
    assert (await partner.redeem(code)).json()["scope"] == "tenant:read"


async def test_a_code_goes_with_its_consent(town: Town) -> None:
    partner = await town.partner()
    code, tokens = await partner.code(), await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        await work.consents.remove(partner.client.id, partner.person.id)
    assert error_of(await partner.redeem(code)) == (400, "invalid_grant")
    assert (await town.whoami(tokens["access_token"])).status_code == 401


async def test_the_consent_tells_when_it_was_last_used(town: Town) -> None:
    partner = await town.partner()
    await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        consent = await work.consents.one(partner.client.id, partner.person.id)
    assert consent is not None
    assert consent.last_used_at == town.clock()


async def test_a_code_is_for_the_resource_that_was_named(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    refused = await partner.redeem(await partner.code(resource=RESOURCE), resource="https://portunus.example")
    assert error_of(refused) == (400, "invalid_target")
    granted = await partner.redeem(await partner.code(resource=RESOURCE))
    assert granted.json()["access_token"].count(".") == 2


async def test_both_secrets_are_good_while_one_replaces_the_other(town: Town) -> None:
    until = town.clock() + timedelta(hours=1)
    partner = await town.partner(old_secret_digest=digest("the old one"), old_secret_until=until)
    form = {"grant_type": "client_credentials"}
    for secret in (SECRET, "the old one"):
        assert (await town.post(form, Authorization=basic(partner.id, secret))).status_code == 200
    town.clock.advance(timedelta(hours=1))
    assert error_of(await town.post(form, Authorization=basic(partner.id, "the old one"))) == (401, "invalid_client")
    assert (await town.post(form, Authorization=basic(partner.id, SECRET))).status_code == 200
