"""Work that outlives the request that began it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

import structlog

T = TypeVar("T")

_CLEANUP = 5.0

_log = structlog.get_logger()


class Detached:
    """Runs coroutines as tasks of their own: cancelling whoever awaits one does not cancel it.

    `begun` is told of each, by whoever begins it.
    """

    def __init__(self, begun: Callable[[asyncio.Task[Any]], None] = lambda _: None) -> None:
        self._begun = begun
        self._running: set[_Running[Any]] = set()

    def __call__(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Begin `work` at once; a failure that nobody awaits is logged by its type."""
        running = _Running(work)
        self._running.add(running)
        running.task.add_done_callback(lambda _: self._running.discard(running))
        self._begun(running.task)
        return running

    async def drain(self, grace: float) -> None:
        """Wait up to `grace` seconds for all that runs, also for what begins meanwhile; cancel what is left then."""
        try:
            async with asyncio.timeout(grace):
                while self._running:
                    await asyncio.wait([r.task for r in self._running])
        except TimeoutError:
            left = [r.task for r in self._running]
            _log.warning("background work cancelled at shutdown", tasks=len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_CLEANUP)


class _Running(Generic[T]):
    """One piece of work, and how many await it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(self._ended)
        self._awaiting = 0

    def __await__(self) -> Generator[Any, None, T]:
        self._awaiting += 1
        try:
            return (yield from asyncio.shield(self.task).__await__())
        finally:
            self._awaiting -= 1

    def _ended(self, task: asyncio.Task[T]) -> None:
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not self._awaiting:
            _log.error("background work failed", failure=type(failure).__name__)
