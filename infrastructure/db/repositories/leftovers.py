"""What of a tenant has been over for so long that nobody asks for it any more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, select

from domain.model.ids import earliest
from domain.model.leftovers import Leftover
from domain.model.quota import HoldState
from infrastructure.db.access_tables import assertions, codes, devices, invitations, refresh_tokens, tokens
from infrastructure.db.fence import Rows, remove_some
from infrastructure.db.tables import holds, pots

Over = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class SqlLeftovers:
    rows: Rows

    async def remove(self, what: Leftover, before: datetime, *, most: int) -> int:
        table, over = _KINDS[what]
        condition = and_(self.rows.mine(table), over(before))
        if what is Leftover.WINDOWS:
            condition = and_(condition, self._no_holds())
        return await remove_some(self.rows.connection, table, condition, most)

    def _no_holds(self) -> ColumnElement[bool]:
        """A window takes its holds along, which may have to stay for longer."""
        return pots.c.id.not_in(select(holds.c.pot_id).where(self.rows.mine(holds)))


def _expired(table: Table) -> tuple[Table, Over]:
    return table, lambda before: table.c.expires_at < before


def _closed(before: datetime) -> ColumnElement[bool]:
    """The ids of calls sort by time, so of the primary key no more is read than what is that old."""
    of_old = and_(holds.c.call_id < earliest(before), holds.c.expires_at < before)
    return and_(of_old, holds.c.state != HoldState.HELD)


def _past(before: datetime) -> ColumnElement[bool]:
    return and_(pots.c.cap_id.is_not(None), pots.c.closes_at < before, pots.c.held == 0)


_KINDS: Mapping[Leftover, tuple[Table, Over]] = {
    Leftover.ACCESS_TOKENS: _expired(tokens),
    Leftover.REFRESH_TOKENS: _expired(refresh_tokens),
    Leftover.CODES: _expired(codes),
    Leftover.DEVICES: _expired(devices),
    Leftover.ASSERTIONS: _expired(assertions),
    Leftover.INVITATIONS: _expired(invitations),
    Leftover.HOLDS: (holds, _closed),
    Leftover.WINDOWS: (pots, _past),
}
