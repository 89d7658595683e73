"""A new password for whoever lost the old one: by a link that the operator makes and hands over."""

from dataclasses import dataclass
from datetime import timedelta

from domain.errors import NotFound
from domain.model.passwords import checked_password
from domain.model.people import Person, Reset, checked_email
from domain.model.secret import Secret
from domain.model.tokens import SECRET_BYTES, PersonalKind, digest, is_personal, mint_personal
from domain.ports import Directory
from domain.usecases.accounts import Accounts, Visitor
from domain.usecases.attempts import Attempt

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PasswordResets:
    accounts: Accounts

    async def issue(self, email: str) -> Secret:
        """For the operator alone: the token of a link, good once within an hour; NotFound("person"), InvalidRange."""
        token = mint_personal(PersonalKind.RESET, self.accounts.randomness(SECRET_BYTES))
        async with self.accounts.directory() as book:
            person = await book.people.by_email(checked_email(email))
            await book.resets.remove_all(person.id)
            await book.resets.add(Reset(digest(token), person.id, self.accounts.clock() + LIFETIME))
        return Secret(token)

    async def whose(self, token: str) -> Person:
        """NotFound("reset") for a token that is unknown, used or expired."""
        async with self.accounts.directory() as book:
            return await self._whose(book, token)

    async def renew(self, token: str, password: str, visitor: Visitor) -> Secret:
        """Set the password, end all sessions of the person and open a new one; its cookie. NotFound; InvalidRange."""
        person = await self.whose(token)
        password = checked_password(password, person.email, person.name)
        hashed = await self.accounts.passwords.hashed(password)
        async with self.accounts.directory() as book:
            await self._whose(book, token)
            await book.resets.take(digest(token))
            await book.passwords.put(person.id, hashed)
            await book.failures.clear(Attempt(person.email).account_key)
            await book.sessions.remove_all(person.id)
            return await self.accounts.admit(book, person.id, visitor)

    async def _whose(self, book: Directory, token: str) -> Person:
        if not is_personal(PersonalKind.RESET, token):
            raise NotFound("reset")
        reset = await book.resets.one(digest(token))
        if reset.expires_at <= self.accounts.clock():
            raise NotFound("reset")
        return await book.people.one(reset.person_id)
