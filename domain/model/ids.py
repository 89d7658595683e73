"""Identifiers: UUIDs (version 7, so they sort by time) that cannot be mistaken for one another."""

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
