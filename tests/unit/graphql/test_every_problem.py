"""Every problem of every result union comes about, and whatever goes wrong that has a type is in the union."""

from dataclasses import replace

import pytest

from api.graphql.problems import SHOWN
from domain import errors
from tests.graphql_calls import CALLS, answers, shown
from tests.graphql_documents import FIELDS
from tests.graphql_goods import settled, willing_house
from tests.graphql_house import House
from tests.unit.graphql.problem_cases import Case, calls, cases
from tests.unit.graphql.states import STATES, State
from tests.willing import WillingGateway

CASES = cases()
UNIONS = {(name, problem) for name, field in FIELDS.items() for problem in field.problems}
CHANGING = [name for name, field in FIELDS.items() if field.kind != "query" or field.problems]
UPSTREAM = [refusal for refusal in SHOWN if issubclass(refusal, errors.UpstreamError)]


def test_every_problem_of_every_union_has_a_case() -> None:
    missing, without_union = UNIONS - CASES.keys(), CASES.keys() - UNIONS
    assert not missing, "say in problem_cases.py how these come about, or take them out of their unions"
    assert not without_union, "these are in no union"


@pytest.mark.parametrize(("operation", "problem"), sorted(CASES.keys() & UNIONS))
async def test_a_problem_comes_about(operation: str, problem: str) -> None:
    case = CASES[operation, problem]
    house = house_for(case)
    owner = await settled(house, "mark")
    await case.state(house, owner)
    asking = replace(owner.actor(), reach=case.reach)
    actor = replace(asking, person_id=None) if case.alone else asking
    *_, last = await answers(house, operation, actor, case.call(owner.words))
    assert last["errors"] == []
    found = shown(last, operation)
    assert (found["__typename"], bool(found["code"]), bool(found["message"])) == (problem, True, True)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("operation", FIELDS)
async def test_in_whatever_state_a_tenant_is_a_refusal_is_data(operation: str, state: State) -> None:
    for call in calls(operation):
        house = willing_house()
        owner = await settled(house, "mark")
        await state(house, owner)
        for answer in await answers(house, operation, owner.actor(), call(owner.words)):
            assert answer["errors"] == []


@pytest.mark.parametrize("refusal", UPSTREAM, ids=lambda refusal: refusal.__name__)
@pytest.mark.parametrize("operation", CHANGING)
async def test_whatever_a_vendor_refuses_is_data(operation: str, refusal: type[errors.UpstreamError]) -> None:
    house = willing_house(WillingGateway(refusal("acme", 400)))
    owner = await settled(house, "mark")
    for answer in await answers(house, operation, owner.actor(), CALLS[operation](owner.words)):
        assert answer["errors"] == []


def house_for(case: Case) -> House:
    return House(WillingGateway(*([case.refusal] if case.refusal else [])), case.catalogue)
