"""A token can be looked up within its tenant, and ended by its client."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.model.access import Role, Scope
from domain.model.identity import subject
from domain.model.tokens import digest
from tests.databases import Urls
from tests.oauth_town import ASKED, ISSUER, Partner, Town, basic, error_of, founded

INACTIVE = {"active": False}


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def state(partner: Partner, token: str) -> dict[str, object]:
    answer = await partner.post({"token": token}, "introspect")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told: dict[str, object] = answer.json()
    return told


async def test_an_active_token_says_whose_it_is(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner()
        tokens, now = await partner.let_in(), int(town.clock().timestamp())
        told = {
            "active": True,
            "iss": ISSUER,
            "scope": " ".join(sorted(ASKED)),
            "client_id": partner.id,
            "tenant": str(town.opened.tenant.id),
            "sub": subject(town.opened.tenant.id, partner.person.id),
            "iat": now,
        }
        access = {**told, "exp": now + 1_800, "token_type": "Bearer", "aud": ISSUER}
        assert await state(partner, tokens["access_token"]) == access
        assert await state(partner, tokens["refresh_token"]) == {**told, "exp": now + 30 * 86_400}


async def test_a_service_of_the_tenant_may_look_an_access_token_up_and_no_refresh_token(town: Town) -> None:
    tokens = await (await town.partner()).let_in()
    seen = [
        (await town.post({"token": tokens[kind]}, "introspect")).json() for kind in ("access_token", "refresh_token")
    ]
    assert seen[0]["active"]
    assert seen[1] == INACTIVE


async def test_another_tenants_token_is_inactive(town: Town) -> None:
    tokens = await (await town.partner()).let_in()
    proof = basic(town.neighbour.client_id, town.neighbour.client_secret.reveal())
    for token in tokens["access_token"], tokens["refresh_token"]:
        assert (await town.post({"token": token}, "introspect", Authorization=proof)).json() == INACTIVE
        await town.post({"token": token}, "revoke", Authorization=proof)
    assert (await town.whoami(tokens["access_token"])).status_code == 200


async def test_the_scopes_are_those_that_the_token_has_now(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        await work.members.put(partner.person.id, Role.AUDITOR)
    assert (await state(partner, tokens["access_token"]))["scope"] == "offline_access openid tenant:read"


async def test_what_is_over_used_or_unknown_is_inactive(town: Town) -> None:
    partner = await town.partner()
    first = await partner.let_in()
    await partner.refresh(first["refresh_token"])
    code = await partner.code()
    for token in (first["refresh_token"], code, "nonsense", "ptn_at_x", "ptn_rt_x", partner.id):
        assert await state(partner, token) == INACTIVE
    town.clock.advance(timedelta(seconds=1_800))
    assert await state(partner, first["access_token"]) == INACTIVE


async def test_a_suspended_clients_token_is_inactive(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in()
    async with town.begin(partner.client.tenant_id) as work:
        await work.clients.put(replace(partner.client, suspended_at=town.clock()))
    assert (await town.post({"token": tokens["access_token"]}, "introspect")).json() == INACTIVE


async def test_a_public_client_looks_nothing_up(town: Town) -> None:
    public = await town.partner(public=True)
    answer = await public.post({"token": (await public.let_in())["access_token"]}, "introspect")
    assert error_of(answer) == (401, "invalid_client")


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_a_client_ends_its_own_access_token(urls: Urls, public: bool) -> None:
    async with founded(urls) as town:
        partner = await town.partner(public=public)
        tokens = await partner.let_in()
        answer = await partner.post({"token": tokens["access_token"], "token_type_hint": "refresh_token"}, "revoke")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert (await town.whoami(tokens["access_token"])).status_code == 401
        assert (await partner.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_refresh_token_ends_with_its_family(town: Town) -> None:
    partner = await town.partner()
    first = await partner.let_in()
    second = (await partner.refresh(first["refresh_token"])).json()
    assert (await partner.post({"token": second["refresh_token"]}, "revoke")).status_code == 200
    assert error_of(await partner.refresh(second["refresh_token"])) == (400, "invalid_grant")
    for tokens in (first, second):
        assert (await town.whoami(tokens["access_token"])).status_code == 401


async def test_ending_what_is_unknown_or_anothers_reads_the_same_and_does_nothing(town: Town) -> None:
    partner, other = await town.partner(), await town.partner()
    tokens = await partner.let_in(scopes=frozenset({Scope.MODELS_INVOKE, Scope.OFFLINE_ACCESS}))
    answers = {
        (answer.status_code, answer.text)
        for token in (tokens["access_token"], tokens["refresh_token"], "nonsense", "ptn_rt_x")
        for answer in [await other.post({"token": token}, "revoke")]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 200
    assert (await town.whoami(tokens["access_token"])).status_code == 200
    assert (await partner.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
async def test_a_token_must_be_named_once_by_a_client_that_proved_itself(town: Town, endpoint: str) -> None:
    assert error_of(await town.post("", endpoint)) == (400, "invalid_request")
    assert error_of(await town.post("token=", endpoint)) == (400, "invalid_request")
    assert error_of(await town.post("token=a&token=b", endpoint)) == (400, "invalid_request")
    assert error_of(await town.post("token=a", endpoint, Authorization="")) == (401, "invalid_client")
    wrong = await town.post("token=a", endpoint, Authorization=basic(town.client_id, "wrong"))
    assert error_of(wrong) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")
    assert (await town.http.get(f"/oauth/{endpoint}")).status_code == 405


async def test_only_digests_are_kept(town: Town) -> None:
    tokens = await (await town.partner()).let_in()
    async with town.begin(town.opened.tenant.id) as work:
        row = await work.tokens.one(digest(tokens["access_token"]))
        kept = await work.refresh_tokens.lock(digest(tokens["refresh_token"]))
    assert tokens["access_token"] not in repr(row)
    assert tokens["refresh_token"] not in repr(kept)
