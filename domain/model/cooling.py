"""How long a credential rests after its vendor refused it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import (
    CredentialRejected,
    DomainError,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from domain.model.credential import Cooling
from domain.model.ids import CredentialId

LONGEST = timedelta(hours=1)

_RESTS: dict[type[UpstreamError], timedelta] = {
    UpstreamRateLimited: timedelta(minutes=1),
    CredentialRejected: timedelta(minutes=5),
    UpstreamPaymentRequired: timedelta(minutes=5),
    UpstreamUnavailable: timedelta(seconds=10),
    UpstreamTimeout: timedelta(seconds=10),
}


@dataclass(frozen=True, slots=True)
class Rest:
    """For how long, and the code of the refusal."""

    span: timedelta
    reason: str

    def of(self, credential_id: CredentialId, now: datetime) -> Cooling:
        return Cooling(credential_id, now + self.span, self.reason)


def rest_after(failure: DomainError) -> Rest | None:
    """As long as the vendor asked for (Retry-After), up to `LONGEST`, else by the kind of failure; None for no rest."""
    span = _RESTS.get(type(failure)) if isinstance(failure, UpstreamError) else None
    if span is None or not isinstance(failure, UpstreamError):
        return None
    if failure.retry_after is not None:
        span = timedelta(seconds=max(failure.retry_after, 0))
    return Rest(min(span, LONGEST), failure.code)
