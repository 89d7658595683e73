"""The directory: people and how they sign in, above all tenants, and the unit of work on them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, Self

from domain.model.authorization import SigningKey
from domain.model.ids import PersonId
from domain.model.people import Departure, Failures, Identity, Membership, Person, Recognised, Reset, Session


class People(Protocol):
    async def add(self, person: Person) -> None:
        """DuplicateName when somebody has that e-mail address."""
        ...

    async def one(self, person_id: PersonId) -> Person:
        """NotFound("person")."""
        ...

    async def by_email(self, email: str) -> Person:
        """NotFound("person")."""
        ...

    async def put(self, person: Person) -> None:
        """Write name and address; DuplicateName when somebody else has that address."""
        ...

    async def memberships(self, person_id: PersonId) -> Sequence[Membership]:
        """What the person is in each tenant, by the tenants' names."""
        ...


class PasswordHashes(Protocol):
    async def put(self, person_id: PersonId, hashed: str) -> None: ...
    async def one(self, person_id: PersonId) -> str | None: ...


class Identities(Protocol):
    async def add(self, identity: Identity) -> None:
        """DuplicateName when the provider's subject is somebody's already."""
        ...

    async def one(self, issuer: str, subject: str) -> Identity:
        """NotFound("identity")."""
        ...

    async def of(self, person_id: PersonId) -> Sequence[Identity]: ...
    async def remove(self, identity: Identity) -> None: ...


class Sessions(Protocol):
    async def add(self, session: Session) -> None: ...
    async def one(self, digest: bytes) -> Session:
        """NotFound("session"), though an expired one may still be there."""
        ...

    async def of(self, person_id: PersonId) -> Sequence[Session]:
        """The latest first; expired ones may be among them."""
        ...

    async def remove(self, digest: bytes) -> None: ...
    async def remove_all(self, person_id: PersonId) -> int:
        """How many there were."""
        ...

    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        """Remove up to `most` of those that expired before; how many there were."""
        ...


class Resets(Protocol):
    """Links by which a person sets a new password without knowing the old one."""

    async def add(self, reset: Reset) -> None: ...
    async def one(self, digest: bytes) -> Reset:
        """NotFound("reset"), though an expired one may still be there."""
        ...

    async def take(self, digest: bytes) -> Reset:
        """Remove it and give it to one caller alone; NotFound("reset")."""
        ...

    async def remove_all(self, person_id: PersonId) -> None: ...
    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        """Remove up to `most` of those that expired before; how many there were."""
        ...


class SignInFailures(Protocol):
    """By account or by address; the key is whatever tells them apart."""

    async def of(self, keys: Collection[str]) -> Mapping[str, Failures]: ...
    async def lock(self, keys: Collection[str]) -> Mapping[str, Failures]:
        """What there is of these; nobody else locks or counts them until this unit of work ends."""
        ...

    async def count(self, keys: Collection[str], at: datetime) -> None:
        """One more of each."""
        ...

    async def forgive(self, key: str) -> None:
        """One less, when there is any."""
        ...

    async def clear(self, key: str) -> None: ...
    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        """Remove up to `most` of what happened before; how many there were."""
        ...


class SigningKeys(Protocol):
    async def lock(self) -> None:
        """Nobody else adds one until this unit of work ends."""
        ...

    async def add(self, key: SigningKey) -> None: ...
    async def all(self) -> Sequence[SigningKey]:
        """Oldest first."""
        ...

    async def put(self, key: SigningKey) -> None:
        """Its wrapping anew."""
        ...

    async def remove(self, key: SigningKey) -> None: ...


class Directory(Protocol):
    """A unit of work on what belongs to no tenant; leaving it cleanly commits, an exception rolls back."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *failure: object) -> None: ...

    @property
    def people(self) -> People: ...
    @property
    def passwords(self) -> PasswordHashes: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def resets(self) -> Resets: ...
    @property
    def failures(self) -> SignInFailures: ...
    @property
    def signing_keys(self) -> SigningKeys: ...


BeginDirectory = Callable[[], Directory]


class Passwords(Protocol):
    """Hashing off the event loop, a few at a time."""

    async def hashed(self, password: str) -> str: ...
    async def fits(self, password: str, hashed: str | None) -> bool:
        """Takes as long, and is False, where there is no hash to compare with."""
        ...

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than now."""
        ...


class IdentityProvider(Protocol):
    """An external OpenID provider, by which people may sign in."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def departure(self) -> Departure:
        """A new one; ProviderFailed."""
        ...

    async def arrival(self, departure: Departure, said: Mapping[str, str]) -> Recognised:
        """Whom it recognised, by the query that the browser brought back; ProviderFailed for anything amiss."""
        ...
