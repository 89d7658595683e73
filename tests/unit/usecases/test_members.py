"""Who is in a tenant: nobody makes anyone what he is not himself, there is always an owner, and all of it is told."""

from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_bytes
from urllib.parse import parse_qs, urlsplit

import pytest
from uuid_utils.compat import uuid7

from domain.errors import Forbidden, InvalidRange, LastOwner, NeedsPerson, NotFound, Unauthenticated
from domain.model.access import IDENTITY_SCOPES, ROLE_SCOPES, TENANT_SCOPES, AccessToken, Actor, Client, Role, Scope
from domain.model.ids import InvitationId, PersonId, TenantId
from domain.model.people import Person
from domain.model.tenant import Tenant
from domain.model.tokens import Kind, digest, mint, parse
from domain.usecases.access import Access
from domain.usecases.members import STANDS, Members
from tests.belongings import a_client
from tests.fakes import CountedIds, FakeClock, FakeStore
from tests.household import a_consent, a_person
from tests.unit.domain.samples import TENANT

EMAIL = "new@example.org"
PAGE = "https://portunus.example/invitation"
ROLES = pytest.mark.parametrize("role", Role)


@dataclass(frozen=True, slots=True)
class Employee:
    """A member, whom an application acts for with a token that carries every scope there is."""

    person: Person
    token: str

    @property
    def id(self) -> PersonId:
        return self.person.id


class Office:
    """A tenant and its people."""

    def __init__(self) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.store.rows[TENANT].tenants.append(Tenant(TENANT, "Acme", self.clock()))
        self.members = Members(self.store.begin, self.clock, CountedIds(), token_bytes, PAGE)
        self.access = Access(self.store.begin, self.clock)
        self.client: Client = replace(a_client(TENANT), scopes=frozenset(Scope))
        self.store.rows[TENANT].clients[self.client.id] = self.client

    async def employ(self, role: Role) -> Employee:
        person, text = a_person(), mint(Kind.ACCESS_TOKEN, TENANT, token_bytes(32))
        async with self.store.directory() as above:
            await above.people.add(person)
        now, expires = self.clock(), self.clock() + timedelta(hours=1)
        token = AccessToken(TENANT, digest(text), self.client.id, frozenset(Scope), now, expires, person.id)
        async with self.store.begin(TENANT) as work:
            await work.members.add(person.id, role, now)
            await work.consents.put(a_consent(self.client, person))
            await work.tokens.add(token)
        return Employee(person, text)

    async def actor(self, employee: Employee) -> Actor:
        return await self.access.authenticate(employee.token)

    def service(self, *scopes: Scope) -> Actor:
        """The application itself, on behalf of nobody."""
        held = frozenset(scopes) or TENANT_SCOPES
        return Actor(TENANT, self.client.id, held, self.clock() + timedelta(hours=1))

    async def role(self, employee: Employee) -> Role | None:
        async with self.store.begin(TENANT) as work:
            found = await work.members.some([employee.id])
        return found[0].role if found else None

    async def owners(self) -> set[PersonId]:
        async with self.store.begin(TENANT) as work:
            return set(await work.members.lock_owners())

    def told(self) -> list[tuple[str, str, PersonId | None]]:
        """What the audit has: action, target and who."""
        return [(entry.deed.action, entry.deed.target, entry.deed.person_id) for entry in self.store.rows[TENANT].audit]


async def test_an_invitation_stands_for_a_week_and_only_the_digest_of_its_link_is_kept() -> None:
    office = Office()
    owner = await office.employ(Role.OWNER)
    invited = await office.members.invite(await office.actor(owner), " New@Example.org ", Role.ADMIN)
    invitation, link = invited.invitation, urlsplit(invited.link.reveal())
    (token,) = parse_qs(link.query)["token"]
    assert (invitation.email, invitation.role, invitation.invited_by) == (EMAIL, Role.ADMIN, owner.id)
    assert invitation.expires_at - invitation.created_at == STANDS
    assert f"{link.scheme}://{link.netloc}{link.path}" == PAGE
    parsed = parse(Kind.INVITATION, token)
    assert parsed
    assert parsed.tenant_id == TENANT
    assert office.store.rows[TENANT].invitations == {digest(token): invitation}
    assert token not in repr(office.store.rows) + repr(invited)
    assert office.told() == [("member.invited", str(invitation.id), owner.id)]


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org", "x@" + "e" * 250 + ".org"])
async def test_what_is_no_address_is_invited_by_nobody(email: str) -> None:
    office = Office()
    with pytest.raises(InvalidRange):
        await office.members.invite(office.service(), email, Role.MEMBER)
    assert office.told() == []


