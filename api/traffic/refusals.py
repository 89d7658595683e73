"""The refusal of what is too much just now."""

import math
from dataclasses import dataclass

CODE = "THROTTLED"


@dataclass(eq=False)
class Throttled(Exception):
    """Too much just now; after `seconds` it is worth another try."""

    message: str
    seconds: float = 1

    @property
    def retry_after(self) -> int:
        return whole(self.seconds)


def whole(seconds: float) -> int:
    """In whole seconds, at least one, as Retry-After wants them."""
    return max(1, math.ceil(seconds))
