"""Whatever opens something for a person, an application or a device is in the answer that shows it, and nowhere else:
in no other answer, no log at any level, no row, and not in what is told when the database fails."""

import base64
import hashlib
import logging
import secrets
import sqlite3
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from api.house import House
from api.main import create_app
from infrastructure.settings import Settings
from tests.canary import written
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY
from tests.e2e.test_canary import rows
from tests.graphql_documents import FIELDS
from tests.oauth_town import basic
from tests.pages_read import Page, answered
from tests.stubs.serve import serving
from tests.treasure import Treasure

ISSUER, BACK, EMAIL = "http://127.0.0.1:8080", "https://crm.example/back", "ada@portunus.example"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ALLOWED = ["models:invoke", "tenant:read"]
WANTED = "models:invoke tenant:read openid offline_access"
OURS = ("httpx2", "httpcore")
"""The loggers of the client of this test, which tells what it sends."""


@dataclass
class Records(logging.Handler):
    """Every record of every logger, and the exceptions that they tell of."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(OURS):
            return
        self.lines.append(record.getMessage())
        if record.exc_info:
            self.lines.extend(traceback.format_exception(record.exc_info[1]))


@dataclass
class Tour:
    """One client of everything: a browser, an application and a device; `held` is what each of them was shown."""

    http: httpx2.AsyncClient
    held: Treasure = field(default_factory=Treasure)
    answers: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        answer = await self.http.request(method, path, **request)
        self.answers.append(repr(answer.headers.raw).encode() + answer.content)
        self.statuses.append(answer.status_code)
        return answer

    def keep(self, name: str, secret: str) -> str:
        """What the last answer showed."""
        return self.held.keep(name, secret, len(self.answers) - 1)

    def own(self, name: str) -> str:
        """A new secret of the client's own, which no answer shows."""
        return self.held.keep(name, f"{secrets.token_hex(24)}-canary")

    def session(self, name: str) -> None:
        """The cookie, which one answer set."""
        cookie = self.http.cookies["portunus"]
        (number,) = [n for n, answer in enumerate(self.answers) if f"portunus={cookie};".encode() in answer]
        self.held.keep(name, cookie, number)

    async def ask(self, field: str, token: str, /, **given: Any) -> dict[str, Any]:
        body = {"query": FIELDS[field].document(["input"]), "variables": {"input": given}}
        answer = await self.send("POST", "/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
        assert "errors" not in answer.json(), answer.text
        told: dict[str, Any] = answer.json()["data"][field]
        assert "code" not in told, told
        return told

    async def post(self, to: str, proof: str, **form: str) -> dict[str, Any]:
        answer = await self.send("POST", f"/oauth/{to}", data=form, headers={"Authorization": proof})
        is_json = answer.content and answer.headers["content-type"] == "application/json"
        told: dict[str, Any] = answer.json() if is_json else {}
        return told

    async def tokens(self, name: str, proof: str, **form: str) -> dict[str, Any]:
        told = await self.post("token", proof, **form)
        for kind in ("access_token", "refresh_token", "id_token"):
            if kind in told:
                self.keep(f"{name}: {kind}", told[kind])
        assert "access_token" in told, told
        return told

    async def fill(self, page: httpx2.Response, form: str, **values: str) -> httpx2.Response:
        """Send the form of a page; where that leads, up to three steps on within Portunus."""
        read = Page(page.text)
        sent = {**read.forms[form], **values}
        answer = await self.send("POST", read.actions[form], data=sent, headers={"Origin": ISSUER})
        for _ in range(3):
            if answer.headers.get("location", "").startswith("/"):
                answer = await self.send("GET", answer.headers["location"])
        return answer


@contextmanager
def listening() -> Iterator[Records]:
    """To every logger, at DEBUG, but for those that Portunus itself keeps quiet."""
    records, root = Records(), logging.getLogger()
    level, others = root.level, root.handlers[:]
    loud = {name: logging.getLogger(name) for name in ("aiosqlite", "sqlalchemy", "uvicorn.error")}
    levels = {name: logger.level for name, logger in loud.items()}
    root.handlers[:] = [records]
    for logger in (root, *loud.values()):
        logger.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        root.handlers[:] = others
        root.setLevel(level)
        for name, logger in loud.items():
            logger.setLevel(levels[name])


@asynccontextmanager
async def portunus(urls: Urls) -> AsyncIterator[tuple[House, Tour]]:
    key = SecretStr(MASTER_KEY)
    settings = Settings(database_url=urls.app, master_key=key, issuer=ISSUER, address_requests_per_second=10_000)
    house = House(settings)
    app = create_app(settings, house)
    async with (
        app.router.lifespan_context(app),
        serving(app) as url,
        httpx2.AsyncClient(
            base_url=url, trust_env=False, timeout=60, headers={"Accept": "text/html, application/json"}
        ) as http,
    ):
        yield house, Tour(http)


async def join(house: House, tour: Tour) -> str:
    """An invitation is sent and taken up; the new member signs out, in again wrongly and rightly. The token of Acme."""
    opened = await house.usecases.tenants.found("Acme")
    secret = tour.held.keep("the tenant's secret", opened.client_secret.reveal())
    proof = basic(opened.client_id, secret)
    token = str((await tour.tokens("the tenant", proof, grant_type="client_credentials"))["access_token"])
    link = (await tour.ask("inviteMember", token, email=EMAIL, role="ADMIN"))["link"]
    tour.keep("the invitation", link.partition("=")[2])
    moved = await tour.send("GET", link.removeprefix(ISSUER))
    tour.keep("the invitation", link.partition("=")[2])  # into a cookie
    page = await tour.send("GET", moved.headers["location"])
    page = await tour.fill(page, "create-account", name="Ada", password=tour.own("a password")[:11])
    await tour.fill(page, "create-account", name="Ada", password=tour.held.secrets["a password"])
    tour.session("the first session")
    await sign_in(tour)
    return token


async def sign_in(tour: Tour) -> None:
    account = await tour.send("GET", "/account")
    page = await tour.fill(account, "sign-out")
    page = await tour.send("GET", "/sign-in")
    for email, name in ((EMAIL, "a wrong password"), ("nobody@portunus.example", "nobody's password")):
        page = await tour.fill(page, "sign-in", email=email, password=tour.own(name))
    await tour.fill(page, "sign-in", email=EMAIL, password=tour.held.secrets["a password"])
    tour.session("the second session")
    page = await tour.send("GET", "/account")
    old, new = tour.own("a guessed password"), tour.own("a new password")
    page = await tour.fill(page, "change-password", current_password=old, new_password=new)
    await tour.fill(page, "change-password", current_password=tour.held.secrets["a password"], new_password=new)
    tour.session("the last session")


async def let_in(tour: Tour, token: str) -> str:
    """A partner is registered, denied, let in, renewed, replayed and ended. Its proof."""
    given = {"kind": "PARTNER", "scopes": ALLOWED, "redirectUris": [BACK]}
    made = await tour.ask("registerApplication", token, name="CRM", **given)
    tour.keep("the partner's first secret", made["clientSecret"])
    rotated = await tour.ask("rotateApplicationSecret", token, id=made["application"]["id"])
    client_id = rotated["application"]["clientId"]
    proof = basic(client_id, tour.keep("the partner's secret", rotated["clientSecret"]))
    verifier = tour.own("the verifier")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"client_id": client_id, "redirect_uri": BACK, "scope": WANTED, "state": "s", "response_type": "code"}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    for answer in ("deny", "allow"):
        page = await tour.send("GET", f"/oauth/authorize?{urlencode(asked)}")
        told = answered(await tour.fill(page, "consent", answer=answer), BACK)
    code = tour.keep("the code", told["code"])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    await tour.post("token", proof, **form, code_verifier=tour.own("a wrong verifier"))
    first = await tour.tokens("by code", proof, **form, code_verifier=verifier)
    renewing = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await tour.tokens("renewed", proof, **renewing)
    await tour.send("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {second['access_token']}"})
    for kind in ("access_token", "refresh_token"):
        await tour.post("introspect", proof, token=second[kind])
    await tour.post("revoke", proof, token=second["access_token"])
    for replayed in (renewing, {**form, "code_verifier": verifier}):
        assert (await tour.post("token", proof, **replayed))["error"] == "invalid_grant"
    return proof