@pytest.mark.parametrize("mine", Role)
@pytest.mark.parametrize("theirs", Role)
async def test_nobody_invites_to_more_than_he_may_do_himself(mine: Role, theirs: Role) -> None:
    office = Office()
    actor = await office.actor(await office.employ(mine))
    if Scope.MEMBERS_WRITE in ROLE_SCOPES[mine] and ROLE_SCOPES[theirs] <= ROLE_SCOPES[mine]:
        await office.members.invite(actor, EMAIL, theirs)
        assert [each.role for each in office.store.rows[TENANT].invitations.values()] == [theirs]
    else:
        with pytest.raises(Forbidden):
            await office.members.invite(actor, EMAIL, theirs)
        assert (office.store.rows[TENANT].invitations, office.told()) == ({}, [])


async def test_a_narrow_token_invites_to_no_role_beyond_its_own_scopes() -> None:
    office = Office()
    with pytest.raises(Forbidden):
        await office.members.invite(office.service(Scope.MEMBERS_WRITE), EMAIL, Role.MEMBER)
    may = office.service(Scope.MEMBERS_WRITE, *ROLE_SCOPES[Role.MEMBER])
    invited = await office.members.invite(may, EMAIL, Role.MEMBER)
    assert invited.invitation.invited_by is None


async def test_an_invitation_is_withdrawn_once() -> None:
    office = Office()
    invited = await office.members.invite(office.service(), EMAIL, Role.MEMBER)
    with pytest.raises(Forbidden):
        await office.members.withdraw(office.service(Scope.MEMBERS_READ), invited.invitation.id)
    await office.members.withdraw(office.service(), invited.invitation.id)
    assert await office.members.invitations(office.service(), first=9) == []
    for unknown in (invited.invitation.id, InvitationId(uuid7())):
        with pytest.raises(NotFound, match="invitation"):
            await office.members.withdraw(office.service(), unknown)
    assert [action for action, _, _ in office.told()] == ["member.invited", "member.invitation_withdrawn"]


async def test_from_the_operators_shell_anybody_is_invited_into_a_tenant_that_is_open() -> None:
    office = Office()
    invited = await office.members.call_in(TENANT, EMAIL, Role.OWNER)
    assert office.told() == [("member.invited", str(invited.invitation.id), None)]
    with pytest.raises(NotFound, match="tenant"):
        await office.members.call_in(TenantId(uuid7()), EMAIL, Role.OWNER)


@ROLES
async def test_an_owner_gives_any_role(role: Role) -> None:
    office = Office()
    owner, other = await office.employ(Role.OWNER), await office.employ(Role.MEMBER)
    assert (await office.members.change_role(await office.actor(owner), other.id, role)).role is role
    assert office.told() == [("member.role_changed", f"{other.id} {role}", owner.id)]


@ROLES
async def test_a_token_carries_at_once_no_more_than_the_new_role(role: Role) -> None:
    office = Office()
    owner, other = await office.employ(Role.OWNER), await office.employ(Role.OWNER)
    assert (await office.actor(other)).scopes == TENANT_SCOPES | IDENTITY_SCOPES
    await office.members.change_role(await office.actor(owner), other.id, role)
    assert (await office.actor(other)).scopes == ROLE_SCOPES[role] | IDENTITY_SCOPES


