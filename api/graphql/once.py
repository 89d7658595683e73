"""What the objects of one page share: read when the first of them is asked for it, and only then."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Something that is read when it is first asked for, and then shared by all who ask."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._reading: asyncio.Future[T] | None = None

    async def value(self) -> T:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await self._reading
