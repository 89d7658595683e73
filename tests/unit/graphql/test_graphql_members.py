"""A tenant's people in GraphQL: shown page by page, invited by a link that is shown once, changed and removed."""

from dataclasses import replace
from typing import Any

from api.graphql.ids import node_id
from domain.model.access import IDENTITY_SCOPES, ROLE_SCOPES, Actor, Role, Scope
from domain.model.ids import PersonId
from domain.model.people import Person
from tests.graphql_house import NOW, House, tenant_id
from tests.household import a_person

MEMBERS = """query M($first: Int!, $after: String) { members(first: $first, after: $after) {
  edges { node { id name email role joinedAt } } pageInfo { hasNextPage endCursor } } }"""
INVITATIONS = """query I($first: Int!, $after: String) { invitations(first: $first, after: $after) {
  edges { node { id email role invitedAt expiresAt } } pageInfo { hasNextPage endCursor } } }"""
VIEWER = "{ viewer { clientId member { id name role } } }"
ROLES = "{ roles { role scopes } }"
INVITE = """mutation I($input: InviteMemberInput!) { inviteMember(input: $input) { __typename
  ... on InviteMemberPayload { link invitation { id email role } } ... on Problem { code message } } }"""
WITHDRAW = """mutation W($input: WithdrawInvitationInput!) { withdrawInvitation(input: $input) { __typename
  ... on WithdrawInvitationPayload { id } ... on Problem { code message } } }"""
CHANGE = """mutation C($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { __typename
  ... on ChangeMemberRolePayload { member { id role } } ... on Problem { code message } } }"""
REMOVE = """mutation R($input: RemoveMemberInput!) { removeMember(input: $input) { __typename
  ... on RemoveMemberPayload { member { id email } } ... on Problem { code message } } }"""
LEAVE = """mutation L($input: LeaveTenantInput!) { leaveTenant(input: $input) { __typename
  ... on LeaveTenantPayload { member { id } } ... on Problem { code message } } }"""
TRANSFER = """mutation T($input: TransferOwnershipInput!) { transferOwnership(input: $input) { __typename
  ... on TransferOwnershipPayload { member { id role } } ... on Problem { code message } } }"""
NODE = "query N($id: ID!) { node(id: $id) { __typename ... on Member { email role } } }"


async def employed(house: House, *roles: Role, tenant: int = 1) -> list[Person]:
    """People in these roles, in the order of their ids."""
    people = [replace(a_person(f"{role} {n}"), email=f"{role}{n}@acme{tenant}.example") for n, role in enumerate(roles)]
    async with house.store.directory() as above:
        for person in people:
            await above.people.add(person)
    async with house.store.begin(tenant_id(tenant)) as work:
        for person, role in zip(people, roles, strict=True):
            await work.members.add(person.id, role, NOW)
    return people


def acting_for(house: House, person_id: PersonId, role: Role) -> Actor:
    return replace(house.actor(*role.scopes), person_id=person_id)


def named(person: Person) -> str:
    return node_id("Member", person.id)


async def walked(house: House, document: str, field: str, first: int) -> list[dict[str, Any]]:
    """The nodes of all pages."""
    nodes: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page: Any = (await house.data(document, None, first=first, after=after))[field]
        assert len(page["edges"]) <= first
        nodes.extend(edge["node"] for edge in page["edges"])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return nodes


async def test_members_are_walked_page_by_page() -> None:
    house = House()
    people = await employed(house, *Role, Role.MEMBER)
    await employed(house, Role.OWNER, tenant=2)
    for first in (1, 2, 5, 9):
        shown = await walked(house, MEMBERS, "members", first)
        assert [(each["id"], each["email"]) for each in shown] == [(named(p), p.email) for p in people]
    assert shown[0] == {
        "id": named(people[0]),
        "name": "owner 0",
        "email": "owner0@acme1.example",
        "role": "OWNER",
        "joinedAt": NOW.isoformat(),
    }


async def test_who_is_behind_the_token_is_shown_and_nobody_where_there_is_nobody() -> None:
    house = House()
    (person,) = await employed(house, Role.AUDITOR)
    seen = (await house.data(VIEWER, acting_for(house, person.id, Role.AUDITOR)))["viewer"]["member"]
    assert seen == {"id": named(person), "name": person.name, "role": "AUDITOR"}
    assert (await house.data(VIEWER))["viewer"]["member"] is None


