"""A tenant on a served Portunus with what clients need there: applications, and people with browsers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2

from tests.browsing import Browser
from tests.e2e.portunus import Client, Served

PASSWORD = "correct horse battery staple"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

REGISTER = """
mutation ($input: RegisterApplicationInput!) {
  registerApplication(input: $input) {
    ... on RegisterApplicationPayload { application { id clientId } clientSecret }
    ... on Problem { message }
  }
}"""
OPEN = """
mutation ($input: OpenTenantInput!) {
  openTenant(input: $input) { ... on OpenTenantPayload { clientId clientSecret } }
}"""
INVITE = """
mutation ($input: InviteMemberInput!) {
  inviteMember(input: $input) { ... on InviteMemberPayload { link } ... on Problem { message } }
}"""


@dataclass(frozen=True, slots=True)
class Registered:
    """An application: `key` is its private key where it proves itself by one."""

    id: str
    client_id: str
    secret: str | None
    redirect_uri: str
    key: Mapping[str, Any] | None = None

    def proving(self, method: str) -> dict[str, Any]:
        """As the scripts take it."""
        return {"id": self.client_id, "proof": method, "secret": self.secret, "key": self.key}


@dataclass(frozen=True, slots=True)
class Town:
    """`api` is the tenant's first application, which may do everything in it."""

    portunus: Served
    opened: Mapping[str, str]
    api: Client

    @property
    def issuer(self) -> str:
        return self.portunus.url

    async def register(self, redirect_uri: str = "", **terms: Any) -> Registered:
        """An application by GraphQL; `key` is the private key whose public half is among its terms."""
        key = terms.pop("key", None)
        terms = {"redirectUris": [redirect_uri] if redirect_uri else [], **terms}
        made = (await self.api.ask(REGISTER, input=terms))["registerApplication"]
        assert "application" in made, made
        application = made["application"]
        return Registered(application["id"], application["clientId"], made["clientSecret"], redirect_uri, key)

    async def invite(self, email: str, role: str = "OWNER") -> str:
        """The link."""
        invited = (await self.api.ask(INVITE, input={"email": email, "role": role}))["inviteMember"]
        assert "link" in invited, invited
        link: str = invited["link"]
        return link

    @asynccontextmanager
    async def person(self, name: str = "Ada", role: str = "OWNER") -> AsyncIterator["Person"]:
        """Somebody who took up an invitation, and is signed in."""
        email = an_address(name.lower())
        link = await self.invite(email, role)
        async with visiting(self.issuer) as browser:
            page = await browser.open(link.removeprefix(self.issuer))
            home = await browser.submit(page, "create-account", name=name, password=PASSWORD)
            assert home.status_code == 200, home.text
            yield Person(email, browser)


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    browser: Browser

    async def answer(self, address: str, answer: str) -> str:
        """Where the browser is sent after a person was asked there, and answered."""
        page = await self.browser.open(address)
        return _sent(await self.browser.submit(page, "consent", answer=answer))

    async def passed(self, address: str) -> str:
        """Where it is sent at once."""
        return _sent(await self.browser.open(address))

    async def device(self, user_code: str, answer: str) -> str:
        """The page after a person typed a device's code, and answered."""
        page = await self.browser.open("/device")
        question = await self.browser.submit(page, "device", user_code=user_code)
        done = await self.browser.submit(question, "answer", answer=answer)
        assert done.status_code == 200, done.text
        return done.text


@dataclass(frozen=True, slots=True)
class Land:
    """An installation, and the operator's client that opens tenants in it."""

    portunus: Served
    operator: Mapping[str, str]

    @asynccontextmanager
    async def town(self, name: str = "Acme") -> AsyncIterator[Town]:
        """A new tenant of this name."""
        async with self.portunus.client_of(self.operator) as api:
            made = (await api.ask(OPEN, input={"name": name}))["openTenant"]
        opened = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
        async with self.portunus.client_of(opened) as api:
            yield Town(self.portunus, opened, api)


@asynccontextmanager
async def visiting(issuer: str) -> AsyncIterator[Browser]:
    """A browser without scripts over a socket."""
    headers = {"accept": "text/html", "user-agent": AGENT}
    async with httpx2.AsyncClient(base_url=issuer, headers=headers, trust_env=False, timeout=30) as http:
        yield Browser(http, issuer)


def an_address(name: str) -> str:
    """Nobody else's: people are the same in all tenants of an installation."""
    return f"{name}-{uuid4().hex[:8]}@example.com"


def query(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def _sent(answer: httpx2.Response) -> str:
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    return location
