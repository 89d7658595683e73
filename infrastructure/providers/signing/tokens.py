"""Tokens and keys that vendors give for a while, kept in this process alone."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from domain.model.secret import Secret

Clock = Callable[[], float]
"""Seconds; those of Unix time where a vendor tells an end by the calendar."""


def name_of(*parts: str) -> bytes:
    """Equal only where all parts are, a secret among them: no token is told to one who could not have asked for it."""
    return hashlib.sha256(b"".join(hashlib.sha256(part.encode()).digest() for part in parts)).digest()


class Tokens:
    """The `room` tokens of one vendor that were used last, each until `margin` seconds before its end."""

    def __init__(self, margin: float, clock: Clock = time.time, room: int = 1_024) -> None:
        self.margin, self.clock, self._room = margin, clock, room
        self._kept: OrderedDict[bytes, tuple[float, Secret]] = OrderedDict()

    def find(self, name: bytes) -> Secret | None:
        until, token = self._kept.get(name, (0.0, None))
        if token is None or self.clock() >= until:
            return None
        self._kept.move_to_end(name)
        return token

    def keep(self, name: bytes, token: Secret, seconds: float) -> None:
        """For a token that ends in so many seconds."""
        now = self.clock()
        for old in [n for n, (until, _) in self._kept.items() if until <= now]:
            del self._kept[old]
        if seconds > self.margin:
            self._kept[name] = (now + seconds - self.margin, token)
        if len(self._kept) > self._room:
            self._kept.popitem(last=False)

    def left(self, end: str, usual: float) -> float:
        """Seconds until a moment as ISO 8601 writes it, in UTC unless it says so; `usual` where it is none."""
        try:
            moment = datetime.fromisoformat(end)
        except ValueError:
            return usual
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - self.clock()

    def forget(self, name: bytes) -> None:
        self._kept.pop(name, None)
