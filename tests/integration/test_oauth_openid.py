"""Sign-in to a partner's application: who the person is, signed, and the same person under another name elsewhere."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from domain.model.access import Scope
from domain.model.authorization import Decision
from domain.model.identity import subject
from tests.databases import Urls
from tests.oauth_town import ISSUER, RESOURCE, Partner, Town, error_of, founded

SIGN_IN = frozenset({Scope.OPENID, Scope.PROFILE, Scope.EMAIL})


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def read(town: Town, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await town.http.get("/oauth/jwks")).json())
    return jwt.decode(token, keys, algorithms=["RS256"]).claims


async def userinfo(town: Town, token: str, method: str = "GET") -> httpx2.Response:
    return await town.http.request(method, "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})


async def test_an_id_token_says_who_signed_in_where_and_when(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner()
        tokens = await partner.let_in(scopes=SIGN_IN, nonce="n-0S6")
        now = int(town.clock().timestamp())
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert await read(town, tokens["id_token"]) == {
            "iss": ISSUER,
            "sub": subject(town.opened.tenant.id, partner.person.id),
            "aud": partner.id,
            "iat": now,
            "exp": now + 1_800,
            "auth_time": now - 300,
            "nonce": "n-0S6",
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            "name": "Ada",
            "email": partner.person.email,
            "email_verified": False,
        }


async def test_only_what_was_asked_for_is_told(town: Town) -> None:
    partner = await town.partner()
    tokens = await partner.let_in(scopes=frozenset({Scope.OPENID}))
    told = await read(town, tokens["id_token"])
    assert sorted(told) == ["at_hash", "aud", "auth_time", "exp", "iat", "iss", "sub"]
    assert (await userinfo(town, tokens["access_token"])).json() == {"sub": told["sub"]}


async def test_without_openid_there_is_no_id_token(town: Town) -> None:
    tokens = await (await town.partner()).let_in(scopes=frozenset({Scope.MODELS_INVOKE, Scope.EMAIL}))
    assert "id_token" not in tokens
    refused = await userinfo(town, tokens["access_token"])
    assert error_of(refused) == (403, "insufficient_scope")
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="openid"'


async def test_a_device_learns_who_let_it_in(town: Town) -> None:
    partner = await town.partner()
    started = (await partner.start(scope="openid")).json()
    await partner.decide(started["user_code"], Decision.APPROVED)
    tokens = (await partner.poll(started["device_code"])).json()
    assert (await read(town, tokens["id_token"]))["sub"] == subject(town.opened.tenant.id, partner.person.id)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_userinfo_says_the_same(town: Town, method: str) -> None:
    partner = await town.partner()
    tokens = await partner.let_in(scopes=SIGN_IN)
    answer = await userinfo(town, tokens["access_token"], method)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "sub": subject(town.opened.tenant.id, partner.person.id),
        "name": "Ada",
        "email": partner.person.email,
        "email_verified": False,
    }


async def test_userinfo_is_for_tokens_of_people_and_for_portunus(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    signed = (await partner.let_in(scopes=SIGN_IN, resource=RESOURCE))["access_token"]
    service = (await town.post({"grant_type": "client_credentials"})).json()["access_token"]
    assert error_of(await userinfo(town, signed)) == (401, "invalid_token")
    assert error_of(await userinfo(town, "nonsense")) == (401, "invalid_token")
    assert error_of(await userinfo(town, service)) == (403, "insufficient_scope")
    bare = await town.http.get("/oauth/userinfo")
    assert (error_of(bare), bare.headers["www-authenticate"]) == ((401, "invalid_request"), "Bearer")


async def test_a_person_has_another_name_in_each_tenant_and_keeps_it(town: Town) -> None:
    partner = await town.partner()
    here = [
        (await read(town, (await Partner(town, each.client, partner.person).let_in())["id_token"]))["sub"]
        for each in (partner, partner)
    ]
    assert here[0] == here[1]
    assert here[0] not in (subject(town.neighbour.tenant.id, partner.person.id), str(partner.person.id))


@pytest.mark.parametrize("path", ["oauth-authorization-server", "openid-configuration"])
async def test_a_client_finds_every_endpoint_and_all_of_them_are_there(town: Town, path: str) -> None:
    found = (await town.http.get(f"/.well-known/{path}")).json()
    assert found["issuer"] == ISSUER
    at = {name: value.removeprefix(ISSUER) for name, value in found.items() if name.endswith(("_endpoint", "_uri"))}
    assert at.pop("authorization_endpoint") == "/oauth/authorize"
    assert len(at) == 6
    for place in at.values():
        answer = await town.http.get(place)
        assert answer.status_code in (200, 401, 405), place


async def test_the_metadata_says_what_is_so(town: Town) -> None:
    found = (await town.http.get("/.well-known/openid-configuration")).json()
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["subject_types_supported"] == ["pairwise"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    assert found["request_uri_parameter_supported"] is False
    for grant_type in found["grant_types_supported"]:
        assert error_of(await town.post({"grant_type": grant_type, "scope": ""}))[1] != "unsupported_grant_type"
    assert "none" in found["token_endpoint_auth_methods_supported"]
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]
