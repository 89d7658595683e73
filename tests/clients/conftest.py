"""What lies here runs only for `-m clients`; then it needs its tools, and without one of them it fails."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.servers import free_port
from tests.clients.script import HERE
from tests.clients.town import Land, Town
from tests.databases import Urls, sqlite
from tests.e2e.portunus import environment, served

CHROMIUM = "PORTUNUS_CHROMIUM"
PICTURES = "PORTUNUS_PICTURES"
NOWHERE = "http://127.0.0.1:9"
"""Where the platform's own key would be good; nothing here calls a model."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "clients" in config.getoption("markexpr"):
        return
    ours = [item for item in items if item.get_closest_marker("clients")]
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    if shutil.which("node") is None:
        pytest.fail("Node 20 or newer is not installed.")
    if not (HERE / "node_modules" / "openid-client").is_dir():
        pytest.fail("The npm packages are not installed: run `make test-clients`, or `npm ci` in tests/clients.")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where it is."""
    named = os.environ.get(CHROMIUM)
    found = shutil.which(named) if named else shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail(f"Chromium is not installed: `apt-get install chromium`, or name it in {CHROMIUM}.")
    return found


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser's pictures of pages go; the folder that PORTUNUS_PICTURES names keeps them."""
    named = os.environ.get(PICTURES)
    if named is None:
        return tmp_path_factory.mktemp("pictures")
    Path(named).mkdir(exist_ok=True)
    return Path(named)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    home = tmp_path_factory.mktemp("sqlite")
    with _land(sqlite(home), home) as land:
        yield land


@pytest.fixture(scope="session")
def on_postgres(postgres_urls: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    with _land(postgres_urls, tmp_path_factory.mktemp("postgres")) as land:
        yield land


@pytest.fixture(params=["sqlite", "postgres"])
def land(request: pytest.FixtureRequest) -> Land:
    """On either database."""
    found: Land = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture
async def acme(land: Land) -> AsyncIterator[Town]:
    """A tenant of its own."""
    async with land.town() as opened:
        yield opened


@contextmanager
def _land(urls: Urls, home: Path) -> Iterator[Land]:
    port = free_port()
    own = environment(urls, NOWHERE, PORTUNUS_ISSUER=f"http://127.0.0.1:{port}")
    with served(own, home, port) as portunus:
        yield Land(portunus, portunus.open_tenant("Operator", "--operator"))
