"""Who may look at usage, and that an export neither loses nor repeats a call."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import Forbidden, NotFound
from domain.model.access import TENANT_SCOPES, Scope
from domain.model.ids import CallId
from domain.model.usage import CallRecord
from domain.model.usage_totals import UsageFilter
from domain.usecases.usage import CHUNK, Usage
from tests.belongings import a_record
from tests.unit.domain.samples import TENANT
from tests.unit.usecases.house import House


def left(house: House, count: int) -> list[CallRecord]:
    """Records of a moment each, and pairs of one moment, newest first."""
    plain = a_record(TENANT)
    found = [
        replace(plain, id=CallId(UUID(int=n)), at=house.clock() - timedelta(seconds=1 + n // 2)) for n in range(count)
    ]
    house.rows(TENANT).records.update({record.id: record for record in found})
    return sorted(found, key=lambda record: record.place, reverse=True)


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
async def test_an_export_gives_every_call_once_in_pieces_of_bounded_size(count: int) -> None:
    house = House()
    usage = Usage(house.store.begin, house.clock)
    records = left(house, count)
    pieces = [piece async for piece, _ in usage.export(house.actor(), UsageFilter(usage.span()))]
    assert [record for piece in pieces for record in piece] == records
    assert all(0 < len(piece) <= CHUNK for piece in pieces)


async def test_calls_that_come_during_an_export_move_nothing() -> None:
    house = House()
    usage = Usage(house.store.begin, house.clock)
    records = left(house, 2 * CHUNK)
    which = UsageFilter(usage.span(until=house.clock() + timedelta(days=1)))
    got: list[CallRecord] = []
    async for piece, _ in usage.export(house.actor(), which):
        got += piece
        late = replace(a_record(TENANT), at=house.clock())
        house.rows(TENANT).records[late.id] = late
    assert got == records


async def test_nothing_is_seen_without_the_scope() -> None:
    house = House()
    usage = Usage(house.store.begin, house.clock)
    (record,) = left(house, 1)
    actor, which = house.actor(*(TENANT_SCOPES - {Scope.USAGE_READ})), UsageFilter(usage.span())
    for reading in (
        usage.totals(actor, which),
        usage.page(actor, which, first=1),
        usage.call(actor, record.id),
        usage.names(actor, [record.client_id]),
        anext(usage.export(actor, which)),
    ):
        with pytest.raises(Forbidden, match="usage:read"):
            await reading


async def test_a_call_is_found_by_its_id() -> None:
    house = House()
    usage = Usage(house.store.begin, house.clock)
    (record,) = left(house, 1)
    assert await usage.call(house.actor(Scope.USAGE_READ), record.id) == record
    with pytest.raises(NotFound, match="call"):
        await usage.call(house.actor(), CallId(UUID(int=9)))
