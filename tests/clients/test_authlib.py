"""Authlib's asynchronous client, which is what a Python application would take."""

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.clients.town import Registered, Town, query

pytestmark = pytest.mark.clients

BACK = "http://127.0.0.1:9/signed-in"
SCOPE = "openid offline_access tenant:read"
WHO = {"query": "{ viewer { __typename } }"}


def client(acme: Town, application: Registered, **more: str) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        application.client_id,
        application.secret,
        redirect_uri=application.redirect_uri or None,
        token_endpoint=f"{acme.issuer}/oauth/token",
        code_challenge_method="S256",
        trust_env=False,
        timeout=30,
        **more,
    )


async def test_a_person_signs_in_and_the_application_goes_on(acme: Town) -> None:
    application = await acme.register(BACK, name="Reports", kind="PARTNER", scopes=["tenant:read"])
    async with acme.person() as ada, client(acme, application, scope=SCOPE) as http:
        verifier = generate_token(48)
        asked, state = http.create_authorization_url(
            f"{acme.issuer}/oauth/authorize", code_verifier=verifier, nonce=generate_token()
        )
        redirected = await ada.answer(asked, "allow")
        assert query(redirected)["iss"] == acme.issuer
        first = await http.fetch_token(authorization_response=redirected, code_verifier=verifier, state=state)
        assert set(first["scope"].split()) == set(SCOPE.split())
        called = await http.post(f"{acme.issuer}/graphql", json=WHO)
        assert called.json()["data"] == {"viewer": {"__typename": "Viewer"}}

        second = await http.refresh_token(refresh_token=first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        introspected = await http.introspect_token(f"{acme.issuer}/oauth/introspect", token=second["access_token"])
        assert introspected.json()["active"]

        with pytest.raises(OAuthError, match="invalid_grant"):
            await http.refresh_token(refresh_token=first["refresh_token"])
        introspected = await http.introspect_token(f"{acme.issuer}/oauth/introspect", token=second["access_token"])
        assert introspected.json() == {"active": False}


async def test_a_code_is_of_no_use_without_its_verifier(acme: Town) -> None:
    application = await acme.register(BACK, name="Reports", kind="PARTNER", scopes=["tenant:read"])
    async with acme.person() as ada, client(acme, application, scope=SCOPE) as http:
        asked, state = http.create_authorization_url(
            f"{acme.issuer}/oauth/authorize", code_verifier=generate_token(48), nonce=generate_token()
        )
        redirected = await ada.answer(asked, "allow")
        with pytest.raises(OAuthError, match="invalid_grant"):
            await http.fetch_token(authorization_response=redirected, code_verifier=generate_token(48), state=state)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_an_application_acts_for_itself(acme: Town, method: str) -> None:
    application = await acme.register(name="Nightly", kind="SERVICE", scopes=["tenant:read", "usage:read"])
    async with client(acme, application, token_endpoint_auth_method=method) as http:
        token = await http.fetch_token(grant_type="client_credentials", scope="tenant:read")
        assert token["scope"] == "tenant:read"
        assert (await http.post(f"{acme.issuer}/graphql", json=WHO)).status_code == 200
        await http.revoke_token(f"{acme.issuer}/oauth/revoke", token=token["access_token"])
        introspected = await http.introspect_token(f"{acme.issuer}/oauth/introspect", token=token["access_token"])
        assert introspected.json() == {"active": False}
