"""Signing in by an external OpenID provider: who it vouches for is known by issuer and subject, never by address."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import DuplicateName, NoOtherWay
from domain.model.people import Identity, Recognised
from domain.model.secret import Secret
from domain.usecases.accounts import Accounts, SignedIn, Visitor


@dataclass(frozen=True, slots=True)
class Recognition:
    accounts: Accounts

    async def sign_in(self, who: Recognised, visitor: Visitor) -> Secret:
        """The new session's cookie; NotFound("identity") when no account is linked."""
        async with self.accounts.directory() as book:
            identity = await book.identities.one(who.issuer, who.subject)
            return await self.accounts.admit(book, identity.person_id, visitor)

    async def link(self, me: SignedIn, who: Recognised) -> None:
        """DuplicateName when the identity is linked to another account."""
        mine = who.identity(me.person.id)
        async with self.accounts.directory() as book:
            try:
                await book.identities.add(mine)
            except DuplicateName:
                if await book.identities.one(who.issuer, who.subject) != mine:
                    raise

    async def linked(self, me: SignedIn) -> Sequence[Identity]:
        async with self.accounts.directory() as book:
            return await book.identities.of(me.person.id)

    async def unlink(self, me: SignedIn) -> None:
        """All of the person's identities; NoOtherWay when there is no password to sign in with instead."""
        async with self.accounts.directory() as book:
            if await book.passwords.one(me.person.id) is None:
                raise NoOtherWay
            for identity in await book.identities.of(me.person.id):
                await book.identities.remove(identity)
