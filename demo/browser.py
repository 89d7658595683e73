"""A person's browser as far as the demo needs one: it keeps cookies, and fills in and sends a page's form."""

from html.parser import HTMLParser

import httpx2


class _Form(HTMLParser):
    """The action and the fields of the form of one id."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self._wanted, self._inside = form_id, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = told.get("id") == self._wanted
            self.action = told["action"] if self._inside else self.action
        elif tag == "input" and self._inside:
            self.fields[told["name"]] = told.get("value", "")


class Browser:
    def __init__(self, url: str) -> None:
        self._origin = url
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=60, headers={"Accept": "text/html"})

    def open(self, address: str) -> httpx2.Response:
        return self._followed(self._http.get(address))

    def send(self, page: httpx2.Response, form_id: str, **values: str) -> httpx2.Response:
        """Where it leads: the last page here, or the redirect to somewhere else."""
        form = _Form(form_id)
        form.feed(page.text)
        sent = self._http.post(form.action, data=form.fields | values, headers={"Origin": self._origin})
        return self._followed(sent)

    def _followed(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            answer = self._http.get(answer.headers["location"])
        return answer
