"""Taking up an invitation: with the account there is, or with a new one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.errors import NotFound
from domain.model.access import Role
from domain.model.audit import Deed
from domain.model.ids import PersonId, TenantId
from domain.model.passwords import checked_password
from domain.model.people import Invitation, Person, Recognised, checked_name
from domain.model.secret import Secret
from domain.model.tokens import Kind, digest, parse
from domain.ports import Begin, Directory, Fresh, Work
from domain.usecases.accounts import Accounts, SignedIn, Visitor

Equip = Callable[[Directory, PersonId], Awaitable[None]]
"""Gives a new account the means to sign in."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation is to, and whether whom it names has an account."""

    tenant_name: str
    role: Role
    email: str
    known: bool


@dataclass(frozen=True, slots=True)
class Joining:
    """An account is made before its membership, each in one unit of work. Where the second one fails, the invitation
    stands: whoever made the account signs in, and takes it up again.
    """

    begin: Begin
    accounts: Accounts
    fresh: Fresh

    async def invited(self, token: str) -> Invited:
        """NotFound("invitation") for one that is unknown, used or expired."""
        async with self.begin(_tenant(token)) as work:
            invitation = await self._good(work, token)
            tenant = await work.tenants.one()
        async with self.accounts.directory() as book:
            known = await _has_account(book, invitation.email)
        return Invited(tenant.name, invitation.role, invitation.email, known)

    async def accept(self, me: SignedIn, token: str) -> None:
        """NotFound("invitation") besides when it is for another address than the person's own."""
        await self._join(me.person, token)

    async def join(self, token: str, name: str, password: str, visitor: Visitor) -> Secret:
        """Make an account with a password, and sign it in; the cookie.

        InvalidRange; NotFound("invitation"); DuplicateName when there is an account of that address.
        """
        email = (await self.invited(token)).email
        name, password = checked_name(name), checked_password(password, email, name)
        hashed = await self.accounts.passwords.hashed(password)
        return await self._join_new(token, email, name, visitor, lambda book, who: book.passwords.put(who, hashed))

    async def join_recognised(self, token: str, who: Recognised, visitor: Visitor) -> Secret:
        """Make an account of somebody whom a provider recognised, and sign it in; the cookie.

        NotFound("invitation"); DuplicateName when there is an account of that address, or of that identity.
        """
        email = (await self.invited(token)).email
        name = (who.name or "").strip()[:100]
        shown = name if name and name.isprintable() else email.partition("@")[0]
        return await self._join_new(
            token, email, shown, visitor, lambda book, me: book.identities.add(who.identity(me))
        )

    async def _join_new(self, token: str, email: str, name: str, visitor: Visitor, equip: Equip) -> Secret:
        person = Person(PersonId(self.fresh()), email, name, self.accounts.clock())
        async with self.accounts.directory() as book:
            await book.people.add(person)
            await equip(book, person.id)
        await self._join(person, token)
        async with self.accounts.directory() as book:
            return await self.accounts.admit(book, person.id, visitor)

    async def _join(self, person: Person, token: str) -> None:
        async with self.begin(_tenant(token)) as work:
            invitation = await self._good(work, token)
            if invitation.email != person.email:
                raise NotFound("invitation")
            await work.invitations.take(invitation.digest)
            if await work.members.add(person.id, invitation.role, self.accounts.clock()):
                await work.audit.add(Deed("member.joined", str(person.id), person_id=person.id))

    async def _good(self, work: Work, token: str) -> Invitation:
        invitation = await work.invitations.one(digest(token))
        if invitation.expires_at <= self.accounts.clock():
            raise NotFound("invitation")
        return invitation


def _tenant(token: str) -> TenantId:
    parsed = parse(Kind.INVITATION, token)
    if parsed is None:
        raise NotFound("invitation")
    return parsed.tenant_id


async def _has_account(book: Directory, email: str) -> bool:
    try:
        await book.people.by_email(email)
    except NotFound:
        return False
    return True