async def let_device_in(tour: Tour, proof: str) -> str:
    """The code that the device showed."""
    started = await tour.post("device_authorization", proof, scope="models:invoke offline_access")
    tour.keep("the device's code", started["device_code"])
    polling = {"grant_type": DEVICE, "device_code": started["device_code"]}
    assert (await tour.post("token", proof, **polling))["error"] == "authorization_pending"
    page = await tour.send("GET", "/device")
    page = await tour.fill(page, "device", user_code=started["user_code"])
    await tour.fill(page, "answer", answer="allow")
    await tour.tokens("the device", proof, **polling)
    assert "error" in await tour.post("token", proof, **polling)
    shown: str = started["user_code"]
    return shown


async def use_keys(tour: Tour, token: str) -> None:
    made = await tour.ask("createApiKey", token, name="batch", scopes=ALLOWED)
    key = tour.keep("the first key", made["key"])
    rotated = await tour.ask("rotateApiKey", token, id=made["apiKey"]["id"])
    for each in (key, tour.keep("the key", rotated["key"])):
        asked = {"query": "{ viewer { clientId scopes } tenant { name } }"}
        answer = await tour.send("POST", "/graphql", json=asked, headers={"Authorization": f"Bearer {each}"})
        assert "errors" not in answer.json(), answer.text


