"""The pages of accounts as a browser without scripts sees them, on real stores."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from secrets import token_bytes

import pytest
from starlette.routing import Route
from uuid_utils.compat import uuid7

from api.pages.routes import routes
from domain.model.access import Client, ClientKind, Role, Scope
from domain.model.audit import Deed
from domain.model.authorization import Consent
from domain.model.ids import ClientId, TenantId
from domain.model.tokens import Kind, PersonalKind, mint, mint_personal
from domain.usecases.accounts import SignedIn
from domain.usecases.attempts import Attempt
from infrastructure.db.work import begin
from tests.browsing import forms
from tests.databases import Urls
from tests.site import COOKIE, PASSWORD, Site, an_address, opened, sign_in


@pytest.fixture
async def site(urls: Urls) -> AsyncIterator[Site]:
    async with opened(urls) as there:
        yield there


@pytest.fixture
async def lone_site(sqlite_urls: Urls) -> AsyncIterator[Site]:
    """On the embedded store alone, where the pages do not depend on which."""
    async with opened(sqlite_urls) as there:
        yield there


async def test_an_invited_person_makes_an_account_and_is_a_member(site: Site) -> None:
    email, browser = an_address(), await site.browser()
    link = await site.invite(email, Role.ADMIN)
    moved = await browser.http.get(link)
    assert (moved.status_code, moved.headers["location"]) == (303, "/invitation")
    assert moved.headers["referrer-policy"] == "no-referrer"
    assert "HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure" in moved.headers["set-cookie"]
    page = await browser.open("/invitation")
    assert "Acme &amp; Söhne" in page.text
    assert "an admin" in page.text
    assert email in page.text
    done = await browser.submit(page, "create-account", name="Ada <3", password=PASSWORD)
    assert done.url.path == "/account"
    assert "You have joined." in done.text
    assert "Ada &lt;3" in done.text
    assert "Firefox on Linux" in done.text
    me = await site.who(browser)
    assert [(each.tenant_id, each.role) for each in me.memberships] == [(site.tenant_id, Role.ADMIN)]
    joined = Deed("member.joined", str(me.person.id), person_id=me.person.id)
    assert joined in await site.chain()
    assert "__Host-portunus-invitation" not in browser.http.cookies
    again = await browser.open(link)
    assert again.status_code == 404
    assert "ask whoever invited you for a new one" in again.text


async def test_an_existing_account_signs_in_to_accept(site: Site) -> None:
    email = an_address()
    await (await site.settled(email)).http.aclose()
    browser, link = await site.browser(), await site.invite(email, Role.OWNER)
    page = await browser.open(link)
    assert "create-account" not in forms(page)
    assert 'href="/sign-in?next=%2Finvitation"' in page.text
    page = await sign_in(browser, email, path="/sign-in?next=%2Finvitation")
    done = await browser.submit(page, "accept-invitation")
    assert "You have joined." in done.text
    assert [each.role for each in (await site.who(browser)).memberships] == [Role.MEMBER]


async def test_an_invitation_for_somebody_else_is_not_accepted(lone_site: Site) -> None:
    mallory = await lone_site.settled("mallory@portunus.example")
    page = await mallory.open(await lone_site.invite("ada@portunus.example"))
    assert "You are signed in as mallory@portunus.example" in page.text
    assert set(forms(page)) == {"sign-out"}
    token = forms(page)["sign-out"].fields["form_token"]
    forced = await mallory.http.post("/invitation", data={"form_token": token})
    assert forced.status_code == 404
    assert len((await lone_site.who(mallory)).memberships) == 1


async def test_expired_malformed_and_unknown_invitations_look_alike(lone_site: Site) -> None:
    browser = await lone_site.browser()
    unknown = mint(Kind.INVITATION, lone_site.tenant_id, token_bytes(32))
    nowhere = mint(Kind.INVITATION, TenantId(uuid7()), token_bytes(32))
    expired = await lone_site.invite("ada@portunus.example", lasts=timedelta(seconds=-1))
    links = [expired, *(f"/invitation?token={token}" for token in (unknown, nowhere, "", "ptn_in_x", "é"))]
    pages = [await browser.open(link) for link in links]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert (await (await lone_site.browser()).open("/invitation")).status_code == 404


async def test_a_form_that_is_filled_in_wrongly_says_where(lone_site: Site) -> None:
    browser = await lone_site.browser()
    page = await browser.open(await lone_site.invite("ada@portunus.example"))
    again = await browser.submit(page, "create-account", name='"><b>', password="short")
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert '<a href="#password">The password must have at least 12 characters.</a>' in again.text
    assert 'aria-invalid="true" aria-describedby="password-error password-hint"' in again.text
    assert forms(again)["create-account"].fields["name"] == '"><b>'
    assert "short" not in forms(again)["create-account"].fields["password"]
    done = await browser.submit(again, "create-account", name="Ada", password=PASSWORD)
    assert done.url.path == "/account"


async def test_sign_in_leads_back_to_where_the_person_wanted_to_go(site: Site) -> None:
    email = an_address()
    await site.settled(email)
    browser = await site.browser()
    page = await browser.open("/account?done=joined")
    assert page.url.path == "/sign-in"
    sent = await browser.send(page, "sign-in", email=email.upper(), password=PASSWORD)
    assert (sent.status_code, sent.headers["location"]) == (303, "/account?done=joined")
    (cookie,) = sent.headers.get_list("set-cookie")
    assert cookie.startswith(f"{COOKIE}=ptn_se_")
    assert cookie.endswith("; HttpOnly; Max-Age=43200; Path=/; SameSite=lax; Secure")
    assert (await browser.http.get("/sign-in?next=/account")).headers["location"] == "/account"
    assert "sign-in" in forms(await browser.open("/sign-in?again=1"))


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example", "/\t/evil.example"])
async def test_sign_in_leads_nowhere_else(lone_site: Site, target: str) -> None:
    await lone_site.settled("ada@portunus.example")
    browser = await lone_site.browser()
    page = await browser.http.get("/sign-in", params={"next": target})
    assert forms(page)["sign-in"].fields["next"] == "/account"
    values = {"email": "ada@portunus.example", "password": PASSWORD, "next": target}
    sent = await browser.send(page, "sign-in", **values)
    assert sent.headers["location"] == "/account"


async def test_after_failures_the_page_says_how_long_to_wait(lone_site: Site) -> None:
    await lone_site.settled("ada@portunus.example")
    browser = await lone_site.browser()
    for email in ("ada@portunus.example", "nobody@portunus.example"):
        told = [await sign_in(browser, email, "a wrong password") for _ in range(5)]
        assert {page.status_code for page in told} == {403}
        assert all("The e-mail address or the password is wrong." in page.text for page in told)
        async with lone_site.house.people.accounts.directory() as book:
            for _ in range(12):
                await book.failures.count([Attempt(email).account_key], datetime.now(UTC))
        waiting = await sign_in(browser, email)
        assert waiting.status_code == 429
        assert 840 < int(waiting.headers["retry-after"]) <= 900
        assert "Sign-in failed too often. Try again in 15 minutes." in waiting.text
        assert "a wrong password" not in waiting.text


async def test_what_no_store_takes_is_wrong_like_anything_else(site: Site) -> None:
    browser = await site.browser("127.0.0.9")
    for email in ("a\x00@portunus.example", "é" * 5_000, "", "a@b"):
        page = await sign_in(browser, email, "a\x00b" * 4)
        assert (page.status_code, "The e-mail address or the password is wrong." in page.text) == (403, True)
    page = await browser.open(await site.invite(an_address()))
    page = await browser.submit(page, "create-account", name="a\x00b", password=PASSWORD)
    assert (page.status_code, "The name must be characters that can be shown." in page.text) == (422, True)


async def test_a_form_of_another_session_is_refused(lone_site: Site) -> None:
    ada = await lone_site.settled("ada@portunus.example")
    mallory = await lone_site.settled("mallory@portunus.example")
    stolen = forms(await mallory.open("/account"))["sign-out-everywhere"].fields
    assert (await ada.http.post("/account/sessions", data=stolen)).status_code == 403
    mine = forms(await ada.open("/account"))["sign-out-everywhere"].fields
    crossing = await ada.http.post("/account/sessions", data=mine, headers={"origin": "https://evil.example"})
    assert crossing.status_code == 403
    assert (await ada.open("/account")).url.path == "/account"


async def test_every_form_needs_its_token(lone_site: Site) -> None:
    ada = await lone_site.settled("ada@portunus.example")
    paths = [
        "/sign-in",
        "/sign-out",
        "/invitation",
        "/invitation/account",
        "/reset",
        "/account/password",
        "/account/session",
        "/account/sessions",
        "/account/consent",
        "/account/openid",
        "/account/openid/unlink",
    ]
    ours = [route for route in routes(lone_site.house.people) if isinstance(route, Route)]
    posts = {route.path for route in ours if "POST" in (route.methods or ())}
    assert posts == set(paths)
    for path in paths:
        assert (await ada.http.post(path, data={"email": "ada@portunus.example"})).status_code == 403
    assert await lone_site.who(ada)


async def test_a_person_ends_sessions_one_by_one_and_all_at_once(site: Site) -> None:
    email = an_address()
    here, there, elsewhere = await site.settled(email), await site.browser(), await site.browser()
    for browser in (there, elsewhere):
        await sign_in(browser, email)
    page = await here.open("/account")
    assert page.text.count("this browser") == 1
    ids = [name for name in forms(page) if name.startswith("end-session-")]
    assert len(ids) == 2
    assert "The session has ended." in (await here.submit(page, ids[0])).text
    assert (await elsewhere.open("/account")).url.path == "/sign-in"
    assert (await here.submit(page, ids[0])).status_code == 404
    gone = await here.submit(await here.open("/account"), "sign-out-everywhere")
    assert "You are signed out everywhere." in gone.text
    assert COOKIE not in here.http.cookies
    assert (await there.open("/account")).url.path == "/sign-in"


async def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(site: Site) -> None:
    browser = await site.settled(an_address())
    cookie = browser.http.cookies[COOKIE]
    page = await browser.submit(await browser.open("/account"), "sign-out")
    assert "You are signed out." in page.text
    assert await site.house.people.accounts.signed_in(cookie) is None


async def test_a_person_changes_the_password(site: Site) -> None:
    email = an_address()
    here, there = await site.settled(email), await site.browser()
    await sign_in(there, email)
    before, page = here.http.cookies[COOKIE], await here.open("/account")
    new = "another long password"
    wrong = await here.submit(page, "change-password", current_password="a wrong one", new_password=new)
    assert (wrong.status_code, "This is not your password." in wrong.text) == (403, True)
    weak = await here.submit(page, "change-password", current_password=PASSWORD, new_password=email)
    assert (weak.status_code, "The new password must not be your name" in weak.text) == (422, True)
    done = await here.submit(page, "change-password", current_password=PASSWORD, new_password=new)
    assert "Your password is changed." in done.text
    assert here.http.cookies[COOKIE] != before
    assert (await there.open("/account")).url.path == "/sign-in"
    assert (await sign_in(there, email, new)).url.path == "/account"


async def test_a_link_of_the_operator_sets_a_new_password(site: Site) -> None:
    email = an_address()
    there, here = await site.settled(email), await site.browser()
    token = (await site.house.people.resets.issue(email)).reveal()
    moved = await here.http.get(f"/reset?token={token}")
    assert (moved.status_code, moved.headers["location"]) == (303, "/reset")
    page = await here.open("/reset")
    assert email in page.text
    assert (await here.submit(page, "reset-password", password="short")).status_code == 422
    done = await here.submit(page, "reset-password", password="another long password")
    assert "Your password is changed." in done.text
    assert (await there.open("/account")).url.path == "/sign-in"
    assert (await here.open(f"/reset?token={token}")).status_code == 404


async def test_unknown_links_for_a_password_look_alike(lone_site: Site) -> None:
    browser = await lone_site.browser()
    links = [f"/reset?token={t}" for t in (mint_personal(PersonalKind.RESET, bytes(32)), "", "ptn_pr_x")]
    pages = [await browser.open(link) for link in (*links, "/reset")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1


async def let_in(site: Site, me: SignedIn) -> Client:
    now, scopes = datetime.now(UTC), frozenset({Scope.MODELS_INVOKE})
    shop = Client(site.tenant_id, ClientId(uuid7()), "Shop <i>", None, scopes, now, ClientKind.PARTNER)
    async with begin(site.house.engine)(site.tenant_id) as work:
        await work.clients.add(shop)
        await work.consents.put(Consent(site.tenant_id, shop.id, me.person.id, scopes, now))
    return shop


async def test_a_person_takes_back_what_was_let_in(site: Site) -> None:
    browser = await site.settled(an_address())
    me = await site.who(browser)
    shop = await let_in(site, me)
    page = await browser.open("/account")
    assert "Shop &lt;i&gt;" in page.text
    assert "models:invoke" in page.text
    done = await browser.submit(page, f"revoke-{shop.id}")
    assert "The application is let in no more." in done.text
    assert "Shop" not in done.text
    assert Deed("consent.revoked", str(shop.id), person_id=me.person.id) in await site.chain()
    assert (await browser.submit(page, f"revoke-{shop.id}")).status_code == 404


async def test_signing_out_everywhere_may_take_back_all_that_was_let_in(site: Site) -> None:
    email = an_address()
    browser = await site.settled(email)
    me = await site.who(browser)
    for _ in range(2):
        await let_in(site, me)
    plain = await browser.http.post(
        "/account/sessions", data={"form_token": forms(await browser.open("/account"))["sign-out"].fields["form_token"]}
    )
    assert plain.status_code == 303
    page = await sign_in(browser, email)
    assert page.text.count(">Revoke<") == 2
    await browser.submit(page, "sign-out-everywhere", applications="yes")
    assert ">Revoke<" not in (await sign_in(browser, email)).text


async def test_every_page_can_be_heard_and_used_by_keys(lone_site: Site) -> None:
    email = "ada@portunus.example"
    stranger, invited = await lone_site.browser(), await lone_site.browser()
    page = await invited.open(await lone_site.invite(email))
    pages = [page, await invited.submit(page, "create-account", name="", password="short")]
    pages += [await stranger.open("/sign-in"), await stranger.open("/nowhere")]
    ada = await lone_site.settled(email)
    pages += [await ada.open("/account?done=joined"), await ada.open(await lone_site.invite("b@portunus.example"))]
    reset = (await lone_site.house.people.resets.issue(email)).reveal()
    pages.append(await stranger.open(f"/reset?token={reset}"))
    for page in pages:
        html = page.text
        assert html.count("<h1>") == html.count("<main") == html.count("<title>") == html.count('<html lang="en">') == 1
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids))
        shown = re.findall(r'<input id="([^"]+)"', html)
        assert html.count("<input") == len(shown) + html.count('<input type="hidden"')
        assert all(f'for="{name}"' in html for name in shown)
        assert set(re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', html)) <= _joined(ids)
        assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", html)


def _joined(ids: list[str]) -> set[str]:
    return {*ids, *(f"{one} {other}" for one in ids for other in ids)}


async def test_the_root_is_the_account_and_unknown_pages_are_pages(lone_site: Site) -> None:
    browser = await lone_site.browser()
    assert (await browser.http.get("/")).headers["location"] == "/account"
    nowhere = await browser.open("/nowhere")
    assert (nowhere.status_code, "There is no such page" in nowhere.text) == (404, True)
    assert (await browser.http.get("/sign-in/openid")).status_code == 404


async def test_no_password_cookie_or_token_is_logged(lone_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    email = "ada@portunus.example"
    link = await lone_site.invite(email)
    browser = await lone_site.browser()
    await browser.submit(await browser.open(link), "create-account", name="Ada", password=PASSWORD)
    secrets = [link.partition("=")[2], PASSWORD, "a wrong password", "another long password"]
    secrets += [browser.http.cookies[COOKIE], browser.http.cookies["__Host-portunus-form"]]
    await browser.submit(await browser.open("/account"), "sign-out")
    await sign_in(browser, email, "a wrong password")
    await sign_in(browser, email)
    secrets.append(browser.http.cookies[COOKIE])
    page = await browser.open("/account")
    secrets.append(forms(page)["sign-out"].fields["form_token"])
    await browser.submit(page, "change-password", current_password=PASSWORD, new_password="another long password")
    reset = (await lone_site.house.people.resets.issue(email)).reveal()
    page = await browser.open(f"/reset?token={reset}")
    await browser.submit(page, "reset-password", password=PASSWORD)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx2", "httpcore"))]
    assert ours
    logged = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in ours)
    assert [secret for secret in (*secrets, reset) if secret in logged] == []
