"""Signing in by an external OpenID provider, over sockets: a link first, and every proof checked."""

import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from infrastructure.openid import OpenIdProvider, OpenIdTerms
from tests.browsing import Browser, forms
from tests.databases import Urls
from tests.site import COOKIE, ISSUER, PASSWORD, Site, an_address, opened, sign_in
from tests.stubs.openid import CLIENT_ID, CLIENT_SECRET, StubProvider, providing


@pytest.fixture
async def provider() -> AsyncIterator[StubProvider]:
    async with providing() as there:
        yield there


def terms(provider: StubProvider) -> dict[str, Any]:
    told = {"issuer": provider.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Acme ID"}
    return {f"oidc_{name}": value for name, value in told.items()}


@pytest.fixture
async def site(urls: Urls, provider: StubProvider) -> AsyncIterator[Site]:
    async with opened(urls, **terms(provider)) as there:
        yield there


@pytest.fixture
async def lone_site(sqlite_urls: Urls, provider: StubProvider) -> AsyncIterator[Site]:
    async with opened(sqlite_urls, **terms(provider)) as there:
        yield there


async def sent_there(address: str) -> str:
    """Where the provider sends the browser back to."""
    assert address.startswith("http://127.0.0.1")
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.get(address)).headers["location"]


async def through(browser: Browser, start: str) -> httpx2.Response:
    """Away by a link of ours, and back."""
    away = await browser.http.get(start)
    assert away.status_code == 303
    return await browser.open(await sent_there(away.headers["location"]))


async def linked(browser: Browser) -> httpx2.Response:
    page = await browser.submit(await browser.open("/account"), "link-openid")
    address = page.text.partition('id="link-continue" href="')[2].partition('"')[0].replace("&amp;", "&")
    return await browser.open(await sent_there(address))


async def test_a_linked_person_signs_in_by_the_provider(site: Site, provider: StubProvider) -> None:
    email = an_address()
    provider.subject = email
    ada = await site.settled(email)
    assert "The sign-in is linked to your account." in (await linked(ada)).text
    browser = await site.browser()
    assert 'href="/sign-in/openid?next=/account"' in (await browser.open("/sign-in")).text
    page = await through(browser, "/sign-in/openid?next=/account%3Fdone%3Djoined")
    assert str(page.url) == f"{ISSUER}/account?done=joined"
    assert (await site.who(browser)).person.email == email
    assert "__Host-portunus-openid" not in browser.http.cookies
    asked = provider.asked[-1]
    assert asked["redirect_uri"] == f"{ISSUER}/sign-in/openid/callback"
    assert len(asked["code_challenge"]) == 43
    assert asked["nonce"] != asked["state"]


async def test_the_address_alone_links_nobody(site: Site, provider: StubProvider) -> None:
    email = an_address()
    provider.subject, provider.claims = email, {"email": email, "email_verified": True}
    await site.settled(email)
    browser = await site.browser()
    page = await through(browser, "/sign-in/openid")
    assert (page.status_code, "No account is linked to this sign-in" in page.text) == (403, True)
    assert COOKIE not in browser.http.cookies


async def test_an_invited_person_joins_by_the_provider(site: Site, provider: StubProvider) -> None:
    email, browser = an_address(), await site.browser()
    provider.subject = email
    page = await browser.open(await site.invite(email))
    assert 'href="/invitation/openid"' in page.text
    page = await through(browser, "/invitation/openid")
    assert "You have joined." in page.text
    me = await site.who(browser)
    assert (me.person.email, me.person.name, len(me.memberships)) == (email, "Ada Lovelace", 1)
    alone = await browser.submit(await browser.open("/account"), "unlink-openid")
    assert (alone.status_code, "This is your only way to sign in" in alone.text) == (409, True)


async def test_an_account_that_is_there_is_not_joined_by_the_provider(lone_site: Site) -> None:
    email = an_address()
    await lone_site.settled(email)
    browser = await lone_site.browser()
    await browser.open(await lone_site.invite(email))
    page = await through(browser, "/invitation/openid")
    assert (page.status_code, "You have an account already" in page.text) == (409, True)
    assert COOKIE not in browser.http.cookies


async def test_an_identity_is_linked_to_one_account_and_can_be_unlinked(lone_site: Site) -> None:
    ada, grace = await lone_site.settled(an_address()), await lone_site.settled(an_address())
    await linked(ada)
    taken = await linked(grace)
    assert (taken.status_code, "This sign-in belongs to another account" in taken.text) == (409, True)
    freed = await ada.submit(await ada.open("/account"), "unlink-openid")
    assert "The sign-in is linked no more." in freed.text
    assert "The sign-in is linked to your account." in (await linked(grace)).text


async def test_linking_is_begun_by_a_form_and_ends_in_the_same_session(lone_site: Site) -> None:
    email = an_address()
    ada = await lone_site.settled(email)
    assert (await ada.http.get("/account/openid")).status_code == 405
    page = await ada.submit(await ada.open("/account"), "link-openid")
    address = page.text.partition('id="link-continue" href="')[2].partition('"')[0].replace("&amp;", "&")
    await ada.submit(await ada.open("/account"), "sign-out")
    await sign_in(ada, email)
    back = await ada.open(await sent_there(address))
    assert (back.status_code, "Sign in again, then link the provider." in back.text) == (403, True)
    assert "link-openid" in forms(await ada.open("/account"))


