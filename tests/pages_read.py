"""Pages read as a person reads them: by the ids of what stands there, with forms to fill in and send."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import httpx2


@dataclass
class Page(HTMLParser):
    """What a page holds: each form's fields by the form's name, each text by its element's id, each link by its id."""

    html: str
    forms: dict[str, dict[str, str]] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, str | None]] = []
        self._form = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = found["id"]
            self.forms[self._form] = {}
            self.actions[self._form] = found["action"]
        if tag == "input":
            self.forms[self._form][found["name"]] = found.get("value", "")
            return
        if tag == "a" and "id" in found:
            self.links[found["id"]] = found["href"]
        if tag not in ("meta", "link", "img", "br"):
            self._open.append((tag, found.get("id")))
            if "id" in found:
                self.texts[found["id"]] = ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, id_ in self._open:
            if id_ is not None:
                self.texts[id_] = " ".join((self.texts[id_] + " " + data).split())


async def send(
    http: httpx2.AsyncClient, page: httpx2.Response, form: str, origin: str, **changes: str
) -> httpx2.Response:
    """The form of this name on the page, with these fields in place of its own."""
    read = Page(page.text)
    return await http.post(read.actions[form], data={**read.forms[form], **changes}, headers={"Origin": origin})


def answered(answer: httpx2.Response, to: str) -> dict[str, str]:
    """The parameters of a redirect to exactly this address, each there once."""
    assert answer.status_code == 303, answer.text
    there, _, query = answer.headers["location"].partition("?")
    assert there == to
    pairs = parse_qsl(query, strict_parsing=True)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)
