"""A token is for Portunus, or for the client's own resource server, which reads it without asking (RFC 8707, 9068)."""

from collections.abc import AsyncIterator

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from domain.model.access import ClientKind
from domain.model.identity import subject
from tests.databases import Urls
from tests.oauth_town import ASKED, ISSUER, RESOURCE, Town, error_of, founded

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def read(town: Town, token: str) -> jwt.Token:
    """As a resource server does, with nothing but the published keys."""
    keys = KeySet.import_key_set((await town.http.get("/oauth/jwks")).json())
    return jwt.decode(token, keys, algorithms=["RS256"])


@pytest.mark.parametrize("resource", [ISSUER, f"{ISSUER}/", f"{ISSUER}/graphql"])
async def test_a_token_for_portunus_is_opaque(town: Town, resource: str) -> None:
    answer = await town.post({**GRANT, "resource": resource})
    assert (await town.whoami(answer.json()["access_token"])).status_code == 200


@pytest.mark.parametrize("resource", ["", "https://other.example", f"{ISSUER}/usage.csv", RESOURCE, f"{RESOURCE}/"])
async def test_a_token_for_anybody_else_is_refused(town: Town, resource: str) -> None:
    assert error_of(await town.post({**GRANT, "resource": resource})) == (400, "invalid_target")


async def test_another_clients_resource_is_anybody_elses(town: Town) -> None:
    await town.partner(resource=RESOURCE)
    assert error_of(await (await town.partner()).post({**GRANT, "resource": RESOURCE})) == (400, "invalid_target")


async def test_two_resources_at_once_are_refused(town: Town) -> None:
    body = f"grant_type=client_credentials&resource={ISSUER}&resource={ISSUER}/graphql"
    assert error_of(await town.post(body)) == (400, "invalid_target")


async def test_a_token_for_the_clients_own_resource_is_signed(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await town.partner(resource=RESOURCE)
        tokens = await partner.let_in(resource=RESOURCE)
        token = await read(town, tokens["access_token"])
        assert token.header["typ"] == "at+jwt"
        now = int(town.clock().timestamp())
        jti = token.claims.pop("jti")
        assert len(jti) == 32
        assert token.claims == {
            "iss": ISSUER,
            "aud": RESOURCE,
            "sub": subject(town.opened.tenant.id, partner.person.id),
            "client_id": partner.id,
            "tenant": str(town.opened.tenant.id),
            "scope": " ".join(sorted(ASKED)),
            "iat": now,
            "exp": now + 1_800,
        }
        assert (await town.whoami(tokens["access_token"])).status_code == 401


async def test_without_a_person_the_subject_is_the_client(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE, kind=ClientKind.SERVICE)
    answer = (await partner.post({**GRANT, "resource": RESOURCE})).json()
    token = await read(town, answer["access_token"])
    assert token.claims["sub"] == token.claims["client_id"] == partner.id


async def test_a_signed_token_is_known_and_can_be_ended(town: Town) -> None:
    partner = await town.partner(resource=RESOURCE)
    token = (await partner.let_in(resource=RESOURCE))["access_token"]
    state = (await partner.post({"token": token}, "introspect")).json()
    assert (state["active"], state["aud"]) == (True, RESOURCE)
    assert (await partner.post({"token": token}, "revoke")).status_code == 200
    assert (await partner.post({"token": token}, "introspect")).json() == {"active": False}