def misused(secret: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Requests that carry a secret where it is of no use, or in a form that nobody can read."""
    bearer, form = {"Authorization": f"Bearer {secret}"}, {"Content-Type": "application/x-www-form-urlencoded"}
    asked = {"query": "query Q($id: ID!) { node(id: $id) { id } }", "variables": {"id": secret}}
    yield "POST", "/graphql", {"json": asked, "headers": bearer}
    yield "POST", "/graphql", {"content": b'{"query": "' + secret.encode(), "headers": bearer}
    yield "GET", "/usage.csv", {"headers": bearer}
    yield "GET", "/oauth/userinfo", {"headers": bearer}
    for proof in (basic(secret, secret), f"Basic {secret}", f"Bearer {secret}", secret):
        yield (
            "POST",
            "/oauth/token",
            {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": proof}},
        )
    for name in ("grant_type", "scope", "client_id", "code", "resource"):
        grant = {"grant_type": "authorization_code", "client_secret": secret, name: secret}
        yield "POST", "/oauth/token", {"data": grant}
    for endpoint in ("revoke", "introspect", "device_authorization"):
        yield "POST", f"/oauth/{endpoint}", {"data": {"token": secret, "client_id": secret, "scope": secret}}
        yield "POST", f"/oauth/{endpoint}", {"content": f"token={secret}&token={secret}&a=%FF", "headers": form}
        yield "POST", f"/oauth/{endpoint}", {"json": {"token": secret}}
    yield "POST", "/sign-in", {"data": {"email": secret, "password": secret}, "headers": {"Origin": ISSUER}}
    yield "GET", "/account", {"headers": {"Cookie": f"portunus={secret}; portunus-form={secret}"}}
    yield "POST", "/account/password", {"content": secret, "headers": {"Cookie": f"portunus={secret}"}}


async def misuse(tour: Tour, proof: str, held: list[str]) -> None:
    """Each of them is sent everywhere, whole and cut short, and where it would be taken for one of another kind."""
    for secret in held:
        for token in ("introspect", "revoke"):
            await tour.post(token, proof, token=secret[:-1])
        for grant, name in (("refresh_token", "refresh_token"), (DEVICE, "device_code")):
            await tour.post("token", proof, grant_type=grant, **{name: secret[:-1]})
        for method, path, request in misused(secret):
            await tour.send(method, path, **request)


def break_down(urls: Urls) -> None:
    """Take away the tables that tokens, sessions and clients are looked up in."""
    with closing(sqlite3.connect(Path(make_url(urls.owner).database or ""))) as store:
        for table in ("tokens", "sessions", "clients", "devices", "sign_in_failures"):
            store.execute(f"DROP TABLE {table}")
        store.commit()


async def test_what_opens_something_is_told_once_and_kept_nowhere(sqlite_urls: Urls) -> None:
    with listening() as records, capture_logs() as structured:
        async with portunus(sqlite_urls) as (house, tour):
            token = await join(house, tour)
            proof = await let_in(tour, token)
            shown = await let_device_in(tour, proof)
            await use_keys(tour, token)
            stored = b"\n".join([value async for value in rows(sqlite_urls)])
            await misuse(tour, proof, list(tour.held.secrets.values())[::2])
            break_down(sqlite_urls)
            sound = len(tour.answers)
            await misuse(tour, proof, list(tour.held.secrets.values())[::6])
    told = "\n".join([*records.lines, *map(repr, structured)]).encode(errors="replace")
    assert tour.held.strayed(tour.answers) == []
    assert tour.held.found_in(told) == []
    assert tour.held.found_in(stored) == []
    assert shown.encode() not in told
    assert b"no such table" in told
    assert (500 in tour.statuses[:sound], 500 in tour.statuses[sound:]) == (False, True)
    assert len(tour.held.secrets) > 20


def test_the_search_finds_a_secret_however_it_is_written_and_no_other() -> None:
    held = Treasure()
    held.keep("a key", secret := f"ptn_sk_{secrets.token_hex(32)}", 3)
    for text in written(secret[-49:]):
        assert held.found_in(f"xyz {text} zyx".encode()) == ["a key"], text
    assert held.strayed([secret.encode()] * 5) == [(number, "a key") for number in (0, 1, 2, 4)]
    assert held.found_in(f"ptn_sk_{secrets.token_hex(32)}".encode()) == []