async def test_whoever_is_removed_has_no_token_any_more() -> None:
    office = Office()
    owner, other = await office.employ(Role.OWNER), await office.employ(Role.ADMIN)
    gone = await office.members.remove(await office.actor(owner), other.id)
    assert (gone.person, gone.role) == (other.person, Role.ADMIN)
    with pytest.raises(Unauthenticated):
        await office.actor(other)
    assert not [consent for consent in office.store.rows[TENANT].consents.values() if consent.person_id == other.id]
    assert office.told() == [("member.removed", str(other.id), owner.id)]


@pytest.mark.parametrize("theirs", [Role.ADMIN, Role.MEMBER, Role.AUDITOR])
async def test_an_admin_changes_and_removes_everybody_but_owners(theirs: Role) -> None:
    office = Office()
    admin, other = await office.employ(Role.ADMIN), await office.employ(theirs)
    actor = await office.actor(admin)
    assert (await office.members.change_role(actor, other.id, Role.AUDITOR)).role is Role.AUDITOR
    assert (await office.members.remove(actor, other.id)).person == other.person


@ROLES
async def test_an_admin_touches_no_owner_and_makes_none(role: Role) -> None:
    office = Office()
    admin, owners = await office.employ(Role.ADMIN), [await office.employ(Role.OWNER) for _ in range(2)]
    other = await office.employ(Role.MEMBER)
    actor = await office.actor(admin)
    for refused in (
        office.members.change_role(actor, owners[0].id, role),
        office.members.remove(actor, owners[0].id),
        office.members.change_role(actor, other.id, Role.OWNER),
        office.members.change_role(actor, admin.id, Role.OWNER),
        office.members.transfer(actor, admin.id),
    ):
        with pytest.raises(Forbidden) as refusal:
            await refused
        assert refusal.value.needs == Scope.TENANT_OWN
    assert (await office.owners(), office.told()) == ({each.id for each in owners}, [])


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR])
async def test_others_than_admins_and_owners_change_nobody_but_may_leave(role: Role) -> None:
    office = Office()
    me, other = await office.employ(role), await office.employ(Role.MEMBER)
    actor = await office.actor(me)
    for refused in (
        office.members.change_role(actor, other.id, Role.AUDITOR),
        office.members.change_role(actor, me.id, Role.ADMIN),
        office.members.remove(actor, other.id),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert (await office.members.leave(actor, TENANT)).person == me.person
    assert office.told() == [("member.left", str(me.id), me.id)]


async def test_the_last_owner_is_neither_made_less_nor_removed_nor_does_he_leave() -> None:
    office = Office()
    last = await office.employ(Role.OWNER)
    await office.employ(Role.ADMIN)
    actor = await office.actor(last)
    for refused in (
        *(office.members.change_role(actor, last.id, role) for role in Role if role is not Role.OWNER),
        office.members.change_role(office.service(), last.id, Role.ADMIN),
        office.members.remove(actor, last.id),
        office.members.remove(office.service(), last.id),
        office.members.leave(actor, TENANT),
    ):
        with pytest.raises(LastOwner):
            await refused
    assert (await office.owners(), office.told()) == ({last.id}, [])
    assert (await office.members.change_role(actor, last.id, Role.OWNER)).role is Role.OWNER


async def test_an_owner_who_is_not_the_last_may_go() -> None:
    office = Office()
    one, two, three = [await office.employ(Role.OWNER) for _ in range(3)]
    await office.members.leave(await office.actor(one), TENANT)
    await office.members.change_role(await office.actor(two), two.id, Role.ADMIN)
    assert await office.owners() == {three.id}
    with pytest.raises(LastOwner):
        await office.members.leave(await office.actor(three), TENANT)


async def test_ownership_goes_to_another_member_and_the_giver_is_an_admin() -> None:
    office = Office()
    owner, heir = await office.employ(Role.OWNER), await office.employ(Role.AUDITOR)
    new = await office.members.transfer(await office.actor(owner), heir.id)
    assert (new.person, new.role) == (heir.person, Role.OWNER)
    assert await office.role(owner) is Role.ADMIN
    assert office.told() == [("tenant.ownership_transferred", str(heir.id), owner.id)]
    assert Scope.TENANT_OWN not in (await office.actor(owner)).scopes


async def test_who_gives_the_ownership_to_himself_keeps_it() -> None:
    office = Office()
    owner = await office.employ(Role.OWNER)
    assert (await office.members.transfer(await office.actor(owner), owner.id)).role is Role.OWNER


async def test_ownership_goes_to_no_stranger() -> None:
    office = Office()
    owner = await office.employ(Role.OWNER)
    with pytest.raises(NotFound, match="member"):
        await office.members.transfer(await office.actor(owner), PersonId(uuid7()))
    assert (await office.owners(), office.told()) == ({owner.id}, [])


async def test_an_application_that_acts_for_nobody_neither_leaves_nor_gives_the_ownership_away() -> None:
    office = Office()
    owner = await office.employ(Role.OWNER)
    for refused in (
        office.members.leave(office.service(), TENANT),
        office.members.transfer(office.service(), owner.id),
    ):
        with pytest.raises(NeedsPerson):
            await refused


async def test_only_the_tenant_of_the_token_is_left() -> None:
    office = Office()
    me = await office.employ(Role.MEMBER)
    with pytest.raises(NotFound, match="tenant"):
        await office.members.leave(await office.actor(me), TenantId(uuid7()))
    assert await office.role(me) is Role.MEMBER


async def test_strangers_are_no_members() -> None:
    office = Office()
    await office.employ(Role.OWNER)
    stranger, service = PersonId(uuid7()), office.service()
    assert await office.members.some(service, [stranger]) == []
    for refused in (
        office.members.one(service, stranger),
        office.members.change_role(service, stranger, Role.MEMBER),
        office.members.remove(service, stranger),
    ):
        with pytest.raises(NotFound, match="member"):
            await refused
    assert office.told() == []


async def test_a_token_that_was_looked_at_before_its_person_was_made_less_does_no_more_than_he_may_now() -> None:
    """A process may remember for two seconds what a token carried; what it does with that would last."""
    office = Office()
    owner, other, third = (
        await office.employ(Role.OWNER),
        await office.employ(Role.OWNER),
        await office.employ(Role.MEMBER),
    )
    before = await office.actor(other)
    await office.members.change_role(await office.actor(owner), other.id, Role.MEMBER)
    for refused in (
        office.members.invite(before, EMAIL, Role.MEMBER),
        office.members.change_role(before, owner.id, Role.MEMBER),
        office.members.remove(before, third.id),
        office.members.transfer(before, third.id),
    ):
        with pytest.raises(Forbidden):
            await refused
    await office.members.remove(await office.actor(owner), other.id)
    with pytest.raises(Forbidden):
        await office.members.invite(before, EMAIL, Role.MEMBER)
    assert await office.owners() == {owner.id}


async def test_nobody_comes_back_by_an_invitation_that_he_sent_while_he_could() -> None:
    office = Office()
    owner, other = await office.employ(Role.OWNER), await office.employ(Role.OWNER)
    for role in Role:
        await office.members.invite(await office.actor(other), EMAIL, role)
        await office.members.invite(await office.actor(owner), EMAIL, role)

    def standing() -> set[Role]:
        return {each.role for each in office.store.rows[TENANT].invitations.values() if each.invited_by == other.id}

    await office.members.change_role(await office.actor(owner), other.id, Role.ADMIN)
    assert standing() == set(Role) - {Role.OWNER}
    await office.members.change_role(await office.actor(owner), other.id, Role.MEMBER)
    assert standing() == {Role.MEMBER}
    await office.members.remove(await office.actor(owner), other.id)
    assert standing() == set()
    assert len(office.store.rows[TENANT].invitations) == len(Role)
    assert office.told().count(("member.invitations_withdrawn", str(other.id), owner.id)) == 3


async def test_reading_needs_its_scope() -> None:
    office = Office()
    await office.employ(Role.OWNER)
    blind = office.service(*(TENANT_SCOPES - {Scope.MEMBERS_READ}))
    for refused in (
        office.members.all(blind, first=9),
        office.members.invitations(blind, first=9),
        office.members.one(blind, PersonId(uuid7())),
        office.members.some(blind, []),
    ):
        with pytest.raises(Forbidden):
            await refused
