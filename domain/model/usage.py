"""The one row that every call leaves."""

from dataclasses import dataclass
from datetime import datetime

from domain.model.catalogue import ModelRef
from domain.model.ids import CallId, ClientId, CredentialId, TenantId
from domain.model.quota import Outcome


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What a call used. `credential_id` None means the platform's key. Latency is from hold to last byte."""

    tenant_id: TenantId
    id: CallId
    at: datetime
    client_id: ClientId
    credential_id: CredentialId | None
    model: ModelRef
    outcome: Outcome
    input_tokens: int | None
    output_tokens: int | None
    latency_ms: int
