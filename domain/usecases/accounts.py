"""Signing in and out, and what a person does with sessions and password."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.errors import InvalidRange, NotFound, NotSignedIn
from domain.model.ids import PersonId
from domain.model.passwords import checked_password
from domain.model.people import Membership, Person, Session, checked_email
from domain.model.secret import Secret
from domain.model.tokens import SECRET_BYTES, PersonalKind, digest, is_personal, mint_personal
from domain.ports import BeginDirectory, Clock, Directory, Passwords, Randomness
from domain.usecases.attempts import Attempt, Attempts, forgive

BROWSER_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser that asks: what it calls itself, from which address, and the session's cookie that it brings."""

    browser: str = ""
    address: str | None = None
    cookie: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is before the page, by which session, and what the person is in which tenant."""

    person: Person
    session: Session
    memberships: Sequence[Membership]


@dataclass(frozen=True, slots=True)
class Accounts:
    """`lifetime` is that of a session."""

    directory: BeginDirectory
    passwords: Passwords
    clock: Clock
    randomness: Randomness
    lifetime: timedelta

    async def signed_in(self, cookie: str | None) -> SignedIn | None:
        """None for a cookie of no session, and for one that has expired."""
        if cookie is None or not is_personal(PersonalKind.SESSION, cookie):
            return None
        try:
            async with self.directory() as book:
                session = await book.sessions.one(digest(cookie))
                person = await book.people.one(session.person_id)
                memberships = await book.people.memberships(person.id)
        except NotFound:
            return None
        return SignedIn(person, session, memberships) if self.clock() < session.expires_at else None

    async def sign_in(self, email: str, password: str, visitor: Visitor) -> Secret:
        """The new session's cookie; NotSignedIn, or TooManyFailures when there were many."""
        attempt = Attempt(email.strip().lower(), visitor.address)
        await Attempts(self.directory, self.clock).begin(attempt)
        async with self.directory() as book:
            person, hashed = await _known(book, attempt.email)
        if not await self.passwords.fits(password, hashed) or person is None:
            raise NotSignedIn
        better = await self._better(password, hashed)
        async with self.directory() as book:
            await forgive(book, attempt)
            if better is not None and await book.passwords.one(person.id) == hashed:
                await book.passwords.put(person.id, better)
            return await self.admit(book, person.id, visitor)

    async def admit(self, book: Directory, person_id: PersonId, visitor: Visitor) -> Secret:
        """Open a session in place of the one that the browser had, if any; its cookie."""
        if visitor.cookie:
            await book.sessions.remove(digest(visitor.cookie))
        token, now = mint_personal(PersonalKind.SESSION, self.randomness(SECRET_BYTES)), self.clock()
        browser = visitor.browser[:BROWSER_LIMIT]
        await book.sessions.add(Session(digest(token), person_id, now, now + self.lifetime, browser))
        return Secret(token)

    async def sign_out(self, cookie: str) -> None:
        async with self.directory() as book:
            await book.sessions.remove(digest(cookie))

    async def sign_out_everywhere(self, me: SignedIn) -> int:
        """How many sessions ended, this one included."""
        async with self.directory() as book:
            return await book.sessions.remove_all(me.person.id)

    async def sessions(self, me: SignedIn) -> Sequence[Session]:
        """The person's own that have not expired, the latest first."""
        async with self.directory() as book:
            found = await book.sessions.of(me.person.id)
        return [session for session in found if self.clock() < session.expires_at]

    async def end_session(self, me: SignedIn, of: bytes) -> None:
        """NotFound("session") unless this digest is of one of the person's own."""
        async with self.directory() as book:
            if (await book.sessions.one(of)).person_id != me.person.id:
                raise NotFound("session")
            await book.sessions.remove(of)

    async def change_password(self, me: SignedIn, old: str, new: str, visitor: Visitor) -> Secret:
        """End all sessions and open a new one; its cookie. NotSignedIn when the old password is wrong; InvalidRange."""
        new = checked_password(new, me.person.email, me.person.name, field="new_password")
        attempt = Attempt(me.person.email, visitor.address)
        await Attempts(self.directory, self.clock).begin(attempt)
        async with self.directory() as book:
            hashed = await book.passwords.one(me.person.id)
        if not await self.passwords.fits(old, hashed):
            raise NotSignedIn
        fresh = await self.passwords.hashed(new)
        async with self.directory() as book:
            await forgive(book, attempt)
            await book.passwords.put(me.person.id, fresh)
            await book.resets.remove_all(me.person.id)
            await book.sessions.remove_all(me.person.id)
            return await self.admit(book, me.person.id, visitor)

    async def _better(self, password: str, hashed: str | None) -> str | None:
        """A new hash, when the old one was made with weaker parameters."""
        return await self.passwords.hashed(password) if hashed and self.passwords.outdated(hashed) else None


async def _known(book: Directory, email: str) -> tuple[Person | None, str | None]:
    try:
        person = await book.people.by_email(checked_email(email))
    except (NotFound, InvalidRange):
        return None, None
    return person, await book.passwords.one(person.id)