WRONG: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://evil.example"},
    "audience": {"aud": "another client"},
    "one of several audiences": {"aud": [CLIENT_ID, "another client"]},
    "authorized party": {"azp": "another client"},
    "expired": {"exp": int(time.time()) - 3_600},
    "without an end": {"exp": None},
    "made in the future": {"iat": int(time.time()) + 3_600},
    "nonce": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "without a subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "a" * 256},
    "a subject that no store takes": {"sub": "a\x00"},
    "a subject that is a number": {"sub": 1},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
async def test_an_id_token_that_is_amiss_signs_nobody_in(lone_site: Site, provider: StubProvider, claims: Any) -> None:
    await linked(await lone_site.settled(an_address()))
    provider.claims = claims
    await refused(lone_site)


async def refused(site: Site) -> None:
    browser = await site.browser()
    page = await through(browser, "/sign-in/openid")
    assert (page.status_code, "The provider did not sign you in" in page.text) == (502, True)
    assert COOKIE not in browser.http.cookies


async def test_a_token_signed_with_the_clients_secret_or_an_unknown_key_is_refused(
    lone_site: Site, provider: StubProvider
) -> None:
    await linked(await lone_site.settled(an_address()))
    provider.secret = CLIENT_SECRET
    await refused(lone_site)
    provider.secret, right = None, provider.key
    provider.key = StubProvider().key
    browser = await lone_site.browser()
    assert (await through(browser, "/sign-in/openid")).url.path == "/account", (
        "a key that the provider shows now is good"
    )
    published, provider.key = provider.key, right
    assert published.thumbprint() != right.thumbprint()


@pytest.mark.parametrize(
    "answer",
    [{"state": "another"}, {"iss": "https://evil.example"}, {"iss": ""}, {"code": "another"}, {"code": ""}],
    ids=str,
)
async def test_an_answer_that_was_not_asked_for_is_refused(
    lone_site: Site, provider: StubProvider, answer: dict[str, str]
) -> None:
    await linked(await lone_site.settled(an_address()))
    provider.answer = answer
    await refused(lone_site)


async def test_an_answer_needs_the_browser_that_asked(lone_site: Site) -> None:
    await linked(await lone_site.settled(an_address()))
    asking, other = await lone_site.browser(), await lone_site.browser()
    away = await asking.http.get("/sign-in/openid")
    back = await sent_there(away.headers["location"])
    stolen = await other.open(back)
    assert (stolen.status_code, "The sign-in took too long" in stolen.text) == (400, True)
    kept = asking.http.cookies["__Host-portunus-openid"]
    for forged in (kept[:-1], kept[1:], ".", "", "e30."):
        other.http.cookies.set("__Host-portunus-openid", forged, domain="portunus.example", path="/")
        assert (await other.open(back)).status_code == 400
    assert (await asking.open(back)).url.path == "/account"
    assert (await asking.open(back)).status_code == 400


async def test_a_provider_that_says_no_is_told_as_such(lone_site: Site) -> None:
    browser = await lone_site.browser()
    away = await browser.http.get("/sign-in/openid")
    state = dict(httpx2.URL(away.headers["location"]).params)["state"]
    no = await browser.open(f"/sign-in/openid/callback?error=access_denied&state={state}")
    assert no.status_code == 502


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://127.0.0.2:1/token"},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
    ids=str,
)
async def test_metadata_that_is_not_the_issuers_is_refused(
    lone_site: Site, provider: StubProvider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    page = await (await lone_site.browser()).open("/sign-in/openid")
    assert (page.status_code, "The provider cannot be reached" in page.text) == (502, True)


async def test_nothing_of_the_exchange_is_logged(
    lone_site: Site, provider: StubProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await lone_site.settled(an_address())
    await linked(browser)
    await through(browser, "/sign-in/openid")
    provider.claims = {"nonce": "another"}
    await through(browser, "/sign-in/openid")
    others = ("uvicorn", "httpx2", "httpcore2")  # the provider's, and the client's of this test
    ours = [record for record in caplog.records if not record.name.startswith(others)]
    logged = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in ours)
    assert "sign-in at the provider failed" in logged
    asked = [each[name] for each in provider.asked for name in ("state", "nonce", "code_challenge")]
    secrets = [*provider.tokens, *asked, CLIENT_SECRET, PASSWORD]
    assert len(provider.tokens) == 6
    assert [secret for secret in secrets if secret in logged] == []


def test_the_secret_is_not_in_the_terms_repr() -> None:
    told = OpenIdTerms("https://id.example", CLIENT_ID, CLIENT_SECRET, "Acme ID", f"{ISSUER}/back")
    assert CLIENT_SECRET not in repr(told)
    assert CLIENT_SECRET not in repr(OpenIdProvider(told, lambda: None))  # type: ignore[arg-type,return-value]
