"""Memory for the answers that are read whole, shared by all calls of a process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from infrastructure.providers.wire import Malformed

Take = Callable[[int], None]
"""Tells of so many bytes that came; Malformed where there is no room for them."""


class Room:
    """An answer grows only while it is smaller than what is left, so that large ones leave room for those of others."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def held(self) -> Iterator[Take]:
        """Of one answer; what it took is given back at the end."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if taken + size > self._left - size:
                raise Malformed("the answer is too large beside the others that are being read; try again")
            taken, self._left = taken + size, self._left - size

        try:
            yield take
        finally:
            self._left += taken
