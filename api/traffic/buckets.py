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

    def wait(self, key: K, amount: float) -> float:
        """Seconds until `amount` may be taken: 0 at once, infinite for never."""
        return self.allowance.wait(amount, self._levels.get(key), self._clock())

    def take(self, key: K, amount: float) -> float:
        """Takes `amount` when the wait for it, which is given, is 0."""
        wait = self.wait(key, amount)
        if not wait:
            self.add(key, -amount)
        return wait

    def add(self, key: K, amount: float) -> None:
        """Put `amount` in, up to what the bucket holds; a negative one is taken out, be it there or not."""
        now = self._clock()
        level = self._levels.pop(key, None)
        left = self.allowance.left(level, now) + amount
        if left < self.allowance.maximum:
            if level is None:
                self._forget(now)
            self._levels[key] = Level(left, now)

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
