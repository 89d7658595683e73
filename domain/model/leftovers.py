"""What stays behind when its time is over, and how long it is kept then."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Leftover(StrEnum):
    """Of a tenant, but for the last three, which are the directory's. What billing and audit read is none."""

    ACCESS_TOKENS = "access tokens"
    REFRESH_TOKENS = "refresh tokens"
    CODES = "authorization codes"
    DEVICES = "device codes"
    ASSERTIONS = "client assertions"
    INVITATIONS = "invitations"
    HOLDS = "closed holds"
    WINDOWS = "closed windows of caps"
    SESSIONS = "sessions"
    RESETS = "password resets"
    FAILURES = "sign-in failures"


OF_DIRECTORY = (Leftover.SESSIONS, Leftover.RESETS, Leftover.FAILURES)
OF_TENANT = tuple(what for what in Leftover if what not in OF_DIRECTORY)

_SKEW = timedelta(hours=1)
"""What has expired stays as long, lest a process whose clock is behind takes once more what must be good once."""

_REPEATED = timedelta(days=7)
"""So long a call may be held or settled once more without being charged twice: its lines tell that it was."""

KEPT: Mapping[Leftover, timedelta] = {
    **dict.fromkeys(Leftover, _SKEW),
    Leftover.INVITATIONS: timedelta(days=30),
    Leftover.HOLDS: _REPEATED,
    Leftover.WINDOWS: _REPEATED,
    Leftover.FAILURES: timedelta(days=1) + _SKEW,
}
"""How long each is kept after it ended; failures, after the last one."""
