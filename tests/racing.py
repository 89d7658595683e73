"""A store in which another admin always sets a cap between this one's reading and writing."""

from collections.abc import Sequence
from typing import Self

from domain.model.cap import Cap
from domain.model.ids import TenantId
from tests.fakes import FakeStore, FakeWork
from tests.fakes.repositories import FakeCaps


class _Behind(FakeCaps):
    """Read before the other's cap was there, written after."""

    async def all(self) -> Sequence[Cap]:
        return []


class _RacingWork(FakeWork):
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.caps = _Behind(self.caps.rows)
        return self


class RacingStore(FakeStore):
    """Over the rows of another store."""

    def __init__(self, beside: FakeStore) -> None:
        super().__init__()
        self.rows = beside.rows

    def begin(self, tenant_id: TenantId) -> FakeWork:
        return _RacingWork(self, tenant_id)
