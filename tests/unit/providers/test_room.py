"""Memory that answers share: large ones leave room for others, and what they took is given back."""

from contextlib import ExitStack

import pytest

from infrastructure.providers.room import Room
from infrastructure.providers.wire import Malformed


def test_one_answer_takes_at_most_half() -> None:
    with Room(100).held() as take:
        take(30)
        take(20)
        with pytest.raises(Malformed):
            take(1)


def test_however_many_are_large_another_one_finds_room() -> None:
    room = Room(1_000)
    with ExitStack() as answers:
        for _ in range(9):
            take = answers.enter_context(room.held())
            with pytest.raises(Malformed):
                while True:
                    take(1)
        with room.held() as small:
            small(1)


def test_what_was_taken_is_given_back_also_by_one_that_found_no_room() -> None:
    room = Room(100)
    for _ in range(3):
        with pytest.raises(Malformed), room.held() as take:
            take(50)
            take(1)
    with room.held() as take:
        take(50)
