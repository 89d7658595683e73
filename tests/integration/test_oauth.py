"""Client credentials over a real socket and real stores: by an independent client, and by requests at every edge."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_bytes
from typing import Any
from urllib.parse import urlencode

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from sqlalchemy.engine import make_url
from starlette.types import Message
from uuid_utils.compat import uuid7

from domain.model.access import TENANT_SCOPES
from domain.model.tokens import Kind, mint
from tests.databases import Urls
from tests.oauth_town import FORM, ISSUER, Town, basic, founded

ALL = " ".join(sorted(TENANT_SCOPES))
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_real_client_gets_a_token_that_opens_its_own_tenant(urls: Urls, method: str) -> None:
    async with founded(urls) as town, town.oauth(method) as client:
        token = await client.fetch_token(f"{town.url}/oauth/token", grant_type="client_credentials")
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 1_800, ALL)
        assert token["access_token"].startswith("ptn_at_")
        me = await client.get(f"{town.url}/graphql/")
        assert me.json() == {"tenant": str(town.opened.tenant.id), "scopes": ALL.split()}


async def test_a_real_client_learns_why_it_is_refused(town: Town) -> None:
    async with AsyncOAuth2Client(town.client_id, "wrong", trust_env=False) as client:
        with pytest.raises(OAuthError) as refusal:
            await client.fetch_token(f"{town.url}/oauth/token", grant_type="client_credentials")
    assert refusal.value.error == "invalid_client"


async def test_the_answer_is_never_stored_by_a_cache(town: Town) -> None:
    for answer in (await town.post(GRANT), await town.post({"grant_type": "x"}), await town.post("")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("models:invoke", ["models:invoke"]),
        ("tenant:read models:invoke", ["models:invoke", "tenant:read"]),
        (" models:invoke  models:invoke ", ["models:invoke"]),
        (ALL, ALL.split()),
    ],
)
async def test_a_token_carries_the_scopes_that_were_asked_for(town: Town, scope: str, granted: list[str]) -> None:
    answer = await town.post({**GRANT, "scope": scope})
    assert answer.status_code == 200
    assert answer.json()["scope"].split() == granted
    assert (await town.whoami(answer.json()["access_token"])).json()["scopes"] == granted


@pytest.mark.parametrize("scope", ["", "  ", "tenants:open", "models:invoke tenants:open", "nonsense", "Models:Invoke"])
async def test_a_scope_that_the_client_lacks_is_refused_not_dropped(town: Town, scope: str) -> None:
    answer = await town.post({**GRANT, "scope": scope})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_whoever_does_not_prove_itself_gets_one_and_the_same_answer(town: Town) -> None:
    stranger = mint(Kind.CLIENT_ID, town.opened.tenant.id, bytes(16))
    nobodys = mint(Kind.CLIENT_ID, town.opened.tenant.id, uuid7().bytes)
    other_secret = town.neighbour.client_secret.reveal()
    proofs = {
        "wrong secret": basic(town.client_id, "wrong"),
        "empty secret": basic(town.client_id, ""),
        "the neighbour's secret": basic(town.client_id, other_secret),
        "unknown client": basic(stranger, town.secret),
        "nobody's id": basic(nobodys, town.secret),
        "malformed id": basic("shop", town.secret),
        "id of the wrong kind": basic(town.secret, town.secret),
        "no colon": "Basic " + b64encode(town.client_id.encode()).decode(),
        "not UTF-8": "Basic " + b64encode(b"\xff\xfe:\xff").decode(),
        "not base64": "Basic ????",
        "nothing": "Basic",
        "another scheme": "Bearer " + town.secret,
        "no header": "",
    }
    answers = {name: await town.post(GRANT, Authorization=proof) for name, proof in proofs.items()}
    for form in ({"client_id": town.client_id}, {"client_id": town.client_id, "client_secret": "wrong"}):
        answers[str(len(form))] = await town.post({**GRANT, **form}, Authorization="")
    seen = {(a.status_code, a.headers["www-authenticate"], a.text) for a in answers.values()}
    assert len(seen) == 1
    ((status, challenge, text),) = seen
    assert (status, challenge) == (401, 'Basic realm="portunus", charset="UTF-8"')
    assert '"invalid_client"' in text


MALFORMED = {
    "empty": "",
    "no grant type": "scope=models%3Ainvoke",
    "empty grant type": "grant_type=",
    "duplicate": "grant_type=client_credentials&grant_type=client_credentials",
    "duplicate scope": "grant_type=client_credentials&scope=models%3Ainvoke&scope=",
    "secret in two places": "grant_type=client_credentials&client_secret=x",
    "another client's id": "grant_type=client_credentials&client_id=ptn_ci_other",
    "not UTF-8": b"grant_type=client_credentials&scope=\xff",
    "escaped, not UTF-8": "grant_type=client_credentials&scope=%FF",
    "too many parameters": "grant_type=client_credentials" + "".join(f"&p{n}=" for n in range(50)),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_request_is_invalid(town: Town, body: str | bytes) -> None:
    answer = await town.post(body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_unknown_parameters_are_ignored(town: Town) -> None:
    assert (await town.post({**GRANT, "audience": "x", "client_id": town.client_id})).status_code == 200


@pytest.mark.parametrize(
    "grant_type", ["password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "CLIENT_CREDENTIALS", "é\n<b>"]
)
async def test_another_grant_is_unsupported_and_not_repeated(town: Town, grant_type: str) -> None:
    answer = await town.post({"grant_type": grant_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert grant_type not in answer.json()["error_description"]


async def test_two_authorization_headers_are_invalid(town: Town) -> None:
    proof = basic(town.client_id, town.secret)
    headers = [*FORM.items(), ("Authorization", proof), ("Authorization", proof)]
    answer = await town.http.post("/oauth/token", content=urlencode(GRANT), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_what_is_no_form_is_refused(town: Town, media_type: str) -> None:
    answer = await town.post(GRANT, **{"Content-Type": media_type})
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


async def test_a_form_may_name_its_charset(town: Town) -> None:
    media_type = "Application/X-WWW-Form-URLEncoded; charset=UTF-8"
    assert (await town.post(GRANT, **{"Content-Type": media_type})).status_code == 200


async def test_a_body_of_16_kib_is_read_and_a_longer_one_is_not(town: Town) -> None:
    start = b"grant_type=client_credentials&padding="
    full = start + b"x" * (16_384 - len(start))
    assert (await town.post(full)).status_code == 200
    answer = await town.post(full + b"x")
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


async def test_a_long_body_without_a_length_is_cut_short(town: Town) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1_024

    answer = await town.http.post("/oauth/token", content=pieces(), headers=FORM)
    assert answer.status_code == 413


async def test_a_body_that_breaks_off_ends_quietly(town: Town) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"grant_", "more_body": True},
        {"type": "http.disconnect"},
    ]
    headers = [(b"content-type", FORM["Content-Type"].encode())]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/oauth/token", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await town.app(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_a_token_is_asked_for_by_post_alone(town: Town) -> None:
    answer = await town.http.get("/oauth/token", params={**GRANT, "client_id": town.client_id})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_every_request_gets_a_token_of_its_own(urls: Urls) -> None:
    async with founded(urls) as town:
        answers = await asyncio.gather(*(town.post(GRANT) for _ in range(20)))
        tokens = {answer.json()["access_token"] for answer in answers}
        assert len(tokens) == 20
        known = await asyncio.gather(*(town.whoami(token) for token in tokens))
        assert {answer.status_code for answer in known} == {200}


async def test_a_token_that_was_never_issued_is_refused(town: Town) -> None:
    forged = mint(Kind.ACCESS_TOKEN, town.opened.tenant.id, token_bytes(32))
    answer = await town.whoami(forged)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token", realm="portunus"',
    )


async def test_no_token_and_no_secret_is_in_the_database_or_in_any_log(
    sqlite_urls: Urls, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with founded(sqlite_urls) as town:
            secrets = [town.secret, town.neighbour.client_secret.reveal()]
            secrets.append((await town.post(GRANT)).json()["access_token"])
            await town.post(GRANT, Authorization=basic(town.secret, town.secret))
            await town.post({"grant_type": town.secret})
            await town.post({**GRANT, "scope": town.secret})
            await town.whoami(secrets[-1][:-1] + "!")
    store = Path(make_url(sqlite_urls.app).database or "")
    stored = b"".join(file.read_bytes() for file in store.parent.glob(store.name + "*"))
    assert (town.opened.client.secret_digest or b"missing") in stored
    for secret in secrets:
        assert secret not in caplog.text
        assert secret.encode() not in stored


async def test_a_client_finds_the_server_by_its_metadata(town: Town) -> None:
    found = (await town.http.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == ISSUER
    assert found["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert set(found["scopes_supported"]) >= TENANT_SCOPES


@pytest.mark.parametrize("path", ["", "/graphql"])
async def test_a_client_finds_the_server_of_a_resource(town: Town, path: str) -> None:
    found = (await town.http.get(f"/.well-known/oauth-protected-resource{path}")).json()
    assert (found["resource"], found["authorization_servers"]) == (ISSUER + path, [ISSUER])
    assert found["bearer_methods_supported"] == ["header"]
