"""A schema is not built while a field does not say who may ask for it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import strawberry

from api.graphql.context import Info
from api.graphql.fields import field, mutation, subscription
from api.graphql.scopes import UndeclaredScope, check_declared, scope_of
from domain.model.access import Scope


@strawberry.type
class Room:
    """What is read of the room itself needs no more than the way to it."""

    name: str

    @field("In capitals.")
    def loud(self) -> str:
        return self.name.upper()


@strawberry.type
class Query:
    @field("The room.", needs=Scope.TENANT_READ)
    def room(self) -> Room:
        return Room(name="hall")

    @field("Who is there.", authenticated=True)
    def anyone(self) -> bool:
        return True


@strawberry.type
class Mutation:
    @mutation("Close the door.", needs=Scope.TENANTS_CLOSE)
    async def close(self) -> bool:
        return True


@strawberry.type
class Subscription:
    @subscription("Steps in the room.", needs=Scope.USAGE_READ)
    async def steps(self) -> AsyncIterator[int]:
        yield 1


@strawberry.type
class OpenQuery(Query):
    @field("What is behind the door.")
    def cellar(self) -> Room:
        return Room(name="cellar")


@strawberry.type
class OpenMutation(Mutation):
    @strawberry.mutation
    def burn(self) -> bool:
        return True


@strawberry.type
class OpenSubscription(Subscription):
    @strawberry.subscription
    async def knocks(self) -> AsyncIterator[int]:
        yield 1


@strawberry.type
class WaitingRoom:
    @field("Who waits.")
    async def guests(self) -> int:
        return 1


@strawberry.type
class TakingRoom:
    @field("Whose it is.")
    def owner(self, info: Info) -> str:
        return str(info.context.actor.tenant_id)


@strawberry.type
class WaitingQuery(Query):
    @field("Another.", needs=Scope.TENANT_READ)
    def waiting(self) -> WaitingRoom:
        return WaitingRoom()


@strawberry.type
class TakingQuery(Query):
    @field("Another.", needs=Scope.TENANT_READ)
    def taking(self) -> TakingRoom:
        return TakingRoom()


def built(**roots: Any) -> strawberry.Schema:
    return strawberry.Schema(**{"query": Query, "mutation": Mutation, "subscription": Subscription, **roots})


def test_a_schema_whose_fields_are_declared_is_built() -> None:
    schema = built()._schema
    check_declared(schema)
    assert schema.query_type is not None
    assert scope_of(schema.query_type.fields["room"]) is Scope.TENANT_READ
    assert scope_of(schema.query_type.fields["anyone"]) is None


@pytest.mark.parametrize(
    ("roots", "undeclared"),
    [
        ({"query": OpenQuery}, "OpenQuery.cellar"),
        ({"mutation": OpenMutation}, "OpenMutation.burn"),
        ({"subscription": OpenSubscription}, "OpenSubscription.knocks"),
        ({"query": WaitingQuery}, "WaitingRoom.guests"),
        ({"query": TakingQuery}, "TakingRoom.owner"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_without_a_declaration_is_named(roots: dict[str, type], undeclared: str) -> None:
    with pytest.raises(UndeclaredScope) as refusal:
        check_declared(built(**roots)._schema)
    assert str(refusal.value).endswith(f"who may ask for {undeclared}")
