"""How a client proves itself: by nothing, by a secret, or by a signature that is good once."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from domain.model.access import ClientKind
from tests.databases import Urls
from tests.oauth_town import ISSUER, SECRET, Partner, Town, basic, error_of, founded

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANT = {"grant_type": "client_credentials"}
REFUSED = (401, "invalid_client")
KEY = ECKey.generate_key("P-256", {"kid": "first"})


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


async def signing(town: Town, *keys: Key) -> Partner:
    jwks = {"keys": [key.as_dict(private=False) for key in keys or (KEY,)]}
    return await town.partner(jwks=jwks, secret_digest=None)


def claims(partner: Partner, **changed: Any) -> dict[str, Any]:
    now = int(partner.town.clock().timestamp())
    told = {"iss": partner.id, "sub": partner.id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one", **changed}
    return {name: value for name, value in told.items() if value is not None}


def signed(told: Mapping[str, Any], key: Key = KEY, alg: str = "ES256", **header: Any) -> str:
    return jwt.encode({"alg": alg, **header}, dict(told), key, [alg])


async def prove(town: Town, assertion: str, **form: str) -> httpx2.Response:
    sent = {**GRANT, "client_assertion_type": TYPE, "client_assertion": assertion, **form}
    return await town.post({name: value for name, value in sent.items() if value != "-"}, Authorization="")


async def test_an_independent_client_proves_itself_by_its_key(urls: Urls) -> None:
    async with founded(urls) as town:
        key = RSAKey.generate_key(2048)
        partner = await signing(town, key)
        method = PrivateKeyJWT(f"{ISSUER}/oauth/token", claims={"exp": int(time.time()) + 60})
        async with AsyncOAuth2Client(partner.id, key, token_endpoint_auth_method=method, trust_env=False) as client:
            token = await client.fetch_token(f"{town.url}/oauth/token", **GRANT)
        assert (await town.whoami(token["access_token"])).status_code == 200


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSAKey.generate_key(2048), "RS256"),
        (RSAKey.generate_key(2048), "PS256"),
        (KEY, "ES256"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
)
async def test_a_signature_is_good_for_either_audience(town: Town, key: Key, alg: str) -> None:
    partner = await signing(town, key)
    for jti, aud in enumerate((ISSUER, [ISSUER], f"{ISSUER}/oauth/token")):
        assertion = signed(claims(partner, aud=aud, jti=str(jti)), key, alg)
        assert (await prove(town, assertion)).status_code == 200


async def test_the_older_name_of_an_algorithm_is_taken_too(town: Town) -> None:
    """RFC 8037 calls it EdDSA; most libraries still do."""
    key = OKPKey.generate_key("Ed25519")
    partner = await signing(town, key)
    body = signed(claims(partner), key, "Ed25519")
    header, payload = "eyJhbGciOiJFZERTQSJ9", body.split(".")[1]  # {"alg":"EdDSA"}
    assert isinstance(key.private_key, Ed25519PrivateKey)
    signature = urlsafe_b64encode(key.private_key.sign(f"{header}.{payload}".encode())).rstrip(b"=").decode()
    assert (await prove(town, f"{header}.{payload}.{signature}")).status_code == 200


async def test_a_proof_is_good_once_and_its_client_may_be_named(urls: Urls) -> None:
    async with founded(urls) as town:
        partner = await signing(town)
        assertion = signed(claims(partner))
        assert (await prove(town, assertion, client_id=partner.id)).status_code == 200
        assert error_of(await prove(town, assertion)) == REFUSED
        assert (await prove(town, signed(claims(partner, jti="two")))).status_code == 200


WRONG: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://other.example"},
    "two audiences": {"aud": [ISSUER, "https://other.example"]},
    "no audience": {"aud": None},
    "another issuer": {"iss": "ptn_ci_other"},
    "another subject": {"sub": "ptn_ci_other"},
    "no issuer": {"iss": None},
    "no end": {"exp": None},
    "over": {"exp": int(time.time()) - 60},
    "good for too long": {"exp": int(time.time()) + 86_400},
    "no number": {"exp": "soon"},
    "a number beyond all": {"exp": 10**400},
    "not begun": {"nbf": int(time.time()) + 86_400},
    "made in the future": {"iat": int(time.time()) + 86_400},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "x" * 256},
    "an id that is no text": {"jti": 7},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_claim_proves_nothing(town: Town, changed: dict[str, Any]) -> None:
    partner = await signing(town)
    assert error_of(await prove(town, signed(claims(partner, **changed)), client_id=partner.id)) == REFUSED


async def test_only_the_clients_own_signature_proves_anything(town: Town) -> None:
    partner, other = await signing(town), await signing(town, ECKey.generate_key("P-256"))
    told = claims(partner)
    secret = OctKey.import_key("x" * 64)
    forged = [
        signed(told, ECKey.generate_key("P-256")),
        signed(told, secret, "HS256"),
        signed(claims(other)),
        signed(told, RSAKey.generate_key(2048), "RS384"),
        signed(told, kid="second"),
        signed(told)[:-4] + "AAAA",
        "eyJhbGciOiJub25lIn0." + signed(told).split(".")[1] + ".",
        "",
        "a.b.c",
        "nonsense",
    ]
    answers = [await prove(town, assertion, client_id=partner.id) for assertion in forged]
    assert {error_of(answer) for answer in answers} == {REFUSED}
    assert len({answer.text for answer in answers}) == 1


async def test_a_proof_of_no_known_type_is_none(town: Town) -> None:
    partner = await signing(town)
    for kind in ("-", "", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"):
        assert error_of(await prove(town, signed(claims(partner)), client_assertion_type=kind)) == REFUSED


async def test_a_client_with_keys_has_no_other_proof(town: Town) -> None:
    partner = await town.partner(jwks={"keys": [KEY.as_dict(private=False)]})
    assert error_of(await town.post(GRANT, Authorization=basic(partner.id, SECRET))) == REFUSED
    assert error_of(await town.post({**GRANT, "client_id": partner.id}, Authorization="")) == REFUSED
    assert (await prove(town, signed(claims(partner)))).status_code == 200


@pytest.mark.parametrize("keys", [[], [{"kty": "RSA"}], [{"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"}]])
async def test_broken_keys_prove_nothing(town: Town, keys: list[dict[str, str]]) -> None:
    partner = await town.partner(jwks={"keys": keys}, secret_digest=None)
    assert error_of(await prove(town, signed(claims(partner)))) == REFUSED


async def test_a_proof_beside_another_is_invalid(town: Town) -> None:
    partner = await signing(town)
    sent = {**GRANT, "client_assertion_type": TYPE, "client_assertion": signed(claims(partner))}
    assert error_of(await town.post(sent)) == (400, "invalid_request")
    assert error_of(await town.post({**sent, "client_secret": "x"}, Authorization="")) == (400, "invalid_request")


async def test_a_public_client_has_no_secret_to_show_and_nothing_of_its_own(town: Town) -> None:
    public = await town.partner(public=True)
    assert error_of(await public.post(GRANT)) == (400, "unauthorized_client")
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for proof in (basic(public.id, ""), basic(public.id, "x"), "Basic ????"):
        assert error_of(await town.post({**form, "client_id": public.id}, Authorization=proof)) == REFUSED
    assert error_of(await public.post({**form, "client_secret": "x"})) == REFUSED
    assert error_of(await public.post(form)) == (400, "invalid_grant")


async def test_a_client_with_a_secret_must_show_it(town: Town) -> None:
    partner = await town.partner()
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": partner.id}
    assert error_of(await town.post(form, Authorization="")) == REFUSED


@pytest.mark.parametrize("state", ["suspended_at", "expires_at"])
async def test_a_client_that_is_not_active_reads_like_an_unknown_one(town: Town, state: str) -> None:
    ended: dict[str, Any] = {state: town.clock()}
    partner = await town.partner(**ended)
    proof = basic(partner.id, SECRET)
    refused = await town.post(GRANT, Authorization=proof)
    assert error_of(refused) == REFUSED
    assert refused.text == (await town.post(GRANT, Authorization=basic("ptn_ci_x", SECRET))).text
    for endpoint in ("revoke", "introspect", "device_authorization"):
        answer = await town.post({"token": "x", "scope": "models:invoke"}, endpoint, Authorization=proof)
        assert error_of(answer) == REFUSED


async def test_an_api_key_is_no_client_of_oauth(town: Town) -> None:
    partner = await town.partner(kind=ClientKind.API_KEY)
    assert error_of(await town.post(GRANT, Authorization=basic(partner.id, SECRET))) == REFUSED


async def test_a_partner_with_a_secret_acts_for_itself_too(town: Town) -> None:
    partner = await town.partner()
    answer = (await partner.post(GRANT)).json()
    assert answer["scope"].split() == sorted(partner.client.scopes)
    assert "refresh_token" not in answer
    for scope in ("openid", "offline_access"):
        assert error_of(await partner.post({**GRANT, "scope": scope})) == (400, "invalid_scope")
