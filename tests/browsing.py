"""A browser without scripts: it keeps cookies, reads forms from pages, and fills them in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2


@dataclass(slots=True)
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """The forms of a page by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Form] = {}
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert told["method"] == "post"
            self._open = self.found[told["id"]] = Form(told["action"])
        if tag == "button" and self._open and "name" in told:
            self._open.fields[told["name"]] = ""
        if tag == "input" and self._open:
            self._open.fields[told["name"]] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms(page: httpx2.Response) -> dict[str, Form]:
    parser = _Forms()
    parser.feed(page.text)
    return parser.found


@dataclass(frozen=True, slots=True)
class Browser:
    """One person's, at one address."""

    http: httpx2.AsyncClient
    issuer: str

    async def open(self, path: str) -> httpx2.Response:
        """Where it ends after redirects within the site."""
        return await self._followed(await self.http.get(path))

    async def submit(self, page: httpx2.Response, form_id: str, **values: str) -> httpx2.Response:
        """Fill the form of this id and send it; where it ends."""
        return await self._followed(await self.send(page, form_id, **values))

    async def send(self, page: httpx2.Response, form_id: str, **values: str) -> httpx2.Response:
        """The same without following."""
        form = forms(page)[form_id]
        assert set(values) <= set(form.fields)
        return await self.http.post(form.action, data=form.fields | values, headers={"origin": self.issuer})

    async def _followed(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            assert answer.status_code == 303
            answer = await self.http.get(answer.headers["location"])
        return answer


@asynccontextmanager
async def browsing(app: Any, issuer: str, address: str = "127.0.0.1") -> AsyncIterator[Browser]:
    transport = httpx2.ASGITransport(app=app, client=(address, 50_000))
    headers = {"accept": "text/html", "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0"}
    async with httpx2.AsyncClient(transport=transport, base_url=issuer, headers=headers, trust_env=False) as http:
        yield Browser(http, issuer)
