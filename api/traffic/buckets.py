"""Buckets by key, kept in this process: only those that are not full, and of these the ones used last."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from domain.model.allowance import Allowance, Level

K = TypeVar("K", bound=Hashable)

Seconds = Callable[[], float]
"""A clock that does not go back."""

ROOM = 10_000
_LOOKED_AT = 2


class Buckets(Generic[K]):
    """Of one size for every key. A bucket is forgotten when it is full, or when `room` others were used since."""

    def __init__(self, allowance: Allowance, clock: Seconds = time.monotonic, room: int = ROOM) -> None:
        self.allowance = allowance
        self._clock = clock
        self._room = room
        self._levels: OrderedDict[K, Level] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def left(self, key: K) -> float:
        return self.allowance.left(self._levels.get(key), self._clock())

    def put(self, key: K, left: float) -> None:
        """Let so much be in the bucket, up to what it holds."""
        now = self._clock()
        known = self._levels.pop(key, None)
        if left < self.allowance.maximum:
            if known is None:
                self._forget(now)
            self._levels[key] = Level(left, now)

    def take(self, key: K, amount: float) -> float:
        """Seconds until it could be taken: 0 when it was, infinite for never."""
        left = self.left(key)
        wait = self.allowance.wait(amount, left)
        if not wait:
            self.put(key, left - amount)
        return wait

    def _forget(self, now: float) -> None:
        """Of those used longest ago, a few that are full; any, where there is no room."""
        for _ in range(min(_LOOKED_AT, len(self._levels))):
            oldest = next(iter(self._levels))
            if (
                len(self._levels) < self._room
                and self.allowance.left(self._levels[oldest], now) < self.allowance.maximum
            ):
                return
            del self._levels[oldest]
