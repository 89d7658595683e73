"""openid-client, a certified relying party for Node, through everything that Portunus' issuer does."""

from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.clients.script import script
from tests.clients.town import Town, query

pytestmark = pytest.mark.clients

BACK = "http://127.0.0.1:9/signed-in"
RESOURCE = "http://127.0.0.1:9/api"
IDENTITY = "openid profile email offline_access"
PERSONS = f"{IDENTITY} tenant:read models:invoke"
PARTNER: dict[str, Any] = {"name": "Reports", "kind": "PARTNER", "scopes": ["tenant:read", "models:invoke"]}
SERVICE: dict[str, Any] = {"name": "Nightly", "kind": "SERVICE", "scopes": ["tenant:read", "usage:read"]}
WHO = "{ viewer { __typename } }"


def private_key() -> dict[str, Any]:
    return {**ECKey.generate_key("P-256", private=True).as_dict(private=True), "alg": "ES256", "kid": "1"}


def public_half(key: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [{name: value for name, value in key.items() if name != "d"}]}


def terms(base: dict[str, Any], method: str) -> dict[str, Any]:
    """What is registered of an application that proves itself so."""
    if method == "private_key_jwt":
        key = private_key()
        return {**base, "jwks": public_half(key), "key": key}
    return {**base, "public": True} if method == "none" else base


async def test_each_document_leads_to_the_server(acme: Town) -> None:
    application = await acme.register(**SERVICE)
    client = application.proving("client_secret_basic")
    async with script("discovery.js", issuer=acme.issuer, client=client) as finding:
        found = await finding.hear()
    assert found["oidc"] == found["oauth2"]
    assert found["oidc"]["issuer"] == acme.issuer
    assert found["resource"]["authorization_servers"] == [acme.issuer]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
async def test_a_person_signs_in_and_the_application_goes_on(acme: Town, method: str) -> None:
    application = await acme.register(BACK, **terms(PARTNER, method))
    given = {"client": application.proving(method), "redirect_uri": BACK, "scope": PERSONS}
    async with acme.person() as ada, script("code.js", issuer=acme.issuer, **given) as signing_in:
        redirected = await ada.answer((await signing_in.hear())["authorize"], "allow")
        assert redirected.startswith(f"{BACK}?")
        assert query(redirected)["iss"] == acme.issuer
        await signing_in.tell(redirected=redirected)

        signed_in = await signing_in.hear()
        assert set(signed_in["suspicious"].values()) == {"OAUTH_INVALID_RESPONSE"}
        assert signed_in["claims"]["aud"] == application.client_id
        assert signed_in["me"] == {
            "sub": signed_in["claims"]["sub"],
            "name": "Ada",
            "email": ada.email,
            "email_verified": signed_in["me"]["email_verified"],
        }
        assert await called(acme, signed_in["tokens"]["access_token"]) == 200
        await signing_in.tell()

        renewed = await signing_in.hear()
        assert renewed["renewed"]["refresh_token"] != signed_in["tokens"]["refresh_token"]
        if method != "none":
            assert renewed["introspected"]["active"]
            assert set(renewed["introspected"]["scope"].split()) == set(PERSONS.split())

        ended = await signing_in.hear()
        assert method == "none" or ended["revoked"] == {"active": False}
        assert (ended["reused"], ended["family"]) == ("invalid_grant", "invalid_grant")
        assert await called(acme, ended["last"]) == 401


async def test_a_person_who_let_an_application_in_is_not_asked_again(acme: Town) -> None:
    application = await acme.register(BACK, **PARTNER)
    given = {"client": application.proving("client_secret_basic"), "redirect_uri": BACK, "scope": PERSONS}
    async with acme.person() as ada:
        async with script("denied.js", issuer=acme.issuer, **given) as first:
            await first.tell(redirected=await ada.answer((await first.hear())["authorize"], "allow"))
            assert (await first.hear())["refused"] == "granted"
        async with script("denied.js", issuer=acme.issuer, **given) as second:
            await second.tell(redirected=await ada.passed((await second.hear())["authorize"]))
            assert (await second.hear())["refused"] == "granted"


async def test_a_denial_and_a_bad_request_reach_the_application(acme: Town) -> None:
    application = await acme.register(BACK, **PARTNER)
    given = {"client": application.proving("client_secret_basic"), "redirect_uri": BACK, "scope": PERSONS}
    async with acme.person() as ada:
        async with script("denied.js", issuer=acme.issuer, **given) as denied:
            await denied.tell(redirected=await ada.answer((await denied.hear())["authorize"], "deny"))
            assert (await denied.hear())["refused"] == "access_denied"
        for more, error in (
            ({"prompt": "none"}, "consent_required"),
            ({"scope": "everything"}, "invalid_scope"),
            ({"resource": "https://another.example"}, "invalid_target"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
        ):
            async with script("denied.js", issuer=acme.issuer, **given, more=more) as refused:
                await refused.tell(redirected=await ada.passed((await refused.hear())["authorize"]))
                assert (await refused.hear())["refused"] == error


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_an_application_acts_for_itself(acme: Town, method: str) -> None:
    application = await acme.register(**terms({**SERVICE, "resource": RESOURCE}, method))
    given = {"client": application.proving(method), "scope": "tenant:read", "resource": RESOURCE}
    async with script("service.js", issuer=acme.issuer, **given) as acting:
        own = await acting.hear()
        assert own["token"]["scope"] == "tenant:read"
        assert own["introspected"]["active"]
        assert own["revoked"] == {"active": False}
        assert own["beyond"] == "invalid_scope"

        for_its_server = await acting.hear()
        assert for_its_server["claims"]["aud"] == RESOURCE
        assert for_its_server["claims"]["client_id"] == application.client_id
        assert for_its_server["elsewhere"] != "granted"
        assert for_its_server["unknown"] == "invalid_target"
        assert await called(acme, for_its_server["jwt"]["access_token"]) == 401


async def test_a_command_line_is_let_in_by_its_code(acme: Town) -> None:
    application = await acme.register(**terms(PARTNER, "none"))
    given = {"client": application.proving("none"), "scope": PERSONS}
    async with acme.person() as ada, script("device.js", issuer=acme.issuer, **given) as waiting:
        told = await waiting.hear()
        assert (told["pending"], told["hasty"]) == ("authorization_pending", "slow_down")
        assert told["device"]["verification_uri"] == f"{acme.issuer}/device"
        assert "Your device is let in" in await ada.device(told["device"]["user_code"], "allow")
        await waiting.tell(answered="allow")
        let_in = await waiting.hear()
        assert await called(acme, let_in["tokens"]["access_token"]) == 200
        assert let_in["again"] == "invalid_grant"


async def test_a_command_line_is_told_that_it_was_denied(acme: Town) -> None:
    application = await acme.register(**terms(PARTNER, "none"))
    given = {"client": application.proving("none"), "scope": PERSONS}
    async with acme.person() as ada, script("device.js", issuer=acme.issuer, **given) as waiting:
        told = await waiting.hear()
        assert "Your device was not let in" in await ada.device(told["device"]["user_code"], "deny")
        await waiting.tell(answered="deny")
        assert (await waiting.hear())["refused"] == "access_denied"


async def called(acme: Town, token: str) -> int:
    """The status of a call of the API with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return (await acme.api.http.post("/graphql", json={"query": WHO}, headers=headers)).status_code
