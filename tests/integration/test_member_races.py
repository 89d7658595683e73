"""Owners who change one another at the same moment leave exactly one; an invitation makes one member."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from domain.errors import Forbidden, LastOwner, NotFound
from domain.model.access import TENANT_SCOPES, Actor, Role
from domain.model.ids import ClientId, PersonId, TenantId
from domain.ports import Begin
from domain.usecases.accounts import Accounts, SignedIn
from domain.usecases.joining import Joining
from domain.usecases.members import Members
from infrastructure.db.directory import directory
from infrastructure.db.work import begin
from tests.belongings import MASTER_KEYS, settled_in
from tests.household import a_person, a_session
from tests.unit.usecases.people import SESSION, PlainPasswords

ROUNDS = 6
PAGE = "https://portunus.example/invitation"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Firm:
    """A tenant with two owners and a member."""

    begin: Begin
    members: Members
    tenant_id: TenantId
    one: PersonId
    other: PersonId
    third: PersonId

    def actor(self, person_id: PersonId | None = None) -> Actor:
        return Actor(self.tenant_id, ClientId(uuid7()), TENANT_SCOPES, now() + timedelta(hours=1), person_id)

    async def owners(self) -> int:
        async with self.begin(self.tenant_id) as work:
            return len(await work.members.lock_owners())


async def founded(engine: AsyncEngine, *roles: Role) -> Firm:
    at_work = begin(engine, master_keys=MASTER_KEYS)
    tenant = await settled_in(at_work)
    people = [a_person() for _ in range(3)]
    async with directory(engine)() as above:
        for person in people:
            await above.people.add(person)
    async with at_work(tenant.id) as work:
        for person, role in zip(people, roles, strict=True):
            await work.members.add(person.id, role, now())
    members = Members(at_work, now, uuid7, token_bytes, PAGE)
    return Firm(at_work, members, tenant.id, *(person.id for person in people))


Attempt = Callable[[Firm, PersonId, PersonId], Awaitable[Any]]
"""What the first of two owners does, to the second where it is done to somebody."""

ATTEMPTS: dict[str, Attempt] = {
    "demotes": lambda firm, me, other: firm.members.change_role(firm.actor(me), other, Role.MEMBER),
    "removes": lambda firm, me, other: firm.members.remove(firm.actor(me), other),
    "steps down": lambda firm, me, _: firm.members.change_role(firm.actor(me), me, Role.ADMIN),
    "leaves": lambda firm, me, _: firm.members.leave(firm.actor(me), firm.tenant_id),
}
REFUSALS = Forbidden, LastOwner, NotFound


async def at_once(*attempts: Awaitable[Any]) -> list[BaseException]:
    """What was refused; anything but a refusal fails."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [each for each in done if isinstance(each, BaseException)]
    assert all(isinstance(each, REFUSALS) for each in refused), refused
    return refused


PAIRS = list(itertools.combinations_with_replacement(ATTEMPTS, 2))


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
async def test_two_owners_at_one_moment_leave_one(engine: AsyncEngine, pair: tuple[str, str]) -> None:
    for _ in range(ROUNDS):
        firm = await founded(engine, Role.OWNER, Role.OWNER, Role.MEMBER)
        first, second = (ATTEMPTS[name] for name in pair)
        refused = await at_once(first(firm, firm.one, firm.other), second(firm, firm.other, firm.one))
        assert await firm.owners() == 1, refused


async def test_an_heir_who_is_made_less_or_removed_while_he_inherits_leaves_no_tenant_without_owner(
    engine: AsyncEngine,
) -> None:
    for number in range(4 * ROUNDS):
        firm = await founded(engine, Role.OWNER, Role.ADMIN, Role.MEMBER)
        heir, service = firm.other, firm.actor()
        against = (
            firm.members.remove(service, heir) if number % 2 else firm.members.change_role(service, heir, Role.MEMBER)
        )
        await at_once(firm.members.transfer(firm.actor(firm.one), heir), against)
        assert await firm.owners() == 1


async def test_an_owner_who_makes_another_and_leaves_at_once_leaves_one(engine: AsyncEngine) -> None:
    for _ in range(4 * ROUNDS):
        firm = await founded(engine, Role.OWNER, Role.ADMIN, Role.MEMBER)
        await at_once(
            firm.members.change_role(firm.actor(firm.one), firm.other, Role.OWNER),
            firm.members.leave(firm.actor(firm.one), firm.tenant_id),
            firm.members.remove(firm.actor(), firm.other),
        )
        assert await firm.owners() >= 1


async def test_an_invitation_that_is_taken_up_by_many_at_once_makes_one_member(engine: AsyncEngine) -> None:
    for _ in range(ROUNDS):
        firm = await founded(engine, Role.OWNER, Role.MEMBER, Role.MEMBER)
        guest = a_person()
        async with directory(engine)() as above:
            await above.people.add(guest)
        invited = await firm.members.invite(firm.actor(firm.one), guest.email, Role.ADMIN)
        joining = Joining(firm.begin, Accounts(directory(engine), PlainPasswords(), now, token_bytes, SESSION), uuid7)
        token = invited.link.reveal().partition("token=")[2]
        me = SignedIn(guest, a_session(guest), [])
        assert len(await at_once(*(joining.accept(me, token) for _ in range(5)))) == 4
        members = await firm.members.all(firm.actor(firm.one), first=9)
        assert [each.role for each in members if each.person == guest] == [Role.ADMIN]
        assert await firm.members.invitations(firm.actor(firm.one), first=9) == []
