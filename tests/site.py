"""A Portunus with pages, one tenant, and browsers to look at them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_hex
from typing import Any

import httpx2
from starlette.applications import Starlette
from uuid_utils.compat import uuid7

from api.house import House
from api.main import create_app
from domain.model.access import Role
from domain.model.audit import Deed
from domain.model.ids import InvitationId, TenantId
from domain.model.people import Invitation
from domain.model.tokens import Kind, digest, mint
from domain.usecases.accounts import SignedIn
from infrastructure.db.work import begin
from infrastructure.settings import Settings
from tests.browsing import Browser, browsing
from tests.databases import Urls
from tests.e2e.portunus import MASTER_KEY

ISSUER = "https://portunus.example"
PASSWORD = "a long enough password"
COOKIE = "__Host-portunus"


@dataclass(frozen=True, slots=True)
class Site:
    """A running Portunus with one tenant; addresses of people are new, so tests share a database unseen."""

    house: House
    app: Starlette
    tenant_id: TenantId
    stack: AsyncExitStack

    async def browser(self, address: str = "127.0.0.1") -> Browser:
        return await self.stack.enter_async_context(browsing(self.app, ISSUER, address))

    async def invite(self, email: str, role: Role = Role.MEMBER, lasts: timedelta = timedelta(days=7)) -> str:
        """The path of the invitation's link."""
        token, now = mint(Kind.INVITATION, self.tenant_id, token_bytes(32)), datetime.now(UTC)
        async with begin(self.house.engine)(self.tenant_id) as work:
            made, ends = now - timedelta(days=8), now + lasts
            ids = self.tenant_id, InvitationId(uuid7())
            await work.invitations.add(Invitation(*ids, email, role, digest(token), made, ends))
        return f"/invitation?token={token}"

    async def settled(self, email: str) -> Browser:
        """A browser in which a new member is signed in."""
        browser = await self.browser()
        page = await browser.open(await self.invite(email))
        page = await browser.submit(page, "create-account", name="Ada Lovelace", password=PASSWORD)
        assert page.status_code == 200
        return browser

    async def who(self, browser: Browser) -> SignedIn:
        me = await self.house.people.accounts.signed_in(browser.http.cookies[COOKIE])
        assert me is not None
        return me

    async def chain(self) -> list[Deed]:
        async with begin(self.house.engine)(self.tenant_id) as work:
            return [entry.deed for entry in await work.audit.page(first=10)]


def an_address() -> str:
    return f"ada-{token_hex(6)}@portunus.example"


@asynccontextmanager
async def opened(urls: Urls, **settings: Any) -> AsyncIterator[Site]:
    given = {"database_url": urls.app, "master_key": MASTER_KEY, "issuer": ISSUER} | settings
    house = House(Settings(**given))
    async with house, AsyncExitStack() as stack:
        tenant = (await house.usecases.tenants.found("Acme & Söhne")).tenant
        yield Site(house, create_app(house.settings, house), tenant.id, stack)


async def sign_in(browser: Browser, email: str, password: str = PASSWORD, path: str = "/sign-in") -> httpx2.Response:
    return await browser.submit(await browser.open(path), "sign-in", email=email, password=password)
