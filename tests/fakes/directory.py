"""What belongs to no tenant: people and how they sign in, and the issuer's signing keys."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from domain.errors import DuplicateName, NotFound
from domain.model.authorization import SigningKey
from domain.model.ids import PersonId
from domain.model.people import Failures, Identity, Membership, Person, Reset, Session
from tests.fakes.leftovers import drop
from tests.fakes.rows import found

if TYPE_CHECKING:
    from tests.fakes.store import FakeStore


@dataclass(slots=True)
class DirectoryRows:
    people: dict[PersonId, Person] = field(default_factory=dict)
    passwords: dict[PersonId, str] = field(default_factory=dict)
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    sessions: dict[bytes, Session] = field(default_factory=dict)
    resets: dict[bytes, Reset] = field(default_factory=dict)
    failures: dict[str, Failures] = field(default_factory=dict)
    signing_keys: dict[UUID, SigningKey] = field(default_factory=dict)


class FakeDirectory:
    """One at a time with all units of work of its store; the rows as they were come back when the body fails."""

    def __init__(self, store: "FakeStore") -> None:
        self._store = store

    async def __aenter__(self) -> Self:
        await self._store.turn.acquire()
        rows = self._store.directory_rows
        self._before = copy.deepcopy(rows)
        self.people = FakePeople(self._store)
        self.passwords = FakePasswordHashes(rows)
        self.identities = FakeIdentities(rows)
        self.sessions = FakeSessions(rows)
        self.resets = FakeResets(rows)
        self.failures = FakeFailures(rows)
        self.signing_keys = FakeSigningKeys(rows)
        return self

    async def __aexit__(self, *failure: object) -> None:
        if failure[0] is not None:
            self._store.directory_rows = self._before
        self._store.turn.release()


@dataclass(frozen=True, slots=True)
class FakePeople:
    store: "FakeStore"

    async def add(self, person: Person) -> None:
        self._check(person)
        self.store.directory_rows.people[person.id] = person

    async def one(self, person_id: PersonId) -> Person:
        return found(self.store.directory_rows.people, person_id, "person")

    async def by_email(self, email: str) -> Person:
        for person in self.store.directory_rows.people.values():
            if person.email == email:
                return person
        raise NotFound("person")

    async def put(self, person: Person) -> None:
        self._check(person)
        self.store.directory_rows.people[person.id] = person

    async def memberships(self, person_id: PersonId) -> Sequence[Membership]:
        there = [
            Membership(tenant_id, rows.tenants[0].name, rows.members[person_id][0])
            for tenant_id, rows in self.store.rows.items()
            if rows.tenants and person_id in rows.members
        ]
        return sorted(there, key=lambda each: (each.tenant_name, each.tenant_id))

    def _check(self, person: Person) -> None:
        others = self.store.directory_rows.people.values()
        if any(other.email == person.email and other.id != person.id for other in others):
            raise DuplicateName(person.email)


@dataclass(frozen=True, slots=True)
class FakePasswordHashes:
    rows: DirectoryRows

    async def put(self, person_id: PersonId, hashed: str) -> None:
        self.rows.passwords[person_id] = hashed

    async def one(self, person_id: PersonId) -> str | None:
        return self.rows.passwords.get(person_id)


@dataclass(frozen=True, slots=True)
class FakeIdentities:
    rows: DirectoryRows

    async def add(self, identity: Identity) -> None:
        if (identity.issuer, identity.subject) in self.rows.identities:
            raise DuplicateName(identity.subject)
        self.rows.identities[identity.issuer, identity.subject] = identity

    async def one(self, issuer: str, subject: str) -> Identity:
        return found(self.rows.identities, (issuer, subject), "identity")

    async def of(self, person_id: PersonId) -> Sequence[Identity]:
        there = [self.rows.identities[key] for key in sorted(self.rows.identities)]
        return [identity for identity in there if identity.person_id == person_id]

    async def remove(self, identity: Identity) -> None:
        if self.rows.identities.get((identity.issuer, identity.subject)) == identity:
            del self.rows.identities[identity.issuer, identity.subject]


@dataclass(frozen=True, slots=True)
class FakeSessions:
    rows: DirectoryRows

    async def add(self, session: Session) -> None:
        self.rows.sessions[session.digest] = session

    async def one(self, digest: bytes) -> Session:
        return found(self.rows.sessions, digest, "session")

    async def of(self, person_id: PersonId) -> Sequence[Session]:
        mine = [session for session in self.rows.sessions.values() if session.person_id == person_id]
        return sorted(mine, key=lambda session: session.signed_in_at, reverse=True)

    async def remove(self, digest: bytes) -> None:
        self.rows.sessions.pop(digest, None)

    async def remove_all(self, person_id: PersonId) -> int:
        mine = await self.of(person_id)
        for session in mine:
            del self.rows.sessions[session.digest]
        return len(mine)

    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        return drop(
            self.rows.sessions,
            [digest for digest, session in self.rows.sessions.items() if session.expires_at < before],
            most,
        )


@dataclass(frozen=True, slots=True)
class FakeResets:
    rows: DirectoryRows

    async def add(self, reset: Reset) -> None:
        self.rows.resets[reset.digest] = reset

    async def one(self, digest: bytes) -> Reset:
        return found(self.rows.resets, digest, "reset")

    async def take(self, digest: bytes) -> Reset:
        taken = await self.one(digest)
        del self.rows.resets[digest]
        return taken

    async def remove_all(self, person_id: PersonId) -> None:
        for digest in [digest for digest, reset in self.rows.resets.items() if reset.person_id == person_id]:
            del self.rows.resets[digest]

    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        return drop(
            self.rows.resets, [digest for digest, reset in self.rows.resets.items() if reset.expires_at < before], most
        )


@dataclass(frozen=True, slots=True)
class FakeFailures:
    rows: DirectoryRows

    async def of(self, keys: Collection[str]) -> Mapping[str, Failures]:
        return {key: self.rows.failures[key] for key in keys if key in self.rows.failures}

    async def count(self, keys: Collection[str], at: datetime) -> None:
        for key in keys:
            before = self.rows.failures.get(key)
            self.rows.failures[key] = Failures(before.count + 1 if before else 1, at)

    async def lock(self, keys: Collection[str]) -> Mapping[str, Failures]:
        return {key: there for key, there in (await self.of(keys)).items() if there.count}

    async def forgive(self, key: str) -> None:
        before = self.rows.failures.get(key)
        if before and before.count:
            self.rows.failures[key] = replace(before, count=before.count - 1)

    async def clear(self, key: str) -> None:
        self.rows.failures.pop(key, None)

    async def sweep(self, before: datetime, *, most: int = 1_000) -> int:
        return drop(
            self.rows.failures, [key for key, failures in self.rows.failures.items() if failures.at < before], most
        )


@dataclass(frozen=True, slots=True)
class FakeSigningKeys:
    rows: DirectoryRows

    async def lock(self) -> None:
        """One unit of work runs at a time."""

    async def add(self, key: SigningKey) -> None:
        self.rows.signing_keys[key.id] = key

    async def all(self) -> Sequence[SigningKey]:
        return [self.rows.signing_keys[key_id] for key_id in sorted(self.rows.signing_keys)]

    async def put(self, key: SigningKey) -> None:
        before = self.rows.signing_keys[key.id]
        wrapped, master_key_id = key.wrapped_private, key.master_key_id
        self.rows.signing_keys[key.id] = replace(before, wrapped_private=wrapped, master_key_id=master_key_id)

    async def remove(self, key: SigningKey) -> None:
        self.rows.signing_keys.pop(key.id, None)
