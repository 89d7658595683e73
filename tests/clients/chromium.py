"""A real browser before Portunus' pages, and what an application's own end of the flow receives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.clients.script import Script, script
from tests.stubs.serve import serving

REFUSALS_SHOW = "Failed to load resource: the server responded with a status of"
"""Chromium complains of each page whose status is 400 or more."""


@dataclass(frozen=True, slots=True)
class Sight:
    url: str
    status: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Chromium:
    """One person's; without scripts, or with them for axe-core's sake: Portunus' pages have none."""

    driver: Script

    async def open(self, url: str) -> None:
        await self._do("open", url=url)

    async def fill(self, **texts: str) -> None:
        """Each text into the field of this label, with spaces for the underscores."""
        for label, text in texts.items():
            await self._do("fill", label=label.replace("_", " "), text=text)

    async def press(self, button: str) -> None:
        """The button of this name; the page that follows is there."""
        await self._do("press", button=button)

    async def follow(self, link: str) -> None:
        await self._do("follow", link=link)

    async def look(self, name: str) -> Sight:
        """What is there. Pictures are taken in light, dark and narrow; with scripts, axe-core must find no fault."""
        seen = await self._do("look", name=name)
        assert seen.pop("violations") == []
        return Sight(**seen)

    async def check(self) -> None:
        """Nothing was asked for off this machine, and no page broke its own policy or failed in another way."""
        report = await self._do("report")
        assert {urlsplit(url).hostname for url in report["asked"]} == {"127.0.0.1"}
        assert [said for said in report["complaints"] if not said.startswith(REFUSALS_SHOW)] == []

    async def _do(self, command: str, **terms: str) -> dict[str, Any]:
        await self.driver.tell(do=command, **terms)
        answer: dict[str, Any] = await self.driver.hear()
        return answer


@asynccontextmanager
async def chromium(executable: str, pictures: Path, *, scripts: bool) -> AsyncIterator[Chromium]:
    """On the way out it must have kept to this machine and to the pages' policies."""
    given = {"executable": executable, "pictures": str(pictures), "scripts": scripts}
    async with script("browser.js", **given) as driver:
        browser = Chromium(driver)
        yield browser
        if driver.process.returncode is None:
            await browser.check()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where an application has people sent back to; it sends them on from there, without the code in the address."""

    address: str
    received: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    received: list[dict[str, str]] = []

    async def receive(request: Request) -> Response:
        received.append(dict(request.query_params))
        return RedirectResponse("/", 303)

    async def home(_: Request) -> Response:
        return HTMLResponse("<!doctype html><html lang=en><title>Reports</title><main><h1>You are back</h1></main>")

    async with serving(Starlette(routes=[Route("/signed-in", receive), Route("/", home)])) as url:
        yield Receiver(f"{url}/signed-in", received)
