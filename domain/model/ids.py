"""Identifiers: UUIDs (version 7, so they sort by time) that cannot be mistaken for one another."""

from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)
KeyId = NewType("KeyId", UUID)
ClientId = NewType("ClientId", UUID)
CredentialId = NewType("CredentialId", UUID)
PotId = NewType("PotId", UUID)
CallId = NewType("CallId", UUID)
CapId = NewType("CapId", UUID)
GrantId = NewType("GrantId", UUID)
PersonId = NewType("PersonId", UUID)
InvitationId = NewType("InvitationId", UUID)


def made_at(id_: UUID) -> datetime:
    """When an id was made, to the millisecond: what version 7 begins with (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((id_.int >> 80) / 1_000, UTC)


def earliest(at: datetime) -> UUID:
    """Before every id that is made at this moment or later, and behind all that were made a millisecond before."""
    return UUID(int=int(at.timestamp() * 1_000) << 80)


def behind(id_: UUID, fresh: UUID) -> UUID:
    """`fresh`, or where clocks disagree the next id, so that it sorts behind `id_`."""
    return max(fresh, UUID(int=id_.int + 1))
