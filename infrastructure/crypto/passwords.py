"""Passwords: argon2id in a few threads, so that neither the event loop nor the memory suffers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from domain.model.passwords import normal

T = TypeVar("T")

AT_ONCE = 2


@dataclass(slots=True)
class Argon2Passwords:
    """RFC 9106's second recommended parameters: 64 MiB, three passes, four lanes; so at most 128 MiB are in use."""

    hasher: PasswordHasher = field(
        default_factory=partial(PasswordHasher.from_parameters, profiles.RFC_9106_LOW_MEMORY)
    )
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "passwords"))
    _nobodys: str | None = field(default=None, init=False, repr=False)

    async def hashed(self, password: str) -> str:
        return await self._aside(lambda: self.hasher.hash(normal(password)))

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Where there is no hash, the password is compared with one that it does not fit, which takes as long."""
        return await self._aside(lambda: self._verified(password, hashed or self._dummy()) and hashed is not None)

    def outdated(self, hashed: str) -> bool:
        return self.hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _verified(self, password: str, hashed: str) -> bool:
        try:
            return self.hasher.verify(hashed, normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def _dummy(self) -> str:
        if self._nobodys is None:
            self._nobodys = self.hasher.hash("nobody's")
        return self._nobodys

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)
