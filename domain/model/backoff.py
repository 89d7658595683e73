"""How long sign-in waits after failures in a row."""

from datetime import datetime, timedelta

from domain.model.people import Failures

ACCOUNT, ADDRESS = 5, 20
"""Failures in a row without a wait: of one account, and of one address, behind which many people may sit."""

LONGEST = timedelta(minutes=15)
MEMORY = timedelta(days=1)
"""Failures that are older are forgotten."""


def wait(failures: Failures | None, patience: int, now: datetime) -> timedelta:
    """What is left of 1 s after `patience` failures, twice as much after each further one, at most `LONGEST`."""
    if failures is None or failures.count < patience or now - failures.at >= MEMORY:
        return timedelta()
    doublings = min(failures.count - patience, 10)
    return max(timedelta(), failures.at + min(timedelta(seconds=2**doublings), LONGEST) - now)
