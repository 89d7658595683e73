"""What the directory promises, in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.errors import DuplicateName, NotFound
from domain.model.access import Role
from domain.model.ids import PersonId
from domain.model.people import Failures, Membership
from tests.belongings import NOW, settled_in
from tests.household import a_person, a_session, a_signing_key, an_identity, household
from tests.stores import Store

LATER = NOW + timedelta(seconds=30)


async def test_a_person_is_found_by_id_and_by_address(store: Store) -> None:
    person, other = a_person(), a_person()
    async with store.directory() as above:
        await above.people.add(person)
        await above.people.add(other)
        assert await above.people.one(person.id) == person
        assert await above.people.by_email(person.email) == person
        with pytest.raises(DuplicateName):
            await above.people.add(replace(a_person(), email=person.email))
        with pytest.raises(DuplicateName):
            await above.people.put(replace(other, email=person.email))
        renamed = replace(other, name="Other")
        await above.people.put(renamed)
        assert await above.people.one(other.id) == renamed
        for unknown in (above.people.one(PersonId(uuid7())), above.people.by_email("nobody@example.org")):
            with pytest.raises(NotFound):
                await unknown


async def test_a_person_sees_every_tenant_it_is_in(store: Store) -> None:
    first, second = [await settled_in(store.begin) for _ in range(2)]
    person = (await household(store.begin, store.directory, first.id, Role.ADMIN)).person
    async with store.begin(second.id) as work:
        await work.members.add(person.id, Role.AUDITOR, NOW)
    async with store.directory() as above:
        assert await above.people.memberships(person.id) == [
            Membership(first.id, first.name, Role.ADMIN),
            Membership(second.id, second.name, Role.AUDITOR),
        ]
        assert await above.people.memberships(a_person().id) == []


async def test_a_password_is_kept_as_its_latest_hash(store: Store) -> None:
    person = a_person()
    async with store.directory() as above:
        await above.people.add(person)
        assert await above.passwords.one(person.id) is None
        await above.passwords.put(person.id, "first")
        await above.passwords.put(person.id, "second")
        assert await above.passwords.one(person.id) == "second"


async def test_sessions_end_one_by_one_or_all_at_once(store: Store) -> None:
    person, other = a_person(), a_person()
    old, new = a_session(person), replace(a_session(person), signed_in_at=LATER)
    others = a_session(other)
    async with store.directory() as above:
        for each in (person, other):
            await above.people.add(each)
        for session in (old, new, others):
            await above.sessions.add(session)
        assert await above.sessions.of(person.id) == [new, old]
        await above.sessions.remove(old.digest)
        with pytest.raises(NotFound):
            await above.sessions.one(old.digest)
        assert await above.sessions.remove_all(person.id) == 1
        assert await above.sessions.one(others.digest) == others


async def test_a_subject_of_a_provider_is_one_person(store: Store) -> None:
    person = a_person()
    identity = an_identity(person)
    async with store.directory() as above:
        await above.people.add(person)
        await above.identities.add(identity)
        assert await above.identities.one(identity.issuer, identity.subject) == identity
        with pytest.raises(DuplicateName):
            await above.identities.add(identity)
        with pytest.raises(NotFound):
            await above.identities.one(identity.issuer, "another")


async def test_failures_are_counted_per_key_until_they_are_cleared(store: Store) -> None:
    account, address = uuid7().hex, uuid7().hex
    async with store.directory() as above:
        await above.failures.count([account, address], NOW)
        await above.failures.count([account], LATER)
        assert await above.failures.of([account, address, "none"]) == {
            account: Failures(2, LATER),
            address: Failures(1, NOW),
        }
        await above.failures.clear(account)
        assert await above.failures.of([account]) == {}


async def test_signing_keys_are_listed_oldest_first_and_wrapped_anew(store: Store) -> None:
    old, new = a_signing_key(), a_signing_key()
    async with store.directory() as above:
        await above.signing_keys.add(new)
        await above.signing_keys.add(old)
        assert [key for key in await above.signing_keys.all() if key in (old, new)] == [old, new]
        again = replace(old, wrapped_private=b"again", master_key_id="master-2")
        await above.signing_keys.put(again)
        assert again in await above.signing_keys.all()
        for key in (again, new):
            await above.signing_keys.remove(key)
        assert not {old.id, new.id} & {key.id for key in await above.signing_keys.all()}


async def test_what_fails_leaves_nothing_behind(store: Store) -> None:
    person = a_person()
    with pytest.raises(ZeroDivisionError):
        async with store.directory() as above:
            await above.people.add(person)
            raise ZeroDivisionError
    async with store.directory() as above:
        with pytest.raises(NotFound):
            await above.people.one(person.id)
