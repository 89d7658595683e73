"""How PostgreSQL reads call records: by their indexes, however many other tenants' there are."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.model.ids import ClientId, CredentialId
from domain.model.tenant import Tenant
from domain.model.usage_totals import Dimension, Span, UsageFilter
from domain.ports import Records
from infrastructure.db.engine import open_engine
from infrastructure.db.fence import bind
from infrastructure.db.ledger_postgres import ledger_on
from infrastructure.db.work import begin
from tests.belongings import NOW, a_record, settled_in
from tests.databases import Urls
from tests.stores import InDatabase

CLIENTS = [ClientId(uuid7()) for _ in range(10)]
CREDENTIALS = [CredentialId(uuid7()) for _ in range(10)]
MONTH = UsageFilter(Span(NOW - timedelta(days=30), NOW))
TWO_DAYS = UsageFilter(Span(NOW - timedelta(days=2), NOW))
HOUR = UsageFilter(Span(NOW - timedelta(hours=1), NOW))

Reading = Callable[[Records], Awaitable[Any]]


@pytest.fixture
async def tenant(postgres_urls: Urls, postgres_engine: AsyncEngine) -> Tenant:
    """One of three tenants with 3,000 records each, over 300 hours; the planner knows."""
    store = InDatabase(postgres_engine, ledger_on(postgres_engine))
    for _ in range(3):
        tenant = await settled_in(store.begin)
        await store.leave(
            *(
                replace(
                    a_record(tenant.id, at=NOW - timedelta(minutes=6 * n)),
                    client_id=CLIENTS[n % 10],
                    credential_id=CREDENTIALS[n // 10 % 10],
                )
                for n in range(3_000)
            )
        )
    owner = open_engine(postgres_urls.owner)
    async with owner.begin() as connection:
        await connection.execute(text("ANALYZE call_records"))
    await owner.dispose()
    return tenant


@pytest.mark.parametrize(
    ("reading", "index", "most"),
    [
        pytest.param(lambda r: r.page(MONTH, first=101), "at", 200, id="the first page"),
        pytest.param(
            lambda r: r.page(MONTH, first=101, after=(NOW - timedelta(days=10), UUID(int=0))),
            "at",
            200,
            id="a later page",
        ),
        pytest.param(
            lambda r: r.page(replace(MONTH, client_id=CLIENTS[3]), first=101), "client_id", 200, id="a client's"
        ),
        pytest.param(
            lambda r: r.page(replace(MONTH, credential_id=CREDENTIALS[3]), first=101),
            "credential_id",
            200,
            id="a credential's",
        ),
        pytest.param(lambda r: r.totals(HOUR, [Dimension.MODEL]), "at", 20, id="an hour's totals"),
        pytest.param(lambda r: r.totals(TWO_DAYS, [Dimension.DAY]), "at", 500, id="two days, day by day"),
        pytest.param(lambda r: r.last_used(CREDENTIALS), "credential_id", 20, id="last used"),
        pytest.param(
            lambda r: r.users_of(CREDENTIALS[:2], NOW - timedelta(days=1)), "credential_id", 100, id="used by"
        ),
    ],
)
async def test_records_are_read_by_an_index_and_only_as_many_as_are_needed(
    postgres_engine: AsyncEngine, tenant: Tenant, reading: Reading, index: str, most: int
) -> None:
    plan = await explained(postgres_engine, tenant, reading)
    scans = [node for node in nodes(plan) if node.get("Relation Name") == "call_records" or "Index Name" in node]
    assert {scan.get("Index Name") for scan in scans} == {f"call_records_{index}_idx"}
    assert sum((scan["Actual Rows"] + removed(scan)) * scan["Actual Loops"] for scan in scans) <= most


async def explained(engine: AsyncEngine, tenant: Tenant, reading: Reading) -> dict[str, Any]:
    """The plan of the one statement that `reading` sends about records, as it went for the app's role."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "call_records" in statement:
            sent.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    async with begin(engine)(tenant.id) as work:
        await reading(work.records)
    event.remove(engine.sync_engine, "before_cursor_execute", note)
    ((statement, parameters),) = sent
    async with engine.begin() as connection:
        await bind(connection, tenant.id)
        found = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        plan: dict[str, Any] = found.scalar_one()[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def removed(scan: dict[str, Any]) -> int:
    found: int = scan.get("Rows Removed by Filter", 0)
    return found
