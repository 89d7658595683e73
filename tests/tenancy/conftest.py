"""Two tenants on SQLite, on PostgreSQL, and on PostgreSQL with the repositories' own fence taken away."""

from collections.abc import AsyncIterator

import pytest

from infrastructure.db.fence import Fence, naming
from tests.databases import Urls
from tests.tenancy.test_row_level_security import open_gate
from tests.tenancy.two_tenants import World, world


@pytest.fixture(params=["both fences, sqlite", "both fences, postgres", "row-level security alone"])
def fenced(request: pytest.FixtureRequest) -> tuple[Urls, Fence]:
    name: str = request.param
    urls: Urls = request.getfixturevalue("sqlite_urls" if name.endswith("sqlite") else "postgres_urls")
    return urls, open_gate if name.endswith("alone") else naming


@pytest.fixture
async def two(fenced: tuple[Urls, Fence]) -> AsyncIterator[World]:
    async with world(*fenced) as both:
        yield both
