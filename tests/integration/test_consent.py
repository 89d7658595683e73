"""People, browsers and applications at the authorization endpoint and the device page, as served, on real databases."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from api.house import House, now
from api.main import create_app
from domain.model.access import Client, ClientKind, Reach, Role, Scope
from domain.model.authorization import Code, Decision, Device
from domain.model.cap import Cap, CapSubject, Period
from domain.model.ids import CapId, TenantId
from domain.model.people import Person
from domain.model.quota import Unit
from domain.model.tenant import Tenant
from domain.model.tokens import digest
from domain.usecases.accounts import Visitor
from infrastructure.db.directory import directory
from infrastructure.db.work import begin
from infrastructure.settings import Settings
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY
from tests.pages_read import Page, answered, send
from tests.partners import BACK, CHALLENGE, VERIFIER, public_id, request, settle, shop, somebody

ISSUER = "https://portunus.example"
PASSWORD = "correct horse battery staple"
STATE = "a state = of & its own"
AUTHORIZE = "/oauth/authorize"
INVOKE, READ, WRITE = Scope.MODELS_INVOKE, Scope.TENANT_READ, Scope.MEMBERS_WRITE


@dataclass
class Town:
    """Portunus with the tenants Acme and Globex; Ada is an admin of Acme, Mallory an owner of Globex alone."""

    house: House
    http: httpx2.AsyncClient
    acme: Tenant
    globex: Tenant
    ada: Person
    mallory: Person
    client: Client

    async def register(self, tenant_id: TenantId | None = None, **traits: object) -> Client:
        client = replace(shop(tenant_id or self.acme.id, uuid7()), **traits)  # type: ignore[arg-type]
        async with begin(self.house.engine)(client.tenant_id) as work:
            await work.clients.add(client)
        return client

    async def sign_in(self, person: Person | None = None) -> None:
        """As the sign-in page does once the password fits."""
        async with directory(self.house.engine)() as book:
            cookie = await self.house.people.accounts.admit(book, (person or self.ada).id, Visitor())
        self.http.cookies.set("__Host-portunus", cookie.reveal(), domain="portunus.example")

    async def arrive(self, answer: httpx2.Response) -> httpx2.Response:
        """From the page that asks Ada to sign in, or the way to it, to the one that she gets to with her password."""
        page = await self.http.get(answer.headers["location"]) if answer.is_redirect else answer
        async with directory(self.house.engine)() as book:
            await book.passwords.put(self.ada.id, await self.house.passwords.hashed(PASSWORD))
        admitted = await send(self.http, page, "sign-in", ISSUER, email=self.ada.email, password=PASSWORD)
        assert admitted.status_code == 303, admitted.text
        broken_off = await self.http.get(admitted.headers["location"])
        assert broken_off.status_code == 200
        go_on = Page(broken_off.text).links["continue"]
        assert broken_off.headers["refresh"] == f"0; url={go_on}"
        return await self.http.get(go_on)

    async def ask(self, **changes: str | None) -> httpx2.Response:
        return await self.http.get(AUTHORIZE, params=request(self.client, **changes))

    async def press(self, page: httpx2.Response, answer: str, **changes: str) -> httpx2.Response:
        return await send(self.http, page, "consent", ISSUER, answer=answer, **changes)

    async def code(self, code: str, client: Client | None = None) -> Code | None:
        async with begin(self.house.engine)((client or self.client).tenant_id) as work:
            return await work.codes.lock(digest(code))

    async def actions(self) -> list[str]:
        async with begin(self.house.engine)(self.acme.id) as work:
            return [entry.deed.action for entry in await work.audit.page(first=10)]

    async def device(self, user_code: str, client: Client | None = None) -> Device:
        owner = client or self.client
        asked, until = frozenset({INVOKE, WRITE}), now() + timedelta(minutes=10)
        device = Device(owner.tenant_id, uuid7().bytes, user_code, owner.id, asked, uuid7(), until)
        async with begin(self.house.engine)(owner.tenant_id) as work:
            assert await work.devices.add(device)
        return device

    async def told(self, device: Device) -> Device:
        async with begin(self.house.engine)(device.tenant_id) as work:
            found = await work.devices.lock(device.digest)
        assert found is not None
        return found


@asynccontextmanager
async def founded(urls: Urls, issuer: str = ISSUER) -> AsyncIterator[Town]:
    key = SecretStr(MASTER_KEY)
    settings = Settings(database_url=urls.app, master_key=key, issuer=issuer)
    async with House(settings) as house:
        transport = httpx2.ASGITransport(app=create_app(settings, house))
        async with httpx2.AsyncClient(transport=transport, base_url=issuer) as http:
            http.headers["accept"] = "text/html"
            yield await _settled(house, http)


async def _settled(house: House, http: httpx2.AsyncClient) -> Town:
    acme, globex = [Tenant(TenantId(uuid7()), name, now()) for name in ("Acme", "Globex")]
    ada, mallory = [somebody(uuid7(), f"{uuid7()}@acme.example") for _ in range(2)]
    mallory = replace(mallory, name="Mallory")
    for tenant, person, role in ((acme, ada, Role.ADMIN), (globex, mallory, Role.OWNER)):
        async with begin(house.engine)(tenant.id) as work:
            await work.tenants.add(tenant)
        await settle(begin(house.engine), directory(house.engine), tenant, person, role)
    town = Town(house, http, acme, globex, ada, mallory, shop(acme.id, uuid7()))
    async with begin(house.engine)(acme.id) as work:
        await work.clients.add(town.client)
    return town


@pytest.fixture
async def town(sqlite_urls: Urls) -> AsyncIterator[Town]:
    async with founded(sqlite_urls) as built:
        yield built


def error(answer: httpx2.Response) -> str:
    """Of a redirect back, which always has a description, the state and the issuer."""
    found = answered(answer, BACK)
    assert set(found) == {"error", "error_description", "state", "iss"}
    assert (found["state"], found["iss"]) == (STATE, ISSUER)
    return found["error"]


async def test_from_sign_in_through_consent_to_a_code(urls: Urls) -> None:
    async with founded(urls) as town:
        page = await town.arrive(await town.ask(scope="models:invoke members:write"))
        assert Page(page.text).texts["application"] == "Shop & Co"
        assert not await town.actions()
        found = answered(await town.press(page, "allow"), BACK)
        assert set(found) == {"code", "state", "iss"}
        assert (found["state"], found["iss"]) == (STATE, ISSUER)
        code = await town.code(found["code"])
        assert code is not None
        assert (code.client_id, code.person_id, code.redirect_uri) == (town.client.id, town.ada.id, BACK)
        assert (code.scopes, code.challenge) == (frozenset({INVOKE, WRITE}), CHALLENGE)
        assert timedelta(seconds=50) < code.expires_at - now() <= timedelta(seconds=60)
        assert code.signed_in_at <= now()
        assert await town.actions() == ["consent.given"]
        again = answered(await town.ask(scope="models:invoke"), BACK)
        assert again["code"] != found["code"]
        assert await town.actions() == ["consent.given"]


async def test_a_code_is_good_for_a_token_that_acts_for_the_person_in_the_tenant(urls: Urls) -> None:
    async with founded(urls) as town:
        town.client = await town.register(secret_digest=None)
        page = await town.arrive(await town.ask(scope="models:invoke members:write openid offline_access", nonce="n-1"))
        code = answered(await town.press(page, "allow", scopes="models:invoke openid offline_access"), BACK)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
        answer = await town.http.post("/oauth/token", data={**form, "client_id": public_id(town.client)})
        assert answer.status_code == 200, answer.text
        token = answer.json()
        assert set(token["scope"].split()) == {"models:invoke", "openid", "offline_access"}
        assert {"refresh_token", "id_token"} <= set(token)
        actor = await town.house.usecases.access.authenticate(token["access_token"])
        assert (actor.tenant_id, actor.person_id, actor.client_id) == (town.acme.id, town.ada.id, town.client.id)
        assert actor.scopes == {INVOKE, Scope.OPENID, Scope.OFFLINE_ACCESS}


async def test_the_page_names_who_asks_for_what_within_which_limits(town: Town) -> None:
    cap = Cap(
        town.acme.id, CapId(uuid7()), CapSubject.APPLICATION, town.client.id, Unit.CALLS, 1_000, Period.DAY, now()
    )
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.clients.put(replace(town.client, reach=Reach(providers=frozenset({"acme"}))))
        await work.caps.put(cap)
        await work.members.put(town.ada.id, Role.MEMBER)
    await town.sign_in()
    page = await town.ask(scope="models:invoke members:write offline_access")
    said = Page(page.text).texts
    assert (said["application"], said["tenant"], said["destination"]) == ("Shop & Co", "Acme", "shop.example")
    assert said["person"] == f"Ada <b>Byron</b> ({town.ada.email})"
    assert (
        said["given"].startswith("Use AI models in the tenant's name, and at its cost")
        or "Use AI models" in said["given"]
    )
    assert said["withheld"] == "Invite and remove members, and change their roles"
    assert said["limits"] == (
        "Only these models: all of acme. At most 1,000 calls a day. An access lasts 1 hour. "
        "It can be renewed without you for 30 days."
    )
    assert "<b>Byron" not in page.text
    answered(await town.press(page, "allow"), BACK)


async def test_the_page_is_strict_but_lets_its_form_go_back_to_the_application(town: Town) -> None:
    await town.sign_in()
    page = await town.ask()
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://shop.example https:;" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"


async def test_a_redirect_is_kept_by_no_cache_and_tells_no_referrer(town: Town) -> None:
    await town.sign_in()
    answer = await town.press(await town.ask(), "allow")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "ptn_ac_" not in answer.text


async def test_a_denial_goes_back_to_the_application_and_leaves_nothing(urls: Urls) -> None:
    async with founded(urls) as town:
        await town.sign_in()
        assert error(await town.press(await town.ask(), "deny")) == "access_denied"
        assert await town.actions() == []
        assert (await town.ask()).status_code == 200


WRONG: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": ""}, "invalid_scope"),
    ({"scope": "nonsense"}, "invalid_scope"),
    ({"scope": "audit:read"}, "invalid_scope"),
    ({"resource": "https://elsewhere.example/"}, "invalid_target"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "urn:x"}, "request_uri_not_supported"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"prompt": "none"}, "consent_required"),
    ({"prompt": "none login"}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG, ids=str)
async def test_the_application_is_told_what_is_wrong(
    town: Town, changes: Mapping[str, str | None], expected: str
) -> None:
    await town.sign_in()
    assert error(await town.ask(**changes)) == expected


async def test_a_silent_request_of_nobody_asks_for_a_sign_in(town: Town) -> None:
    assert error(await town.ask(prompt="none")) == "login_required"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "<b>shop"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK + "/.."},
        {"redirect_uri": BACK + "#x"},
        {"redirect_uri": "https://shop.example@evil.example/back"},
        {"redirect_uri": "//shop.example/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://evil.example/", "response_type": "token"},
        {"redirect_uri": "https://evil.example/", "prompt": "none"},
    ],
    ids=str,
)
async def test_nobody_is_sent_where_the_application_is_not_registered(
    town: Town, changes: Mapping[str, str | None]
) -> None:
    for _ in range(2):
        answer = await town.ask(**changes)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "evil" not in answer.text
        assert "<b>" not in answer.text
        await town.sign_in()


@pytest.mark.parametrize(
    "more",
    ["state=again", "client_id=other", "redirect_uri=https%3A%2F%2Fevil.example", "scope=", "state=%FF", "x=%ED%A0%80"],
)
async def test_a_parameter_twice_or_out_of_utf8_ends_on_a_page(town: Town, more: str) -> None:
    query = urlencode(request(town.client)) + "&" + more
    for answer in (
        await town.http.get(f"{AUTHORIZE}?{query}"),
        await town.http.get(f"{AUTHORIZE}?{more}&{query}"),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_a_request_that_is_too_long_ends_on_a_page(town: Town) -> None:
    assert (await town.ask(state="s" * 17_000)).status_code == 400
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await town.http.post(AUTHORIZE, content=b"state=" + b"s" * 17_000, headers=form)).status_code == 400
    assert (await town.http.post(AUTHORIZE, json={})).status_code == 415


async def test_a_request_may_come_as_a_form_from_the_application(town: Town) -> None:
    await town.sign_in()
    sent = request(town.client, nonce="é ü")
    moved = await town.http.post(AUTHORIZE, data=sent, headers={"Origin": "https://shop.example"})
    assert moved.status_code == 303
    assert dict(parse_qsl(urlsplit(moved.headers["location"]).query)) == sent
    page = await town.http.get(moved.headers["location"])
    assert Page(page.text).texts["application"] == "Shop & Co"
    twice = await town.http.post(AUTHORIZE, data={**sent, "state": ["a", "b"]})
    assert (await town.http.get(twice.headers["location"])).status_code == 400


async def test_a_suspended_application_gets_nobody(town: Town) -> None:
    await town.sign_in()
    page = await town.ask()
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.clients.put(replace(town.client, suspended_at=now()))
    for answer in (await town.ask(), await town.press(page, "allow")):
        assert answer.status_code == 400
        assert "suspended" in answer.text


async def test_nobody_lets_an_application_into_a_tenant_that_he_is_no_member_of(urls: Urls) -> None:
    async with founded(urls) as town:
        await town.sign_in()
        page = await town.ask()
        await town.sign_in(town.mallory)
        refused = await town.ask()
        assert refused.status_code == 403
        read = Page(refused.text)
        assert (read.texts["tenant"], read.texts["person"]) == ("Acme", town.mallory.email)
        assert parse_qs(urlsplit(read.links["back"]).query)["error"] == ["access_denied"]
        assert read.links["again"].startswith("/sign-in?again=1&next=%2Foauth%2Fcontinue")
        assert error(await town.ask(prompt="none")) == "interaction_required"
        fields = {**Page(page.text).forms["consent"], "person": str(town.mallory.id), "answer": "allow"}
        token = Page((await town.http.get("/device")).text).forms["device"]["form_token"]
        forced = await town.http.post("/oauth/consent", data={**fields, "form_token": token})
        assert forced.status_code == 403
        assert await town.actions() == []


async def test_a_consent_page_of_somebody_else_is_shown_anew(town: Town) -> None:
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.members.add(town.mallory.id, Role.MEMBER, now())
    await town.sign_in()
    fields = Page((await town.ask()).text).forms["consent"]
    await town.sign_in(town.mallory)
    token = Page((await town.ask()).text).forms["consent"]["form_token"]
    page = await town.http.post("/oauth/consent", data={**fields, "form_token": token, "answer": "allow"})
    assert page.status_code == 200
    assert Page(page.text).texts["person"] == f"Mallory ({town.mallory.email})"
    assert await town.actions() == []


@pytest.mark.parametrize(
    "changes",
    [{"form_token": ""}, {"form_token": "x"}],
)
async def test_a_consent_cannot_be_forged_from_elsewhere(town: Town, changes: dict[str, str]) -> None:
    await town.sign_in()
    page = await town.ask()
    assert (await town.press(page, "allow", **changes)).status_code == 403
    fields = {**Page(page.text).forms["consent"], "answer": "allow"}
    elsewhere = await town.http.post("/oauth/consent", data=fields, headers={"Origin": "https://shop.example"})
    assert elsewhere.status_code == 403
    assert (await town.http.get("/oauth/consent", params=fields)).status_code == 405
    assert await town.actions() == []


async def test_what_the_form_carries_is_judged_like_a_new_request(town: Town) -> None:
    await town.sign_in()
    page = await town.ask()

    def carried(**changes: str | None) -> str:
        return urlencode(request(town.client, **changes))

    assert (await town.press(page, "allow", request=carried(redirect_uri="https://evil.example"))).status_code == 400
    assert (await town.press(page, "allow", request=carried() + "&state=x")).status_code == 400
    assert (await town.press(page, "allow", request="")).status_code == 400
    assert error(await town.press(page, "allow", request=carried(scope="audit:read"))) == "invalid_scope"
    assert error(await town.press(page, "allow", request=carried(code_challenge_method="plain"))) == "invalid_request"
    more = answered(await town.press(page, "allow", scopes="models:invoke audit:read"), BACK)
    code = await town.code(more["code"])
    assert code is not None
    assert code.scopes == {INVOKE}


@pytest.mark.parametrize("changes", [{"answer": "x"}, {"answer": ""}, {"person": "x"}, {"scopes": "nonsense"}], ids=str)
async def test_a_form_that_the_page_does_not_send_answers_nothing(town: Town, changes: dict[str, str]) -> None:
    await town.sign_in()
    page = await send(town.http, await town.ask(), "consent", ISSUER, **{"answer": "allow", **changes})
    assert page.status_code == 200
    assert "consent" in Page(page.text).forms
    assert await town.actions() == []


async def test_a_role_that_was_narrowed_meanwhile_narrows_the_yes(town: Town) -> None:
    await town.sign_in()
    page = await town.ask(scope="models:invoke members:write")
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.members.put(town.ada.id, Role.MEMBER)
    code = await town.code(answered(await town.press(page, "allow"), BACK)["code"])
    assert code is not None
    assert code.scopes == {INVOKE}


async def test_a_role_that_was_widened_meanwhile_does_not_widen_the_yes(town: Town) -> None:
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.members.put(town.ada.id, Role.MEMBER)
    await town.sign_in()
    page = await town.ask(scope="models:invoke members:write")
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.members.put(town.ada.id, Role.OWNER)
    code = await town.code(answered(await town.press(page, "allow"), BACK)["code"])
    assert code is not None
    assert code.scopes == {INVOKE}


async def test_a_role_that_leaves_nothing_denies_without_a_page(town: Town) -> None:
    async with begin(town.house.engine)(town.acme.id) as work:
        await work.members.put(town.ada.id, Role.MEMBER)
    await town.sign_in()
    assert error(await town.ask(scope="members:write")) == "access_denied"


@pytest.mark.parametrize(
    ("uri", "source", "where"),
    [
        ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152", "a program on this computer (127.0.0.1:49152)"),
        ("http://[::1]:49152/cb", "http:", "a program on this computer ([::1]:49152)"),
        ("com.shop.app:/cb", "com.shop.app:", "an app on this device (com.shop.app:)"),
    ],
)
async def test_a_native_app_is_asked_about_each_time(town: Town, uri: str, source: str, where: str) -> None:
    redirects = ("http://127.0.0.1/cb", "http://[::1]/cb", "com.shop.app:/cb")
    town.client = await town.register(secret_digest=None, redirect_uris=redirects)
    await town.sign_in()
    for _ in range(2):
        page = await town.ask(redirect_uri=uri)
        assert Page(page.text).texts["destination"] == where
        assert f"form-action 'self' {source} https:;" in page.headers["content-security-policy"]
        assert "code" in answered(await town.press(page, "allow"), uri)


async def test_a_sign_in_is_asked_for_anew(town: Town) -> None:
    await town.sign_in()
    before = town.http.cookies["__Host-portunus"]
    for demand in ({"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}):
        page = await town.arrive(await town.ask(**demand))
        assert "consent" in Page(page.text).forms
    assert town.http.cookies["__Host-portunus"] != before
    assert "code" in answered(await town.press(page, "allow"), BACK)


async def test_another_account_may_be_used(town: Town) -> None:
    await town.sign_in(town.mallory)
    refused = await town.ask()
    page = await town.arrive(await town.http.get(Page(refused.text).links["again"]))
    assert Page(page.text).texts["person"] == f"Ada <b>Byron</b> ({town.ada.email})"


async def test_the_way_back_from_sign_in_leads_to_this_endpoint_alone(town: Town) -> None:
    for query in (
        "//evil.example",
        "url=//evil.example",
        "a=b;url=https://evil.example",
        "%0d%0aSet-Cookie:x=y=z",
        "\xff",
    ):
        page = await town.http.get(f"/oauth/continue?{query}")
        link = Page(page.text).links["continue"]
        assert link.startswith("/oauth/authorize?")
        assert page.headers["refresh"] == f"0; url={link}"
        assert not set(";,\"' \r\n") & set(link)


async def test_a_code_is_in_no_log_at_any_level(sqlite_urls: Urls, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with founded(sqlite_urls) as town:
            await town.sign_in()
            cookie = town.http.cookies["__Host-portunus"]
            code = answered(await town.press(await town.ask(), "allow"), BACK)["code"]
            again = answered(await town.ask(), BACK)["code"]
    records = [record for record in caplog.records if not record.name.startswith("httpx2")]
    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in records)
    assert records
    for secret in (code, again, cookie):
        assert secret not in text


async def test_a_device_is_let_in_by_its_code(urls: Urls) -> None:
    async with founded(urls) as town:
        device = await town.device("BCDFGHJK")
        away = await town.http.get("/device?user_code=bcdf-ghjk")
        assert away.headers["location"] == "/sign-in?next=%2Fdevice%3Fuser_code%3Dbcdf-ghjk"
        await town.sign_in()
        page = await town.http.get("/device?user_code=bcdf-ghjk")
        assert Page(page.text).forms["device"]["user_code"] == "BCDF-GHJK"
        assert "Acme" not in page.text
        asked = await send(town.http, page, "device", ISSUER)
        said = Page(asked.text).texts
        assert (said["application"], said["tenant"], said["code"]) == ("Shop & Co", "Acme", "BCDF-GHJK")
        assert "Use AI models" in said["given"]
        assert (await town.told(device)).decision is Decision.PENDING
        done = await send(town.http, asked, "answer", ISSUER, answer="allow")
        assert "Your device is let in" in done.text
        told = await town.told(device)
        assert (told.decision, told.person_id, told.scopes) == (
            Decision.APPROVED,
            town.ada.id,
            frozenset({INVOKE, WRITE}),
        )
        assert told.signed_in_at is not None
        assert await town.actions() == ["consent.given"]
        again = await send(town.http, page, "device", ISSUER)
        assert (again.status_code, "No device waits with this code" in again.text) == (400, True)


async def test_a_device_is_denied(urls: Urls) -> None:
    async with founded(urls) as town:
        device = await town.device("BCDFGHJK")
        await town.sign_in()
        asked = await send(town.http, await town.http.get("/device"), "device", ISSUER, user_code="bcdfghjk")
        done = await send(town.http, asked, "answer", ISSUER, answer="deny")
        assert "was not let in" in done.text
        told = await town.told(device)
        assert (told.decision, told.person_id) == (Decision.DENIED, None)
        assert await town.actions() == []


async def test_a_device_of_another_tenant_is_unknown(urls: Urls) -> None:
    async with founded(urls) as town:
        device = await town.device("BCDFGHJK")
        await town.sign_in(town.mallory)
        page = await town.http.get("/device")
        for form in ({"user_code": "BCDFGHJK"}, {"user_code": "BBBBBBBB"}):
            answer = await send(town.http, page, "device", ISSUER, **form)
            assert (answer.status_code, "No device waits with this code" in answer.text) == (400, True)
        assert (await town.told(device)).decision is Decision.PENDING


async def test_codes_cannot_be_guessed_quickly(urls: Urls) -> None:
    async with founded(urls) as town:
        await town.device("BCDFGHJK")
        await town.sign_in()
        page = await town.http.get("/device")
        for _ in range(5):
            assert (await send(town.http, page, "device", ISSUER, user_code="BBBBBBBB")).status_code == 400
        held_up = await send(town.http, page, "device", ISSUER, user_code="BCDFGHJK")
        assert held_up.status_code == 429
        assert int(held_up.headers["retry-after"]) >= 1


async def test_a_device_of_a_tenants_own_service_is_let_in_by_nobody(town: Town) -> None:
    service = await town.register(kind=ClientKind.SERVICE)
    await town.device("BCDFGHJK", service)
    await town.sign_in()
    answer = await send(town.http, await town.http.get("/device"), "device", ISSUER, user_code="BCDFGHJK")
    assert answer.status_code == 400


async def test_the_device_page_takes_no_forged_form_and_no_ended_session(town: Town) -> None:
    device = await town.device("BCDFGHJK")
    await town.sign_in()
    page = await town.http.get("/device")
    asked = await send(town.http, page, "device", ISSUER, user_code="BCDFGHJK")
    assert (await send(town.http, asked, "answer", ISSUER, answer="allow", form_token="x")).status_code == 403
    assert (await send(town.http, asked, "answer", "https://evil.example", answer="allow")).status_code == 403
    await town.house.people.accounts.sign_out(town.http.cookies["__Host-portunus"])
    for sent in (
        await send(town.http, asked, "answer", ISSUER, answer="allow"),
        await send(town.http, page, "device", ISSUER, user_code="bcdf-GHJK"),
    ):
        assert sent.status_code == 303
        assert sent.headers["location"] == "/sign-in?next=%2Fdevice%3Fuser_code%3DBCDFGHJK"
    assert (await town.told(device)).decision is Decision.PENDING
