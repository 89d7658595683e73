"""The clock, new ids, randomness, and work that outlives its caller."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

T = TypeVar("T")

Clock = Callable[[], datetime]
"""The time now, in UTC with its zone."""

Fresh = Callable[[], UUID]
"""A new id that sorts after those made before (UUID version 7)."""

Randomness = Callable[[int], bytes]
"""That many unpredictable bytes."""


class Detach(Protocol):
    """Run a coroutine that goes on when its caller is cancelled; a shutdown waits for it."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]: ...
