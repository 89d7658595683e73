"""Two tenants and the files of their usage: neither's has a call, a client or a credential of the other's."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from api.auth import Authentication, LeasedActors
from api.exports import FORMATS, Format, UsageExport
from tests.graphql_goods import Goods, Words, unknown_words
from tests.graphql_house import ACME
from tests.tenancy.two_tenants import World, traces, without_names

NOBODYS = unknown_words()


def attempts(own: Words) -> list[Mapping[str, str]]:
    """What a stranger may ask for with the owner's words."""
    return [
        {},
        {"client_id": own.client},
        {"credential_id": own.credential},
        {"credential_id": own.quota},
        {"model": f"{ACME.id}/{own.custom_model}"},
        {"provider": own.tenant_name},
    ]


@pytest.fixture(params=FORMATS, ids=lambda form: form.ending)
def form(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


async def taken(two: World, form: Format, by: Goods, query: Mapping[str, str]) -> tuple[int, Any]:
    """The status and the calls of a file, or the refusal."""
    actors = LeasedActors(two.house.usecases.access.authenticate, lambda: datetime.now(UTC))
    app = Authentication(UsageExport(two.house.usecases.usage, form, "x"), actors.admit, "x")
    headers = {"authorization": f"Bearer {await two.token(by)}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://portunus") as client:
        answer = await client.get(f"/usage.{form.ending}?{urlencode(query)}", headers=headers)
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    if form.ending == "csv":
        return 200, list(csv.DictReader(io.StringIO(answer.text, newline="")))
    return 200, [json.loads(line) for line in answer.text.splitlines()]


async def test_the_owners_file_has_its_own_calls(two: World, form: Format) -> None:
    """Else the test below would pass for files without calls."""
    for query in attempts(two.hers.words)[:3]:
        status, calls = await taken(two, form, two.hers, query)
        assert (status, [call["call_id"] for call in calls]) == (200, [two.hers.words.call_id])
        assert traces(calls, two.hers)


async def test_a_strangers_file_has_none_of_them_whatever_it_asks_for(two: World, form: Format) -> None:
    before = await two.rows_of(two.hers)
    for hers, nobodys in zip(attempts(two.hers.words), attempts(NOBODYS), strict=True):
        for_hers, for_nobodys = await taken(two, form, two.his, hers), await taken(two, form, two.his, nobodys)
        assert without_names(for_hers, two.hers.words) == without_names(for_nobodys, NOBODYS)
        assert traces(for_hers[1], two.hers, hers.values()) == []
    assert await two.rows_of(two.hers) == before
