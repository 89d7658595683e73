"""Memory that answers share: large ones leave room for those of other tenants, and what they took is given back."""

from contextlib import ExitStack

import pytest

from domain.model.ids import TenantId
from infrastructure.providers.room import FREE, Hold, Room
from infrastructure.providers.wire import Malformed
from tests.belongings import a_tenant

ACME, ZEN = a_tenant().id, a_tenant().id


def fill(hold: Hold) -> None:
    """As far as there is room."""
    with pytest.raises(Malformed, match="too large beside the others"):
        while True:
            hold.add(FREE)


def test_a_tenant_takes_at_most_half() -> None:
    room = Room(100)
    with room.held(ACME) as one, room.held(ACME) as another:
        one.add(FREE + 30)
        another.add(FREE + 20)
        for hold in (one, another):
            with pytest.raises(Malformed):
                hold.add(1)


def test_however_many_answers_of_a_tenant_are_large_another_tenant_finds_room() -> None:
    room = Room(100 * FREE)
    with ExitStack() as answers:
        for _ in range(300):
            fill(answers.enter_context(room.held(ACME)))
        with room.held(ZEN) as other:
            other.add(25 * FREE)


@pytest.mark.parametrize("tenant", [ACME, ZEN, None])
def test_an_ordinary_answer_needs_no_room(tenant: TenantId | None) -> None:
    room = Room(100 * FREE)
    with ExitStack() as answers:
        for at in range(300):
            fill(answers.enter_context(room.held((ACME, ZEN, None)[at % 3])))
        with room.held(tenant) as small:
            small.add(FREE)


def test_what_was_taken_is_given_back_also_by_one_that_found_no_room() -> None:
    room = Room(100)
    for _ in range(3):
        with pytest.raises(Malformed), room.held(ACME) as hold:
            hold.add(FREE + 50)
            hold.add(1)
    with room.held(ZEN) as hold:
        hold.add(FREE + 50)


def test_what_is_over_makes_room_for_what_comes() -> None:
    with Room(100).held(ACME) as hold:
        for _ in range(3):
            hold.add(FREE)
            hold.add(50)
            hold.clear()
