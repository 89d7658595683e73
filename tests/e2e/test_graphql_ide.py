"""The page for trying the API in a browser: there when it is on, from this server alone."""

import re
from dataclasses import replace

from tests.e2e.front import front
from tests.graphql_house import OPTIONS, House

ON = replace(OPTIONS, ide=True)
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_the_page_and_all_it_asks_for_come_from_here() -> None:
    async with front(House(), ON) as asked:
        page = await asked.client.get(asked.url, headers=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(references) == 6
        for reference in references:
            assert reference.startswith("/graphql/ide/")
            file = await asked.client.get(asked.url.removesuffix("/graphql") + reference)
            assert file.status_code == 200


async def test_the_page_may_load_nothing_from_elsewhere_and_runs_no_script_of_its_own() -> None:
    async with front(House(), ON) as asked:
        page = await asked.client.get(asked.url, headers=BROWSER)
        policy = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert not re.search(r"<script(?![^>]*src=)", page.text)
        assert not re.search(r"https?://", page.text)


async def test_the_licences_are_served_beside_the_code() -> None:
    async with front(House(), ON) as asked:
        for name in ("graphiql", "react", "react-dom"):
            licence = await asked.client.get(f"{asked.url}/ide/{name}.LICENSE")
            assert "MIT License" in licence.text


async def test_only_the_pages_own_files_are_served() -> None:
    async with front(House(), ON) as asked:
        for name in ("..%2Fview.py", "%2Fetc%2Fpasswd", "nothing.js", ""):
            assert (await asked.client.get(f"{asked.url}/ide/{name}")).status_code == 404


async def test_a_program_gets_no_page() -> None:
    async with front(House(), ON) as asked:
        for accept in ("*/*", "application/json"):
            answer = await asked.get(accept)
            assert answer.status_code == 400
        asking = await asked.get("text/html,application/json", query="{ viewer { clientId } }")
        assert asking.json()["data"]["viewer"]["clientId"]


async def test_the_page_is_absent_when_it_is_off() -> None:
    async with front(House()) as asked:
        assert (await asked.client.get(asked.url, headers=BROWSER)).status_code == 401
        assert (await asked.client.get(f"{asked.url}/ide/page.js", headers=BROWSER)).status_code == 401
