"""Guessing is slow: failures are counted per account and per address, and the more there are, the longer the wait."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from domain.errors import TooManyFailures
from domain.model.backoff import ACCOUNT, ADDRESS, MEMORY, wait
from domain.ports import BeginDirectory, Clock, Directory


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try on an account, by whoever is at an address; None where that is not known."""

    email: str
    address: str | None = None

    @property
    def account_key(self) -> str:
        """By digest: what is typed there may be long, or a password."""
        return f"account {sha256(self.email.encode()).hexdigest()}"

    @property
    def address_key(self) -> str | None:
        return f"address {self.address[:100]}" if self.address else None

    @property
    def patience(self) -> Mapping[str, int]:
        of_address = {self.address_key: ADDRESS} if self.address_key else {}
        return {self.account_key: ACCOUNT} | of_address


@dataclass(frozen=True, slots=True)
class Attempts:
    directory: BeginDirectory
    clock: Clock

    async def begin(self, attempt: Attempt) -> None:
        """Count it as a failure until it is forgiven, so that many at once are no way around; TooManyFailures."""
        now = self.clock()
        async with self.directory() as book:
            before = await book.failures.lock(attempt.patience)
            left = max(
                (wait(before.get(key), most, now) for key, most in attempt.patience.items()), default=timedelta()
            )
            if left:
                raise TooManyFailures(math.ceil(left.total_seconds()))
            for key, failures in before.items():
                if now - failures.at >= MEMORY:
                    await book.failures.clear(key)
            await book.failures.count(attempt.patience, now)


async def forgive(book: Directory, attempt: Attempt) -> None:
    """It succeeded: the account starts anew, the address has one failure less."""
    await book.failures.clear(attempt.account_key)
    if attempt.address_key:
        await book.failures.forgive(attempt.address_key)
