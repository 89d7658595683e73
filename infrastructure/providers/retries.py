"""Whether a call may be tried again, when, and what its attempts add up to."""

import random
from dataclasses import dataclass, field

from domain.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `retries` further attempts; waits grow from `backoff` seconds, a vendor may ask for up to `longest`."""

    retries: int = 2
    backoff: float = 0.25
    longest: float = 5.0


@dataclass(slots=True)
class Attempts:
    """The failed attempts of one call, none of which got a byte of an answer that was no refusal.

    With `refusals_stand` none that came with a status is tried again: rate limits and overload are the caller's matter.
    """

    patience: Patience
    refusals_stand: bool = False
    failures: list[UpstreamError] = field(default_factory=list)

    def pause(self, failure: UpstreamError) -> float | None:
        """Note a failure: the seconds to wait before the next attempt, or None when there is to be none."""
        self.failures.append(failure)
        if not failure.retryable or len(self.failures) > self.patience.retries:
            return None
        if self.refusals_stand and failure.status is not None:
            return None
        if _hung_up(failure):
            return 0.0 if sum(map(_hung_up, self.failures)) == 1 else None
        if failure.retry_after is not None:
            return failure.retry_after if failure.retry_after <= self.patience.longest else None
        # Jitter spreads the callers that one outage has brought into step.
        return self.patience.backoff * (1 << len(self.failures) - 1) * random.uniform(0.5, 1.5)  # noqa: S311

    def verdict(self) -> UpstreamError:
        """The failure to report: the last that reached the vendor, and certain only if no attempt may have run."""
        sent = [f for f in self.failures if f.sent]
        if not sent:
            return self.failures[-1]
        if any(f.status is None for f in sent):
            sent[-1].status = None
        return sent[-1]


def _hung_up(failure: UpstreamError) -> bool:
    """The connection was closed without a status: a kept one may have been stale, so one fresh try is due at once."""
    return failure.sent and failure.status is None
