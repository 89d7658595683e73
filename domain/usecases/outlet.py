"""Between a stream that must settle and a reader that may leave: a bounded queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Generic, TypeVar

from domain.errors import StreamBroken

T = TypeVar("T")

_ROOM = 64


class _End:
    """Marks the end of the items, with the failure that ended them, if any."""

    __slots__ = ("failure",)

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure


class Outlet(Generic[T]):
    """A slow reader slows the writer (back-pressure); a reader that has left makes `put` return False at once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[T | _End] = asyncio.Queue(_ROOM)
        self._left = False

    async def put(self, item: T) -> bool:
        """Whether the reader is still there to take it."""
        if not self._left:
            await self._queue.put(item)
        return not self._left

    async def fed_by(self, writer: Awaitable[None]) -> None:
        """Run the writer; whatever way it ends, the reader is told."""
        failure: Exception | None = StreamBroken("portunus", detail="the service is stopping")
        try:
            await writer
            failure = None
        except Exception as caught:
            failure = caught
        finally:
            if not self._left:
                await self._queue.put(_End(failure))

    async def items(self) -> AsyncIterator[T]:
        """The items in order; raises what the writer raised."""
        while True:
            item = await self._queue.get()
            if isinstance(item, _End):
                if item.failure is not None:
                    raise item.failure
                return
            yield item

    def leave(self) -> None:
        """No more is wanted: wakes a writer that waits for room."""
        self._left = True
        while not self._queue.empty():
            self._queue.get_nowait()
