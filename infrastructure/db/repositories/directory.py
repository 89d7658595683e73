"""People and how they sign in, and the issuer's signing keys: what belongs to no tenant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import DuplicateName, NotFound
from domain.model.access import Role
from domain.model.authorization import SigningKey
from domain.model.ids import PersonId, TenantId
from domain.model.people import Failures, Identity, Membership, Person, Reset, Session
from infrastructure.db.access_tables import (
    identities,
    members,
    passwords,
    people,
    resets,
    sessions,
    sign_in_failures,
    signing_keys,
)
from infrastructure.db.fence import insert_or, remove_some
from infrastructure.db.repositories.people import person_of
from infrastructure.db.tables import tenants

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

MANY = 1_000


@dataclass(frozen=True, slots=True)
class SqlPeople:
    connection: AsyncConnection

    async def add(self, person: Person) -> None:
        row = insert_or(self.connection, people).values(**_columns(person), id=person.id, created_at=person.created_at)
        if not (await self.connection.execute(row.on_conflict_do_nothing(index_elements=["email"]))).rowcount:
            raise DuplicateName(person.email)

    async def one(self, person_id: PersonId) -> Person:
        return person_of(await self._one(people.c.id == person_id))

    async def by_email(self, email: str) -> Person:
        return person_of(await self._one(people.c.email == email))

    async def put(self, person: Person) -> None:
        change = update(people).where(people.c.id == person.id).values(**_columns(person))
        try:
            async with self.connection.begin_nested():
                await self.connection.execute(change)
        except IntegrityError:
            raise DuplicateName(person.email) from None

    async def memberships(self, person_id: PersonId) -> Sequence[Membership]:
        joined = members.join(tenants, tenants.c.tenant_id == members.c.tenant_id)
        query = select(members.c.tenant_id, members.c.role, tenants.c.name).select_from(joined)
        query = query.where(members.c.person_id == person_id).order_by(tenants.c.name, members.c.tenant_id)
        found = await self.connection.execute(query)
        return [Membership(TenantId(row.tenant_id), row.name, Role(row.role)) for row in found]

    async def _one(self, condition: Any) -> Row[Any]:
        row = (await self.connection.execute(select(people).where(condition))).first()
        if row is None:
            raise NotFound("person")
        return row


@dataclass(frozen=True, slots=True)
class SqlPasswordHashes:
    connection: AsyncConnection

    async def put(self, person_id: PersonId, hashed: str) -> None:
        row = insert_or(self.connection, passwords).values(person_id=person_id, hash=hashed)
        await self.connection.execute(row.on_conflict_do_update(index_elements=["person_id"], set_={"hash": hashed}))

    async def one(self, person_id: PersonId) -> str | None:
        found: str | None = await self.connection.scalar(
            select(passwords.c.hash).where(passwords.c.person_id == person_id)
        )
        return found


@dataclass(frozen=True, slots=True)
class SqlIdentities:
    connection: AsyncConnection

    async def add(self, identity: Identity) -> None:
        row = insert_or(self.connection, identities).values(
            issuer=identity.issuer, subject=identity.subject, person_id=identity.person_id
        )
        if not (await self.connection.execute(row.on_conflict_do_nothing())).rowcount:
            raise DuplicateName(identity.subject)

    async def one(self, issuer: str, subject: str) -> Identity:
        query = select(identities).filter_by(issuer=issuer, subject=subject)
        row = (await self.connection.execute(query)).first()
        if row is None:
            raise NotFound("identity")
        return _identity(row)

    async def of(self, person_id: PersonId) -> Sequence[Identity]:
        query = select(identities).where(identities.c.person_id == person_id).order_by("issuer", "subject")
        return [_identity(row) for row in await self.connection.execute(query)]

    async def remove(self, identity: Identity) -> None:
        mine = delete(identities).filter_by(issuer=identity.issuer, subject=identity.subject)
        await self.connection.execute(mine.where(identities.c.person_id == identity.person_id))


@dataclass(frozen=True, slots=True)
class SqlSessions:
    connection: AsyncConnection

    async def add(self, session: Session) -> None:
        await self.connection.execute(
            insert(sessions).values(
                digest=session.digest,
                person_id=session.person_id,
                signed_in_at=session.signed_in_at,
                expires_at=session.expires_at,
                browser=session.browser,
            )
        )

    async def one(self, digest: bytes) -> Session:
        row = (await self.connection.execute(select(sessions).where(sessions.c.digest == digest))).first()
        if row is None:
            raise NotFound("session")
        return _session(row)

    async def of(self, person_id: PersonId) -> Sequence[Session]:
        query = select(sessions).where(sessions.c.person_id == person_id).order_by(sessions.c.signed_in_at.desc())
        return [_session(row) for row in await self.connection.execute(query)]

    async def remove(self, digest: bytes) -> None:
        await self.connection.execute(delete(sessions).where(sessions.c.digest == digest))

    async def remove_all(self, person_id: PersonId) -> int:
        done = await self.connection.execute(delete(sessions).where(sessions.c.person_id == person_id))
        return done.rowcount

    async def sweep(self, before: datetime, *, most: int = MANY) -> int:
        return await remove_some(self.connection, sessions, sessions.c.expires_at < before, most)


@dataclass(frozen=True, slots=True)
class SqlResets:
    connection: AsyncConnection

    async def add(self, reset: Reset) -> None:
        row = insert(resets).values(digest=reset.digest, person_id=reset.person_id, expires_at=reset.expires_at)
        await self.connection.execute(row)

    async def one(self, digest: bytes) -> Reset:
        return _reset((await self.connection.execute(select(resets).where(resets.c.digest == digest))).first())

    async def take(self, digest: bytes) -> Reset:
        taken = delete(resets).where(resets.c.digest == digest).returning(resets)
        return _reset((await self.connection.execute(taken)).first())

    async def remove_all(self, person_id: PersonId) -> None:
        await self.connection.execute(delete(resets).where(resets.c.person_id == person_id))

    async def sweep(self, before: datetime, *, most: int = MANY) -> int:
        return await remove_some(self.connection, resets, resets.c.expires_at < before, most)


@dataclass(frozen=True, slots=True)
class SqlFailures:
    connection: AsyncConnection

    async def of(self, keys: Collection[str]) -> Mapping[str, Failures]:
        query = select(sign_in_failures).where(sign_in_failures.c.key.in_(keys))
        return {row.key: Failures(row._mapping["count"], row.at) for row in await self.connection.execute(query)}

    async def lock(self, keys: Collection[str]) -> Mapping[str, Failures]:
        for key in sorted(keys):
            row = insert_or(self.connection, sign_in_failures).values(key=key, count=0, at=_NEVER)
            await self.connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"key": key}))
        return {key: there for key, there in (await self.of(keys)).items() if there.count}

    async def count(self, keys: Collection[str], at: datetime) -> None:
        for key in sorted(keys):
            row = insert_or(self.connection, sign_in_failures).values(key=key, count=1, at=at)
            more = {"count": sign_in_failures.c.count + 1, "at": at}
            await self.connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=more))

    async def forgive(self, key: str) -> None:
        counted = sign_in_failures.c.key == key, sign_in_failures.c.count > 0
        less = update(sign_in_failures).where(*counted).values(count=sign_in_failures.c.count - 1)
        await self.connection.execute(less)

    async def clear(self, key: str) -> None:
        await self.connection.execute(delete(sign_in_failures).where(sign_in_failures.c.key == key))

    async def sweep(self, before: datetime, *, most: int = MANY) -> int:
        return await remove_some(self.connection, sign_in_failures, sign_in_failures.c.at < before, most)


@dataclass(frozen=True, slots=True)
class SqlSigningKeys:
    connection: AsyncConnection

    async def lock(self) -> None:
        if self.connection.dialect.name == "postgresql":  # SQLite has one writer
            await self.connection.execute(text("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE"))

    async def add(self, key: SigningKey) -> None:
        await self.connection.execute(
            insert(signing_keys).values(
                id=key.id,
                public=key.public,
                wrapped_private=key.wrapped_private,
                master_key_id=key.master_key_id,
                created_at=key.created_at,
            )
        )

    async def all(self) -> Sequence[SigningKey]:
        found = await self.connection.execute(select(signing_keys).order_by(signing_keys.c.id))
        return [SigningKey(row.id, row.public, row.wrapped_private, row.master_key_id, row.created_at) for row in found]

    async def put(self, key: SigningKey) -> None:
        wrapping = {"wrapped_private": key.wrapped_private, "master_key_id": key.master_key_id}
        await self.connection.execute(update(signing_keys).where(signing_keys.c.id == key.id).values(**wrapping))

    async def remove(self, key: SigningKey) -> None:
        await self.connection.execute(delete(signing_keys).where(signing_keys.c.id == key.id))


def _columns(person: Person) -> dict[str, Any]:
    return {"email": person.email, "name": person.name}


def _identity(row: Row[Any]) -> Identity:
    return Identity(row.issuer, row.subject, PersonId(row.person_id))


def _reset(row: Row[Any] | None) -> Reset:
    if row is None:
        raise NotFound("reset")
    return Reset(row.digest, PersonId(row.person_id), row.expires_at)


def _session(row: Row[Any]) -> Session:
    return Session(row.digest, PersonId(row.person_id), row.signed_in_at, row.expires_at, row.browser)
