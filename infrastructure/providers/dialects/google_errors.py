"""Google's error object: a status by name, and details that say the reason and how long to wait (google.rpc)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.errors import ContextTooLong, CredentialRejected, UpstreamError, UpstreamPaymentRequired
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.spec import ErrorReply
from infrastructure.providers.wire.digging import dig, rows, text

_REASONS: dict[str, type[UpstreamError]] = {
    "API_KEY_INVALID": CredentialRejected,  # with a 400
    "BILLING_DISABLED": UpstreamPaymentRequired,
}
_PHRASES: tuple[tuple[re.Pattern[str], type[UpstreamError]], ...] = (
    (re.compile(r"token count.*exceeds|exceeds the maximum number of tokens", re.I), ContextTooLong),
    (re.compile(r"enable billing|billing to be enabled|credits are depleted", re.I), UpstreamPaymentRequired),
)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


@dataclass(frozen=True, slots=True)
class GoogleRefusals(Refusals):
    """Reads `error.details`: an ErrorInfo's reason, and the delay of a RetryInfo, since no header tells it."""

    def __call__(self, provider: str, reply: ErrorReply) -> UpstreamError:
        failure = Refusals.__call__(self, provider, reply)
        details = _details(reply.body)
        kind = _meant(failure, [text(dig(detail, "reason")) for detail in details])
        if kind:
            return kind(provider, failure.status, failure.detail)
        if failure.retryable and failure.retry_after is None:
            failure.retry_after = next(_delays(details), None)
        return failure


GOOGLE = GoogleRefusals()


def _details(body: Any) -> list[Any]:
    """Streams that are no SSE wrap an error in an array."""
    first = dig(body, 0) if isinstance(body, list) else body
    return list(rows(dig(first, "error", "details")))


def _meant(failure: UpstreamError, reasons: list[str]) -> type[UpstreamError] | None:
    told = next((_REASONS[reason] for reason in reasons if reason in _REASONS), None)
    spoken = (kind for pattern, kind in _PHRASES if pattern.search(failure.detail))
    return told or (next(spoken, None) if failure.status in (400, 403, 429) else None)


def _delays(details: list[Any]) -> Iterator[float]:
    """Of every RetryInfo: seconds as protobuf's JSON writes a Duration."""
    for detail in details:
        if found := _SECONDS.fullmatch(text(dig(detail, "retryDelay"))):
            yield float(found[1])