async def test_the_roles_are_shown_as_they_are() -> None:
    shown = (await House().data(ROLES, None))["roles"]
    assert {each["role"].lower(): set(each["scopes"]) for each in shown} == {
        role.value: ROLE_SCOPES[role] | IDENTITY_SCOPES for role in Role
    }


async def test_a_member_is_found_by_its_id_in_its_own_tenant_alone() -> None:
    house = House()
    (person,) = await employed(house, Role.MEMBER)
    found = (await house.data(NODE, None, id=named(person)))["node"]
    assert found == {"__typename": "Member", "email": person.email, "role": "MEMBER"}
    assert (await house.data(NODE, house.actor(tenant=2), id=named(person)))["node"] is None


async def test_the_link_of_an_invitation_is_shown_once_and_never_again() -> None:
    house = House()
    given = {"email": "New@Example.org", "role": "MEMBER"}
    invited = (await house.data(INVITE, None, input=given))["inviteMember"]
    start, _, token = invited["link"].partition("?token=")
    assert (start, token[:7]) == ("https://portunus.example/invitation", "ptn_in_")
    assert invited["invitation"]["email"] == "new@example.org"
    shown = await walked(house, INVITATIONS, "invitations", 1)
    assert [each["id"] for each in shown] == [invited["invitation"]["id"]]
    assert token not in str(shown) + repr(house.store.rows)
    fields = house.schema._schema.type_map["Invitation"].fields  # type: ignore[attr-defined]
    assert set(fields) == {"id", "email", "role", "invitedAt", "expiresAt"}


async def test_invitations_are_walked_page_by_page_and_withdrawn() -> None:
    house = House()
    emails = [f"n{number}@example.org" for number in range(4)]
    for email in emails:
        await house.data(INVITE, None, input={"email": email, "role": "AUDITOR"})
    shown = await walked(house, INVITATIONS, "invitations", 3)
    assert [each["email"] for each in shown] == emails
    first = shown[0]["id"]
    assert (await house.data(WITHDRAW, None, input={"id": first}))["withdrawInvitation"]["id"] == first
    again = (await house.data(WITHDRAW, None, input={"id": first}))["withdrawInvitation"]
    assert again["code"] == "NOT_FOUND"
    assert len(await walked(house, INVITATIONS, "invitations", 9)) == 3


async def test_an_admin_changes_members_and_is_refused_at_owners() -> None:
    house = House()
    owner, admin, member = await employed(house, Role.OWNER, Role.ADMIN, Role.MEMBER)
    actor = acting_for(house, admin.id, Role.ADMIN)
    changed = await house.data(CHANGE, actor, input={"id": named(member), "role": "AUDITOR"})
    assert changed["changeMemberRole"]["member"] == {"id": named(member), "role": "AUDITOR"}
    for document, given in (
        (CHANGE, {"id": named(owner), "role": "MEMBER"}),
        (CHANGE, {"id": named(member), "role": "OWNER"}),
        (REMOVE, {"id": named(owner)}),
        (INVITE, {"email": "a@example.org", "role": "OWNER"}),
    ):
        result = await house.run(document, actor, input=given)
        assert [error.extensions for error in result.errors or ()] == [
            {"code": "FORBIDDEN", "needs": Scope.TENANT_OWN.value}
        ]
    gone = (await house.data(REMOVE, actor, input={"id": named(member)}))["removeMember"]["member"]
    assert gone == {"id": named(member), "email": member.email}


async def test_the_last_owner_stays_until_another_has_the_tenant() -> None:
    house = House()
    owner, heir = await employed(house, Role.OWNER, Role.MEMBER)
    actor, leaving = acting_for(house, owner.id, Role.OWNER), {"tenantId": node_id("Tenant", tenant_id(1))}
    assert (await house.data(LEAVE, actor, input=leaving))["leaveTenant"]["code"] == "LAST_OWNER"
    assert (await house.data(REMOVE, actor, input={"id": named(owner)}))["removeMember"]["code"] == "LAST_OWNER"
    given = (await house.data(TRANSFER, actor, input={"to": named(heir)}))["transferOwnership"]
    assert given["member"] == {"id": named(heir), "role": "OWNER"}
    now_admin = acting_for(house, owner.id, Role.ADMIN)
    assert (await house.data(LEAVE, now_admin, input=leaving))["leaveTenant"]["member"] == {"id": named(owner)}


async def test_an_application_that_acts_for_nobody_cannot_leave() -> None:
    house = House()
    leaving = {"tenantId": node_id("Tenant", tenant_id(1))}
    assert (await house.data(LEAVE, None, input=leaving))["leaveTenant"]["code"] == "NEEDS_PERSON"
