"""People's use cases over the fakes, with passwords that cost nothing."""

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_bytes

from domain.usecases.accounts import Accounts
from tests.fakes import FakeClock, FakeStore

SESSION = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class PlainPasswords:
    """Hashes that can be read; `version` is what a hash begins with that is not outdated."""

    version: str = "2"

    async def hashed(self, password: str) -> str:
        return f"{self.version}:{password}"

    async def fits(self, password: str, hashed: str | None) -> bool:
        return hashed is not None and hashed.partition(":")[2] == password

    def outdated(self, hashed: str) -> bool:
        return not hashed.startswith(self.version)


def accounts(store: FakeStore | None = None, clock: FakeClock | None = None) -> Accounts:
    return Accounts((store or FakeStore()).directory, PlainPasswords(), clock or FakeClock(), token_bytes, SESSION)
