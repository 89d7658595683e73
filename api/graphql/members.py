"""A tenant's people: members and their roles, invitations, ownership."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from api.graphql.connections import After, Connection, Cut, First
from api.graphql.context import Info
from api.graphql.fields import Input, field, mutation
from api.graphql.ids import known_uuid, node_id
from api.graphql.nodes import Node
from api.graphql.problems import InvalidRange, LastOwner, NeedsPerson, NotFound
from domain.model import people
from domain.model.access import Role, Scope
from domain.model.ids import InvitationId, PersonId, TenantId


@strawberry.type(description="A person in the tenant.")
class Member(Node):
    name: str = strawberry.field(description="What the person is called.")
    email: str = strawberry.field(description="The address that the person signs in with.")
    role: Role = strawberry.field(description="What the person may do here.")
    joined_at: datetime = strawberry.field(description="Since when.")

    @classmethod
    def of(cls, member: people.Member) -> Self:
        person = member.person
        return cls(
            id=node_id("Member", person.id),
            name=person.name,
            email=person.email,
            role=member.role,
            joined_at=member.joined_at,
        )


@strawberry.type(description="Somebody is asked to join the tenant.")
class Invitation:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    email: str = strawberry.field(description="Who is asked.")
    role: Role = strawberry.field(description="As what.")
    invited_at: datetime = strawberry.field(description="Since when.")
    expires_at: datetime = strawberry.field(description="Until when it can be taken up.")

    @classmethod
    def of(cls, invitation: people.Invitation) -> Self:
        return cls(
            id=node_id("Invitation", invitation.id),
            email=invitation.email,
            role=invitation.role,
            invited_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


@strawberry.type(description="What a role may do.")
class RoleScopes:
    role: Role = strawberry.field(description="The role.")
    scopes: list[str] = strawberry.field(description="The most that a token of a person in it can carry.")


@strawberry.input(description="Whom to ask in.")
class InviteMemberInput:
    email: str = strawberry.field(description="The e-mail address of the person.")
    role: Role = strawberry.field(description="What the person shall be; nothing that may do more than you.")


@strawberry.type(description="The invitation stands. Give its link to the person: nothing is sent from here.")
class InviteMemberPayload:
    invitation: Invitation = strawberry.field(description="The invitation.")
    link: str = strawberry.field(description="Where it is taken up, by whoever has this link. It is shown this once.")


@strawberry.input(description="An invitation to take back.")
class WithdrawInvitationInput:
    id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="The invitation's link leads nowhere any more.")
class WithdrawInvitationPayload:
    id: strawberry.ID = strawberry.field(description="The global id that it had.")


@strawberry.input(description="Another role for a member.")
class ChangeMemberRoleInput:
    id: strawberry.ID = strawberry.field(description="The member, by its global id.")
    role: Role = strawberry.field(description="What the person shall be.")


@strawberry.type(
    description="The member has the role. Tokens that carry more are narrowed at once, and the invitations that it "
    "sent to roles that may do more are taken back."
)
class ChangeMemberRolePayload:
    member: Member = strawberry.field(description="The member as it is now.")


@strawberry.input(description="A member to remove.")
class RemoveMemberInput:
    id: strawberry.ID = strawberry.field(description="The member, by its global id.")


@strawberry.type(
    description="The person is no member any more. What applications held on its behalf has ended, and the invitations "
    "that it sent are taken back."
)
class RemoveMemberPayload:
    member: Member = strawberry.field(description="The member that was.")


@strawberry.input(description="The next owner.")
class TransferOwnershipInput:
    to: strawberry.ID = strawberry.field(description="The member, by its global id.")


@strawberry.type(description="The tenant has another owner, and whoever gave it away is an admin.")
class TransferOwnershipPayload:
    member: Member = strawberry.field(description="The new owner.")


@strawberry.input(description="The tenant to leave, named so that it is no other by accident.")
class LeaveTenantInput:
    tenant_id: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="Whoever the token acted for has left. The token has ended.")
class LeaveTenantPayload:
    member: Member = strawberry.field(description="The member that was.")


InviteMemberResult = Annotated[
    InviteMemberPayload | InvalidRange,
    strawberry.union("InviteMemberResult", description="The invitation, or why there is none."),
]
WithdrawInvitationResult = Annotated[
    WithdrawInvitationPayload | NotFound,
    strawberry.union("WithdrawInvitationResult", description="What was taken back, or that there is no such one."),
]
ChangeMemberRoleResult = Annotated[
    ChangeMemberRolePayload | NotFound | LastOwner,
    strawberry.union("ChangeMemberRoleResult", description="The member, or why nothing was changed."),
]
RemoveMemberResult = Annotated[
    RemoveMemberPayload | NotFound | LastOwner,
    strawberry.union("RemoveMemberResult", description="Who was removed, or why nobody was."),
]
TransferOwnershipResult = Annotated[
    TransferOwnershipPayload | NotFound | NeedsPerson,
    strawberry.union("TransferOwnershipResult", description="The new owner, or why it is still the old one."),
]
LeaveTenantResult = Annotated[
    LeaveTenantPayload | NotFound | LastOwner | NeedsPerson,
    strawberry.union("LeaveTenantResult", description="Who left, or why not."),
]


@strawberry.type
class MemberQueries:
    @field("The people of the tenant.", needs=Scope.MEMBERS_READ)
    async def members(self, info: Info, first: First = 50, after: After = None) -> Connection[Member]:
        cut = Cut(info.context, "members", first, after)
        behind = PersonId(UUID(cut.position)) if cut.position else None
        rows = await info.context.usecases.members.all(info.context.actor, first=first + 1, after=behind)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.person.id), Member.of))

    @field("Who was asked in and has not come yet.", needs=Scope.MEMBERS_READ)
    async def invitations(self, info: Info, first: First = 50, after: After = None) -> Connection[Invitation]:
        cut = Cut(info.context, "invitations", first, after)
        behind = InvitationId(UUID(cut.position)) if cut.position else None
        rows = await info.context.usecases.members.invitations(info.context.actor, first=first + 1, after=behind)
        return Connection(page=cut.of_rows(rows, lambda row: str(row.id), Invitation.of))

    @field("What each role may do.", needs=Scope.TENANT_READ)
    def roles(self, info: Info) -> list[RoleScopes]:
        info.context.actor.require(Scope.TENANT_READ)
        return [RoleScopes(role=role, scopes=sorted(role.scopes)) for role in Role]


@strawberry.type
class MemberMutations:
    @mutation("Ask somebody in. You need every scope of the role.", needs=Scope.MEMBERS_WRITE)
    async def invite_member(self, info: Info, given: Input[InviteMemberInput]) -> InviteMemberResult:
        invited = await info.context.usecases.members.invite(info.context.actor, given.email, given.role)
        return InviteMemberPayload(invitation=Invitation.of(invited.invitation), link=invited.link.reveal())

    @mutation("Take an invitation back.", needs=Scope.MEMBERS_WRITE)
    async def withdraw_invitation(self, info: Info, given: Input[WithdrawInvitationInput]) -> WithdrawInvitationResult:
        invitation_id = InvitationId(known_uuid(given.id, "Invitation"))
        await info.context.usecases.members.withdraw(info.context.actor, invitation_id)
        return WithdrawInvitationPayload(id=node_id("Invitation", invitation_id))

    @mutation("Give a member another role. You need every scope of both roles.", needs=Scope.MEMBERS_WRITE)
    async def change_member_role(self, info: Info, given: Input[ChangeMemberRoleInput]) -> ChangeMemberRoleResult:
        change = info.context.usecases.members.change_role
        return ChangeMemberRolePayload(
            member=Member.of(await change(info.context.actor, known_member(given.id), given.role))
        )

    @mutation("Remove a member. You need every scope of its role.", needs=Scope.MEMBERS_WRITE)
    async def remove_member(self, info: Info, given: Input[RemoveMemberInput]) -> RemoveMemberResult:
        gone = await info.context.usecases.members.remove(info.context.actor, known_member(given.id))
        return RemoveMemberPayload(member=Member.of(gone))

    @mutation("Make another member the owner in your place.", needs=Scope.TENANT_OWN)
    async def transfer_ownership(self, info: Info, given: Input[TransferOwnershipInput]) -> TransferOwnershipResult:
        owner = await info.context.usecases.members.transfer(info.context.actor, known_member(given.to))
        return TransferOwnershipPayload(member=Member.of(owner))

    @mutation("Leave the tenant, as the person that the token acts for.", needs=Scope.TENANT_LEAVE)
    async def leave_tenant(self, info: Info, given: Input[LeaveTenantInput]) -> LeaveTenantResult:
        tenant_id = TenantId(known_uuid(given.tenant_id, "Tenant"))
        gone = await info.context.usecases.members.leave(info.context.actor, tenant_id)
        return LeaveTenantPayload(member=Member.of(gone))


def known_member(node: str) -> PersonId:
    """NotFound("member") for what is no member's global id."""
    return PersonId(known_uuid(node, "Member"))
