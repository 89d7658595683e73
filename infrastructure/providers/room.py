"""Memory for what is kept of answers while they are read, shared by all calls of a process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.model.ids import TenantId
from infrastructure.providers.wire import Malformed

FREE = 2**16
"""Bytes that every answer has to itself, so that ordinary ones never wait for room."""


class Room:
    """A tenant takes more only while it has less than is left, so that its large answers leave room for others'."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._taken = Counter[TenantId | None]()

    @contextmanager
    def held(self, tenant: TenantId | None) -> Iterator["Hold"]:
        """For one answer; what it took is given back at the end."""
        hold = Hold(self, tenant)
        try:
            yield hold
        finally:
            hold.clear()

    def take(self, tenant: TenantId | None, size: int) -> None:
        if self._taken[tenant] + size > self._left - size:
            raise Malformed("the answer is too large beside the others that are being read; try again")
        self._left -= size
        self._taken[tenant] += size

    def give_back(self, tenant: TenantId | None, size: int) -> None:
        self._left += size
        self._taken[tenant] -= size
        if not self._taken[tenant]:
            del self._taken[tenant]


class Hold:
    """What one answer keeps."""

    __slots__ = ("_room", "_size", "_taken", "_tenant")

    def __init__(self, room: Room, tenant: TenantId | None) -> None:
        self._room, self._tenant = room, tenant
        self._size = self._taken = 0

    def add(self, size: int) -> None:
        """So many bytes more; Malformed where there is no room for them."""
        more = max(self._size + size - FREE - self._taken, 0)
        if more:
            self._room.take(self._tenant, more)
            self._taken += more
        self._size += size

    def clear(self) -> None:
        """Nothing is kept any more."""
        if self._taken:
            self._room.give_back(self._tenant, self._taken)
        self._size = self._taken = 0
