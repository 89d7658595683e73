"""Debian's Chromium through every page that a person meets: without scripts, and with them for axe-core's judgement."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.clients.chromium import Chromium, Receiver, receiving
from tests.clients.chromium import chromium as started
from tests.clients.town import PASSWORD, Land, Registered, Town, an_address

pytestmark = pytest.mark.clients

SCOPE = "openid offline_access tenant:read models:invoke"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")
PARTNER: dict[str, Any] = {
    "name": "Reports",
    "kind": "PARTNER",
    "scopes": ["tenant:read", "models:invoke"],
    "reach": {"providers": ["openai"]},
}


@pytest.fixture
async def acme(on_sqlite: Land) -> AsyncIterator[Town]:
    async with on_sqlite.town() as opened:
        yield opened


@pytest.fixture
async def back() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture(params=["without scripts", "with axe-core"])
async def browser(request: pytest.FixtureRequest, chromium: str, pictures: Path) -> AsyncIterator[Chromium]:
    own = pictures / request.param.replace(" ", "-")
    own.mkdir(exist_ok=True)
    async with started(chromium, own, scripts=request.param == "with axe-core") as opened:
        yield opened


def asked(acme: Town, application: Registered, **changes: str) -> str:
    terms = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": application.redirect_uri,
        "scope": SCOPE,
        "state": "state-of-this-browser",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{acme.issuer}/oauth/authorize?{urlencode(terms)}"


async def sign_in(browser: Chromium, email: str, password: str = PASSWORD) -> None:
    await browser.fill(**{"E-mail_address": email, "Password": password})
    await browser.press("Sign in")


async def test_an_invitation_leads_to_an_account(acme: Town, browser: Chromium) -> None:
    email = an_address("grace")
    await browser.open(await acme.invite(email, "ADMIN"))
    seen = await browser.look("invitation")
    assert seen.title == "Join Acme · Portunus"
    assert email in seen.text
    assert "an admin of Acme" in seen.text
    assert "token" not in seen.url

    await browser.fill(Your_name="Grace", Choose_a_password="short")
    await browser.press("Create the account and join")
    seen = await browser.look("invitation-refused")
    assert seen.status == 422
    assert "at least 12" in seen.text

    await browser.fill(Choose_a_password=PASSWORD)
    await browser.press("Create the account and join")
    seen = await browser.look("joined")
    assert seen.url == f"{acme.issuer}/account?done=joined"


async def test_a_used_invitation_leads_nowhere(acme: Town, browser: Chromium) -> None:
    await browser.open(f"{acme.issuer}/invitation?token=ptn_inv_nothing")
    seen = await browser.look("invitation-gone")
    assert seen.status == 404
    assert "This invitation is not good" in seen.text


async def test_sign_in_refuses_and_goes_on(acme: Town, browser: Chromium) -> None:
    async with acme.person() as ada:
        await browser.open(f"{acme.issuer}/account")
        await browser.look("sign-in")
        await sign_in(browser, ada.email, "wrong horse battery staple")
        seen = await browser.look("sign-in-refused")
        assert seen.status == 403
        assert "Please correct this" in seen.text
        await sign_in(browser, ada.email)
        assert (await browser.look("account")).url == f"{acme.issuer}/account"

        await browser.press("Sign out")
        assert "You are signed out." in (await browser.look("signed-out")).text


@pytest.mark.parametrize("browser", ["with axe-core"], indirect=True)
async def test_sign_in_waits_after_failures(acme: Town, browser: Chromium) -> None:
    """In one browser alone: from one address there are only so many failures."""
    async with acme.person() as ada:
        await browser.open(f"{acme.issuer}/sign-in")
        seen = None
        for _ in range(12):
            await sign_in(browser, ada.email, "wrong horse battery staple")
            seen = await browser.look("sign-in-waits")
            if seen.status == 429:
                break
        assert seen is not None
        assert (seen.status, "Try again in" in seen.text) == (429, True)


async def test_consent_names_everything_and_leads_back(acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **PARTNER)
    async with acme.person() as ada:
        await browser.open(asked(acme, application))
        await sign_in(browser, ada.email)
        seen = await browser.look("consent")
        for said in ("Reports", "Acme", ada.email, "all of openai", "An access lasts 1 hour"):
            assert said in seen.text
        await browser.press("Allow")
        seen = await browser.look("back")
        assert seen.text == "You are back"
    [answer] = back.received
    assert (answer["state"], answer["iss"]) == ("state-of-this-browser", acme.issuer)
    assert answer["code"]


async def test_who_denies_goes_back_with_nothing(acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **PARTNER)
    async with acme.person() as ada:
        await browser.open(asked(acme, application))
        await sign_in(browser, ada.email)
        await browser.press("Deny")
    [answer] = back.received
    assert (answer["error"], answer["iss"]) == ("access_denied", acme.issuer)
    assert "code" not in answer


async def test_a_role_gives_no_more_than_it_has(acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **{**PARTNER, "scopes": ["tenant:read", "credentials:write"]})
    async with acme.person("Max", "MEMBER") as max_:
        await browser.open(asked(acme, application, scope="openid tenant:read credentials:write"))
        await sign_in(browser, max_.email)
        assert "It asked for this too, but will not get it" in (await browser.look("consent-withheld")).text


async def test_who_is_no_member_is_told_so(on_sqlite: Land, acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **PARTNER)
    async with on_sqlite.town("Globex") as globex, globex.person("Eve") as eve:
        await browser.open(asked(acme, application))
        await sign_in(browser, eve.email)
        seen = await browser.look("stranger")
        assert seen.status == 403
        assert "who is no member of it" in seen.text


async def test_a_bad_request_ends_on_an_error_page(acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **PARTNER)
    await browser.open(asked(acme, application, client_id="ptn_ci_unknown"))
    assert (await browser.look("unknown-application")).status == 400
    await browser.open(asked(acme, application, redirect_uri="https://attacker.example/"))
    seen = await browser.look("bad-redirect")
    assert seen.status == 400
    assert seen.url.startswith(f"{acme.issuer}/oauth/authorize?")
    await browser.open(f"{acme.issuer}/nothing-here")
    assert (await browser.look("no-such-page")).status == 404
    assert back.received == []


@pytest.mark.parametrize("answer", ["Yes, allow", "Deny"])
async def test_a_device_is_let_in_or_not(acme: Town, browser: Chromium, answer: str) -> None:
    application = await acme.register(**{**PARTNER, "public": True})
    form = {"client_id": application.client_id, "scope": SCOPE}
    async with acme.person() as ada:
        device = (await ada.browser.http.post("/oauth/device_authorization", data=form)).json()
        await browser.open(f"{acme.issuer}/device")
        await sign_in(browser, ada.email)
        await browser.fill(Code="BBBB-BBBB")
        await browser.press("Continue")
        assert "No device waits with this code" in (await browser.look("device-unknown")).text
        await browser.fill(Code=device["user_code"])
        await browser.press("Continue")
        assert device["user_code"] in (await browser.look("device-question")).text
        await browser.press(answer)
        seen = await browser.look(f"device-{'let-in' if answer == 'Yes, allow' else 'denied'}")
        assert "Your device" in seen.text


async def test_the_account_shows_and_ends_what_goes_on(acme: Town, back: Receiver, browser: Chromium) -> None:
    application = await acme.register(back.address, **PARTNER)
    async with acme.person() as ada:
        await ada.answer(asked(acme, application), "allow")
        await browser.open(f"{acme.issuer}/account")
        await sign_in(browser, ada.email)
        seen = await browser.look("account-full")
        assert "Reports" in seen.text
        await browser.press("Revoke Reports in Acme")
        seen = await browser.look("account-revoked")
        assert "You have let no application in here." in seen.text
        await browser.press("Sign out everywhere")
        assert "You are signed out everywhere." in (await browser.look("signed-out-everywhere")).text
        assert (await ada.browser.open("/account")).url.path == "/sign-in"
