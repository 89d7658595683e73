"""What sign-in keeps: identities, sessions, failures and resets, in memory, on SQLite and on PostgreSQL."""

import asyncio
from datetime import timedelta
from secrets import token_bytes, token_hex

import pytest
from uuid_utils.compat import uuid7

from domain.errors import DuplicateName, NotFound, NotSignedIn, TooManyFailures
from domain.model.ids import PersonId
from domain.model.people import Failures, Identity, Person, Reset, Session
from domain.ports import BeginDirectory
from domain.usecases.accounts import Accounts, Visitor
from infrastructure.db.directory import directory
from tests.belongings import NOW
from tests.fakes import FakeClock, FakeStore
from tests.stores import InDatabase, Store
from tests.unit.usecases.people import SESSION, PlainPasswords


@pytest.fixture
def book(store: Store) -> BeginDirectory:
    return directory(store.engine) if isinstance(store, InDatabase) else FakeStore().directory


async def settled(book: BeginDirectory) -> Person:
    person = Person(PersonId(uuid7()), f"{token_hex(8)}@portunus.example", "Ærø 李", NOW)
    async with book() as work:
        await work.people.add(person)
    return person


async def test_identities_are_one_persons_each(book: BeginDirectory) -> None:
    ada, grace = await settled(book), await settled(book)
    issuer = f"https://{token_hex(8)}.example"
    mine = [Identity(issuer, subject, ada.id) for subject in ("a", "b")]
    async with book() as work:
        for identity in mine:
            await work.identities.add(identity)
        with pytest.raises(DuplicateName):
            await work.identities.add(Identity(issuer, "a", grace.id))
        assert await work.identities.of(ada.id) == mine
        assert await work.identities.of(grace.id) == []
        await work.identities.remove(Identity(issuer, "a", grace.id))
        assert await work.identities.one(issuer, "a") == mine[0]
        await work.identities.remove(mine[0])
        with pytest.raises(NotFound):
            await work.identities.one(issuer, "a")


async def test_sessions_are_listed_ended_and_swept(book: BeginDirectory) -> None:
    ada, grace = await settled(book), await settled(book)
    old = Session(token_bytes(32), ada.id, NOW - timedelta(days=400), NOW - timedelta(days=399))
    new = Session(token_bytes(32), ada.id, NOW, NOW + timedelta(hours=12), "Firefox")
    hers = Session(token_bytes(32), grace.id, NOW, NOW + timedelta(hours=12))
    async with book() as work:
        for session in (old, new, hers):
            await work.sessions.add(session)
        assert await work.sessions.of(ada.id) == [new, old]
        assert await work.sessions.one(new.digest) == new
        assert await work.sessions.sweep(NOW - timedelta(days=398)) == 1
        assert await work.sessions.of(ada.id) == [new]
        assert await work.sessions.remove_all(ada.id) == 1
        await work.sessions.remove(new.digest)
        assert await work.sessions.of(grace.id) == [hers]
        with pytest.raises(NotFound):
            await work.sessions.one(new.digest)


async def test_a_reset_is_taken_once_and_swept_when_old(book: BeginDirectory) -> None:
    person = await settled(book)
    first, second, old = (
        Reset(token_bytes(32), person.id, NOW + timedelta(hours=hours)) for hours in (1, 1, -24 * 400)
    )
    async with book() as work:
        for reset in (first, second, old):
            await work.resets.add(reset)
        assert await work.resets.one(first.digest) == await work.resets.take(first.digest) == first
        for look in (work.resets.one, work.resets.take):
            with pytest.raises(NotFound):
                await look(first.digest)
        assert await work.resets.sweep(NOW - timedelta(days=399)) == 1
        await work.resets.remove_all(person.id)
        with pytest.raises(NotFound):
            await work.resets.one(second.digest)


async def test_failures_are_counted_forgiven_cleared_and_swept(book: BeginDirectory) -> None:
    key, other, later = token_hex(8), token_hex(8), NOW + timedelta(seconds=1)
    async with book() as work:
        assert await work.failures.lock([key, other]) == {}
        await work.failures.forgive(key)
        await work.failures.count([key, other], NOW)
        await work.failures.count([key], later)
        expected = {key: Failures(2, later), other: Failures(1, NOW)}
        assert await work.failures.lock([key, other]) == expected
        await work.failures.forgive(key)
        await work.failures.clear(other)
        assert await work.failures.lock([key, other]) == {key: Failures(1, later)}
        await work.failures.count([key], NOW - timedelta(days=400))
        assert await work.failures.sweep(NOW - timedelta(days=399)) >= 1
        assert await work.failures.lock([key]) == {}


async def test_twenty_guesses_at_once_get_no_more_tries_than_one_after_another(book: BeginDirectory) -> None:
    person = await settled(book)
    accounts = Accounts(book, PlainPasswords(), FakeClock(), token_bytes, SESSION)
    async with book() as work:
        await work.passwords.put(person.id, "2:a long enough password")
    here = Visitor(address=token_hex(8))
    tries = [accounts.sign_in(person.email, "a wrong password", here) for _ in range(20)]
    refused = [type(each) for each in await asyncio.gather(*tries, return_exceptions=True)]
    assert (refused.count(NotSignedIn), refused.count(TooManyFailures)) == (5, 15)
