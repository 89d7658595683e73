"""Caps that a tenant's admin sets inside the tenant's quota: on an application, or on one of the tenant's own keys."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from domain.model.ids import CapId, PotId, TenantId
from domain.model.quota import Pot, PotKind, Unit


class CapSubject(StrEnum):
    APPLICATION = "application"  # a client of the tenant
    CREDENTIAL = "credential"  # a vendor key of the tenant


class Period(StrEnum):
    """How often a cap starts anew, by the calendar in UTC."""

    DAY = "day"
    MONTH = "month"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `amount` units in each period, whoever's key pays."""

    tenant_id: TenantId
    id: CapId
    subject: CapSubject
    subject_id: UUID
    unit: Unit
    amount: int
    period: Period
    created_at: datetime

    def window(self, now: datetime) -> Pot:
        """The pot of the period that holds `now`, as it is when nothing is spent of it. Its id follows from both."""
        opened, closes = self._bounds(now)
        pot_id = PotId(uuid5(self.id, opened.isoformat()))
        return Pot(self.tenant_id, pot_id, PotKind.CAP, None, self.unit, self.amount, 0, 0, opened, closes, self.id)

    def _bounds(self, now: datetime) -> tuple[datetime, datetime | None]:
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period is Period.DAY:
            return day, day + timedelta(days=1)
        if self.period is Period.MONTH:
            month = day.replace(day=1)
            return month, (month + timedelta(days=32)).replace(day=1)
        return self.created_at, None
