"""A matrix of all roles and all operations: what the page of roles says is admitted, and nothing else."""

import copy

import pytest

from domain.model.access import Role, Scope
from tests import roles
from tests.graphql_calls import answers, call_of, shown
from tests.graphql_documents import FIELDS
from tests.graphql_goods import Goods, settled, willing_house
from tests.graphql_house import NOW, House

BARE = "{ __typename }"
ALLOWED = roles.allowed()
MATRIX = [pytest.param(name, role, id=f"{role} {name}") for name, role in ALLOWED]


async def employed(role: Role) -> tuple[House, Goods]:
    """The client acts for a person in this role, beside an owner and a member."""
    house = willing_house()
    goods = await settled(house, "mark")
    members = house.store.rows[goods.tenant_id].members
    (colleague,) = members.keys() - {goods.person_id}
    members[goods.person_id], members[colleague] = (role, NOW), (Role.MEMBER, NOW)
    return house, goods


def test_the_page_of_roles_is_what_the_schema_and_the_roles_say() -> None:
    assert roles.PAGE.read_text() == roles.page(), "python -m tests.roles > tests/data/roles.md"


@pytest.mark.parametrize(("name", "role"), MATRIX)
async def test_a_role_is_admitted_where_the_page_says_so_and_nowhere_else(name: str, role: Role) -> None:
    house, goods = await employed(role)
    before = copy.deepcopy(house.store.rows)
    (answer, *_) = await answers(house, name, goods.actor(*role.scopes), call_of(FIELDS[name])(goods.words), BARE)
    if ALLOWED[name, role]:
        assert answer["errors"] == []
    else:
        assert [error["extensions"] for error in answer["errors"]] == [
            {"code": "FORBIDDEN", "needs": FIELDS[name].needs}
        ]
        assert shown(answer, name) is None
        assert (house.store.rows, house.gateway.asked) == (before, [])


def test_what_is_the_operators_is_no_roles() -> None:
    operators = {
        name for name, field in FIELDS.items() if field.needs in ("tenants:open", "tenants:close", "quotas:grant")
    }
    assert operators
    assert not [name for name, _ in ALLOWED if name in operators and any(ALLOWED[name, role] for role in Role)]


def test_nobody_but_an_owner_gives_the_tenant_away_and_everybody_may_leave() -> None:
    assert [role for role in Role if Scope.TENANT_OWN in role.scopes] == [Role.OWNER]
    assert [role for role in Role if ALLOWED["leaveTenant", role]] == list(Role)
