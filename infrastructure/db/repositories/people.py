"""A tenant's people: members, and those who are invited."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, select, update

from domain.errors import NotFound
from domain.model.access import Role
from domain.model.ids import InvitationId, PersonId, TenantId
from domain.model.people import Invitation, Member, Person
from infrastructure.db.access_tables import invitations, members, people
from infrastructure.db.fence import Rows
from infrastructure.db.tables import tenants


@dataclass(frozen=True, slots=True)
class SqlMembers:
    rows: Rows

    async def add(self, person_id: PersonId, role: Role, at: datetime) -> bool:
        values = {"person_id": person_id, "role": role, "joined_at": at}
        return await self.rows.add_unless(members, ["person_id"], values)

    async def one(self, person_id: PersonId) -> Member:
        rows = await self.rows.all(self._all().where(members.c.person_id == person_id))
        if not rows:
            raise NotFound("member")
        return member_of(rows[0])

    async def some(self, person_ids: Collection[PersonId]) -> Sequence[Member]:
        return [member_of(row) for row in await self.rows.all(self._all().where(members.c.person_id.in_(person_ids)))]

    async def page(self, *, first: int, after: PersonId | None = None) -> Sequence[Member]:
        query = self._all().order_by(members.c.person_id).limit(first)
        if after is not None:
            query = query.where(members.c.person_id > after)
        return [member_of(row) for row in await self.rows.all(query)]

    async def put(self, person_id: PersonId, role: Role) -> None:
        change = update(members).where(self.rows.mine(members), members.c.person_id == person_id)
        if not (await self.rows.connection.execute(change.values(role=role))).rowcount:
            raise NotFound("member")

    async def remove(self, person_id: PersonId) -> None:
        if not await self.rows.remove(members, person_id=person_id):
            raise NotFound("member")

    async def lock_owners(self) -> Sequence[PersonId]:
        # The tenant's row is the lock, and the owners are read behind it: a statement that had to wait for rows of
        # owners would not see whom another transaction has made one meanwhile.
        one_by_one = select(tenants.c.tenant_id).where(self.rows.mine(tenants)).with_for_update(key_share=True)
        await self.rows.all(one_by_one)
        query = select(members.c.person_id).where(self.rows.mine(members), members.c.role == Role.OWNER)
        return [PersonId(row.person_id) for row in await self.rows.all(query.order_by("person_id"))]

    def _all(self) -> Select[Any]:
        joined = members.join(people, people.c.id == members.c.person_id)
        columns = members.c.tenant_id, members.c.role, members.c.joined_at, people
        return select(*columns).select_from(joined).where(self.rows.mine(members))


@dataclass(frozen=True, slots=True)
class SqlInvitations:
    rows: Rows

    async def add(self, invitation: Invitation) -> None:
        await self.rows.add(
            invitations,
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            digest=invitation.digest,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            invited_by=invitation.invited_by,
        )

    async def one(self, digest: bytes) -> Invitation:
        return _invitation(await self.rows.one(invitations, "invitation", digest=digest))

    async def page(self, *, first: int, after: InvitationId | None = None) -> Sequence[Invitation]:
        query = select(invitations).where(self.rows.mine(invitations)).order_by(invitations.c.id).limit(first)
        if after is not None:
            query = query.where(invitations.c.id > after)
        return [_invitation(row) for row in await self.rows.all(query)]

    async def take(self, digest: bytes) -> Invitation:
        taken = delete(invitations).where(self.rows.mine(invitations), invitations.c.digest == digest)
        row = (await self.rows.connection.execute(taken.returning(invitations))).first()
        if row is None:
            raise NotFound("invitation")
        return _invitation(row)

    async def remove(self, invitation_id: InvitationId) -> None:
        if not await self.rows.remove(invitations, id=invitation_id):
            raise NotFound("invitation")

    async def remove_by(self, inviter: PersonId, roles: Collection[Role]) -> int:
        his = delete(invitations).where(self.rows.mine(invitations), invitations.c.invited_by == inviter)
        return (await self.rows.connection.execute(his.where(invitations.c.role.in_(roles)))).rowcount


def person_of(row: Row[Any]) -> Person:
    return Person(PersonId(row.id), row.email, row.name, row.created_at)


def member_of(row: Row[Any]) -> Member:
    """Of a row that has the columns of both tables."""
    return Member(TenantId(row.tenant_id), person_of(row), Role(row.role), row.joined_at)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        TenantId(row.tenant_id),
        InvitationId(row.id),
        row.email,
        Role(row.role),
        row.digest,
        row.created_at,
        row.expires_at,
        PersonId(row.invited_by) if row.invited_by else None,
    )
