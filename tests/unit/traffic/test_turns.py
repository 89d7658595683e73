"""Places are given in turn: to tenants, to a tenant's clients, and then to who came first."""

import asyncio
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.traffic.lines import Lines
from api.traffic.refusals import Throttled
from api.traffic.turns import Turn, Turns
from domain.model.access import Actor
from tests.unit.traffic.test_buckets import actor

A, B, C = (actor(tenant, 1) for tenant in (1, 2, 3))


class Floor:
    """Everybody who asks for a turn; `served` are those who have got one, in order."""

    def __init__(self, *, places: int, waiting: int = 1_000) -> None:
        self.turns = Turns(places=places, waiting=waiting, seconds=60)
        self.served: list[str] = []
        self.refused: list[str] = []
        self._held: dict[str, Turn] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, who: Actor, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._serve(who, name))
        await settle()

    async def end(self, name: str) -> None:
        self._held.pop(name).leave()
        await settle()

    async def _serve(self, who: Actor, name: str) -> None:
        try:
            self._held[name] = await self.turns.take(who)
        except Throttled:
            self.refused.append(name)
        else:
            self.served.append(name)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def names(letter: str, count: int) -> list[str]:
    return [f"{letter}{n}" for n in range(count)]


async def test_one_request_is_served_next_however_many_another_tenant_has_queued() -> None:
    floor = Floor(places=1)
    await floor.come(A, *names("a", 200))
    await floor.come(B, "b")
    assert floor.served == ["a0"]
    await floor.end("a0")
    assert floor.served == ["a0", "b"]
    await floor.end("b")
    assert floor.served == ["a0", "b", "a1"]


async def test_a_tenant_with_many_leaves_a_place_for_whoever_comes() -> None:
    floor = Floor(places=8)
    await floor.come(A, *names("a", 200))
    assert floor.served == names("a", 4)
    await floor.come(B, "b")
    await floor.come(C, "c")
    assert floor.served == [*names("a", 4), "b", "c"]


async def test_tenants_take_turns_then_clients_then_who_came_first() -> None:
    floor = Floor(places=1)
    await floor.come(actor(9, 1), "busy")
    await floor.come(actor(1, 1), "a1 first", "a1 second", "a1 third")
    await floor.come(actor(1, 2), "a2 first")
    await floor.come(B, "b first", "b second")
    order = ["busy", "a1 first", "b first", "a2 first", "b second", "a1 second", "a1 third"]
    for name in order:
        assert floor.served[-1] == name
        await floor.end(name)
    assert floor.served == order


async def test_a_turn_that_is_left_twice_is_one_place() -> None:
    floor = Floor(places=1)
    await floor.come(A, "a")
    turn = floor._held["a"]
    turn.leave()
    turn.leave()
    await floor.come(B, "b")
    await floor.come(C, "c")
    assert floor.served == ["a", "b"]


async def test_who_gives_up_waiting_is_not_called() -> None:
    floor = Floor(places=1)
    await floor.come(A, "a")
    await floor.come(B, "b", "late")
    await floor.come(C, "c")
    floor.tasks["b"].cancel()
    await settle()
    await floor.end("a")
    assert floor.served == ["a", "late"]
    await floor.end("late")
    assert floor.served == ["a", "late", "c"]


async def test_who_gives_up_at_the_very_moment_of_being_called_hands_the_place_on() -> None:
    floor = Floor(places=1)
    await floor.come(A, "a")
    await floor.come(B, "b")
    await floor.come(C, "c")
    floor._held.pop("a").leave()
    floor.tasks["b"].cancel()
    await settle()
    assert floor.served == ["a", "c"]


async def test_who_gave_up_just_before_is_passed_over() -> None:
    floor = Floor(places=1)
    await floor.come(A, "a")
    await floor.come(B, "b")
    await floor.come(C, "c")
    floor.tasks["b"].cancel()
    floor._held.pop("a").leave()
    await settle()
    assert floor.served == ["a", "c"]


async def test_where_no_more_may_wait_the_last_of_the_longest_line_goes() -> None:
    floor = Floor(places=1, waiting=3)
    await floor.come(A, *names("a", 5))
    assert floor.refused == ["a4"]
    await floor.come(B, "b0")
    assert floor.refused == ["a4", "a3"]
    await floor.come(C, "c0", "c1")
    assert sorted(floor.refused) == ["a2", "a3", "a4", "c1"]
    for _ in range(4):
        await floor.end(floor.served[-1])
    assert floor.served == ["a0", "b0", "c0", "a1"]


async def test_who_waits_too_long_is_refused() -> None:
    turns = Turns(places=1, waiting=9, seconds=0)
    await turns.take(A)
    with pytest.raises(Throttled):
        await turns.take(B)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=60), st.integers(1, 20))
@settings(deadline=None)
def test_every_line_empties_and_no_tenant_is_called_twice_while_another_waits(
    arrivals: list[tuple[int, int]], room: int
) -> None:
    lines = Lines[int](room)
    waiting: dict[int, int] = {}
    for number, (tenant, client) in enumerate(arrivals):
        gone = lines.join(actor(tenant, client), number)
        waiting[number] = tenant
        if gone is not None:
            del waiting[gone]
    assert len(lines) == len(waiting) <= room
    called = list(drained(lines))
    assert sorted(called) == sorted(waiting)
    for round_begins in range(len(called)):
        rest = [waiting[number] for number in called[round_begins:]]
        tenants = len(set(rest))
        assert max(Counter(rest[:tenants]).values(), default=1) == 1


def drained(lines: Lines[int]) -> Iterable[int]:
    while found := lines.call(lambda _: True):
        yield found[1]
