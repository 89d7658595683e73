"""Requests that are under way: until they are answered, and until the work that outlives them is done."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


class Stay:
    """Ends when everybody who joined it has left it."""

    __slots__ = ("_inside", "ends")

    def __init__(self, end: Callable[[], None]) -> None:
        self.ends = [end]
        self._inside = 0

    def join(self) -> None:
        self._inside += 1

    def leave(self) -> None:
        self._inside -= 1
        if not self._inside:
            for end in self.ends:
                end()


CURRENT: ContextVar[Stay | None] = ContextVar("stay", default=None)
"""The request for which the running task works."""


def prolong(task: asyncio.Task[Any]) -> None:
    """The running request is under way as long as `task`: hanging up on a call does not make room for another."""
    stay = CURRENT.get()
    if stay is not None:
        stay.join()
        task.add_done_callback(lambda _: stay.leave())


def afterwards(end: Callable[[], None]) -> None:
    """Do this when the running request is under way no more; at once where there is none."""
    stay = CURRENT.get()
    if stay is None:
        end()
    else:
        stay.ends.append(end)
