"""How much may be taken over time: a leaky bucket as pure arithmetic, whose time is passed in as seconds."""

import math
from dataclasses import dataclass
from typing import NamedTuple


class Level(NamedTuple):
    """What was left in a bucket at a time, in seconds of any clock that does not go back."""

    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bucket of `maximum`, full at first, into which `restored` comes back every second until it is full again."""

    maximum: float
    restored: float

    def left(self, level: Level | None, now: float) -> float:
        """What may be taken at `now`; a bucket without a level is full."""
        return self.maximum if level is None else min(self.maximum, level.left + (now - level.at) * self.restored)

    def wait(self, amount: float, left: float) -> float:
        """Seconds until `amount` may be taken: 0 at once, infinite when the bucket never holds as much."""
        if amount <= left:
            return 0
        return (amount - left) / self.restored if amount <= self.maximum else math.inf
