"""Who is in a tenant: invited, made something else, removed, leaving; and that there is always an owner."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.errors import LastOwner, NeedsPerson, NotFound
from domain.model.access import Actor, Role, Scope
from domain.model.audit import Deed, deed
from domain.model.ids import InvitationId, PersonId, TenantId
from domain.model.people import Invitation, Member, checked_email
from domain.model.secret import Secret
from domain.model.tokens import SECRET_BYTES, Kind, digest, mint
from domain.ports import Begin, Clock, Fresh, Randomness, Work

STANDS = timedelta(days=7)
"""How long an invitation can be taken up."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. Its link exists here only: whoever has it can take the invitation up."""

    invitation: Invitation
    link: Secret


@dataclass(frozen=True, slots=True)
class Members:
    """`page` is the public address where invitations are taken up. Nobody makes anyone what he is not himself."""

    begin: Begin
    clock: Clock
    fresh: Fresh
    randomness: Randomness
    page: str

    async def all(self, actor: Actor, *, first: int, after: PersonId | None = None) -> Sequence[Member]:
        """Up to `first` members by ascending person, from behind `after`."""
        actor.require(Scope.MEMBERS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.members.page(first=first, after=after)

    async def one(self, actor: Actor, person_id: PersonId) -> Member:
        """NotFound("member")."""
        actor.require(Scope.MEMBERS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.members.one(person_id)

    async def some(self, actor: Actor, person_ids: Collection[PersonId]) -> Sequence[Member]:
        """Those of them that are members."""
        actor.require(Scope.MEMBERS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.members.some(person_ids)

    async def invitations(self, actor: Actor, *, first: int, after: InvitationId | None = None) -> Sequence[Invitation]:
        """Up to `first` that were not taken up, from behind `after`; those that have expired are among them."""
        actor.require(Scope.MEMBERS_READ)
        async with self.begin(actor.tenant_id) as work:
            return await work.invitations.page(first=first, after=after)

    async def invite(self, actor: Actor, email: str, role: Role) -> Invited:
        """InvalidRange for what is no address; Forbidden for a role that may do more than the actor."""
        actor.require(Scope.MEMBERS_WRITE)
        invited = self._invited(actor.tenant_id, email, role, actor.person_id)
        async with self.begin(actor.tenant_id) as work:
            actor, _ = await _locked(work, actor, Scope.MEMBERS_WRITE)
            actor.require_all(role.scopes)
            await work.invitations.add(invited.invitation)
            await work.audit.add(deed(actor, "member.invited", invited.invitation.id))
        return invited

    async def call_in(self, tenant_id: TenantId, email: str, role: Role) -> Invited:
        """The same from the operator's own shell, where there is no actor to ask. NotFound("tenant")."""
        invited = self._invited(tenant_id, email, role, None)
        async with self.begin(tenant_id) as work:
            await work.tenants.one()
            await work.invitations.add(invited.invitation)
            await work.audit.add(Deed("member.invited", str(invited.invitation.id)))
        return invited

    async def withdraw(self, actor: Actor, invitation_id: InvitationId) -> None:
        """NotFound("invitation") for one that was taken up, too."""
        actor.require(Scope.MEMBERS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            await work.invitations.remove(invitation_id)
            await work.audit.add(deed(actor, "member.invitation_withdrawn", invitation_id))

    async def change_role(self, actor: Actor, person_id: PersonId, role: Role) -> Member:
        """NotFound("member"), LastOwner; Forbidden unless the actor may do all that both roles may."""
        actor.require(Scope.MEMBERS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            actor, owners = await _locked(work, actor, Scope.MEMBERS_WRITE)
            actor.require_all(role.scopes)
            before = await work.members.one(person_id)
            actor.require_all(before.role.scopes)
            if role is not Role.OWNER:
                _check_owners(owners, person_id)
            await work.audit.add(deed(actor, "member.role_changed", f"{person_id} {role}"))
            return await _made(work, actor, person_id, role)

    async def remove(self, actor: Actor, person_id: PersonId) -> Member:
        """With all that applications hold of that person here. NotFound("member"), LastOwner, Forbidden."""
        actor.require(Scope.MEMBERS_WRITE)
        async with self.begin(actor.tenant_id) as work:
            actor, owners = await _locked(work, actor, Scope.MEMBERS_WRITE)
            gone = await work.members.one(person_id)
            actor.require_all(gone.role.scopes)
            await work.audit.add(deed(actor, "member.removed", person_id))
            await _end(work, actor, owners, person_id)
        return gone

    async def leave(self, actor: Actor, tenant_id: TenantId) -> Member:
        """The person of the token leaves, and the token ends with that. NotFound("tenant"), NeedsPerson, LastOwner."""
        actor.require(Scope.TENANT_LEAVE)
        if tenant_id != actor.tenant_id:
            raise NotFound("tenant")
        person_id = _person(actor)
        async with self.begin(actor.tenant_id) as work:
            owners = await work.members.lock_owners()
            gone = await work.members.one(person_id)
            await work.audit.add(deed(actor, "member.left", person_id))
            await _end(work, actor, owners, person_id)
        return gone

    async def transfer(self, actor: Actor, heir: PersonId) -> Member:
        """An owner makes another member the owner in his place and is an admin from then on. NeedsPerson, NotFound."""
        actor.require(Scope.TENANT_OWN)
        giver = _person(actor)
        async with self.begin(actor.tenant_id) as work:
            actor, _ = await _locked(work, actor, Scope.TENANT_OWN)
            await work.members.one(heir)
            await work.audit.add(deed(actor, "tenant.ownership_transferred", heir))
            if heir != giver:
                await _made(work, actor, giver, Role.ADMIN)
            return await _made(work, actor, heir, Role.OWNER)

    def _invited(self, tenant_id: TenantId, email: str, role: Role, by: PersonId | None) -> Invited:
        token, now = mint(Kind.INVITATION, tenant_id, self.randomness(SECRET_BYTES)), self.clock()
        invitation = Invitation(
            tenant_id,
            InvitationId(self.fresh()),
            checked_email(email),
            role,
            digest(token),
            now,
            now + STANDS,
            by,
        )
        return Invited(invitation, Secret(f"{self.page}?token={token}"))


async def _locked(work: Work, actor: Actor, scope: Scope) -> tuple[Actor, Sequence[PersonId]]:
    """The actor with what his role allows by now, and the owners: neither changes until this unit of work ends.

    Forbidden when the role has come to lack `scope`, or the person has left, since the token was looked at.
    """
    owners = await work.members.lock_owners()
    if actor.person_id is not None:
        me = await work.members.some([actor.person_id])
        allowed = me[0].role.scopes if me else frozenset()
        actor = replace(actor, scopes=actor.scopes & allowed)
    actor.require(scope)
    return actor, owners


async def _made(work: Work, actor: Actor, person_id: PersonId, role: Role) -> Member:
    """Give the role, and take back the person's own invitations to roles that may do more."""
    await work.members.put(person_id, role)
    await _take_back(work, actor, person_id, [other for other in Role if not other.scopes <= role.scopes])
    return await work.members.one(person_id)


async def _end(work: Work, actor: Actor, owners: Sequence[PersonId], person_id: PersonId) -> None:
    _check_owners(owners, person_id)
    await work.members.remove(person_id)
    await _take_back(work, actor, person_id, list(Role))


async def _take_back(work: Work, actor: Actor, inviter: PersonId, roles: Collection[Role]) -> None:
    """Else whoever was removed or made less could come back by an invitation that he sent before."""
    if await work.invitations.remove_by(inviter, roles):
        await work.audit.add(deed(actor, "member.invitations_withdrawn", inviter))


def _check_owners(owners: Sequence[PersonId], without: PersonId) -> None:
    if list(owners) == [without]:
        raise LastOwner


def _person(actor: Actor) -> PersonId:
    if actor.person_id is None:
        raise NeedsPerson
    return actor.person_id
