"""How people are named where something is theirs."""

from typing import Self

import strawberry

from api.graphql.ids import node_id
from domain.model.people import Member


@strawberry.type(description="Names a member of the tenant.")
class MemberName:
    id: strawberry.ID = strawberry.field(description="The member's global id.")
    name: str = strawberry.field(description="What the person is called.")
    email: str = strawberry.field(description="The person's e-mail address.")

    @classmethod
    def of(cls, member: Member) -> Self:
        person = member.person
        return cls(id=node_id("Member", person.id), name=person.name, email=person.email)
