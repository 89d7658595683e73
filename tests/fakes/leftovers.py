"""What of a tenant is over, removed from memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from domain.model.leftovers import Leftover
from domain.model.quota import HoldState, Pot
from tests.fakes.rows import TenantRows


@dataclass(frozen=True, slots=True)
class FakeLeftovers:
    rows: TenantRows

    async def remove(self, what: Leftover, before: datetime, *, most: int) -> int:
        rows = self.rows
        kinds: dict[Leftover, tuple[dict[Any, Any], Callable[[Any], bool]]] = {
            Leftover.ACCESS_TOKENS: (rows.tokens, lambda row: row.expires_at < before),
            Leftover.REFRESH_TOKENS: (rows.refresh_tokens, lambda row: row.expires_at < before),
            Leftover.CODES: (rows.codes, lambda row: row.expires_at < before),
            Leftover.DEVICES: (rows.devices, lambda row: row.expires_at < before),
            Leftover.ASSERTIONS: (rows.assertions, lambda expires_at: expires_at < before),
            Leftover.INVITATIONS: (rows.invitations, lambda row: row.expires_at < before),
            Leftover.HOLDS: (rows.holds, lambda row: row[1] is not HoldState.HELD and row[0].expires_at < before),
            Leftover.WINDOWS: (rows.pots, lambda pot: self._past(pot, before)),
        }
        kept, over = kinds[what]
        return drop(kept, (key for key, row in kept.items() if over(row)), most)

    def _past(self, pot: Pot, before: datetime) -> bool:
        closed = pot.cap_id is not None and pot.closes_at is not None and pot.closes_at < before
        return closed and not any(line.pot_id == pot.id for hold, _ in self.rows.holds.values() for line in hold.lines)


def drop(kept: dict[Any, Any], over: Iterable[Any], most: int) -> int:
    """Up to `most` of the keys `over`."""
    gone = list(islice(over, most))
    for key in gone:
        del kept[key]
    return len(gone)
