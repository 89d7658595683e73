"""Detached work: it outlives its caller, and a shutdown waits for it."""

import asyncio
from collections.abc import Awaitable

import pytest
from structlog.testing import capture_logs

from infrastructure.background import Detached


async def waiting_for(gate: asyncio.Event, done: list[str]) -> str:
    await gate.wait()
    done.append("done")
    return "answer"


async def failing() -> str:
    await asyncio.sleep(0)
    raise ValueError("sk-secret")


async def awaiting(work: Awaitable[str]) -> str:
    return await work


async def test_the_caller_gets_what_the_work_returns() -> None:
    gate, detached = asyncio.Event(), Detached()
    gate.set()
    assert await detached(waiting_for(gate, [])) == "answer"


async def test_the_caller_gets_what_the_work_raises_and_nothing_is_logged() -> None:
    with capture_logs() as logs, pytest.raises(ValueError, match="sk-secret"):
        await Detached()(failing())
    assert logs == []


async def test_work_goes_on_when_its_caller_is_cancelled() -> None:
    gate, detached, done = asyncio.Event(), Detached(), list[str]()
    caller = asyncio.create_task(awaiting(detached(waiting_for(gate, done))))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await detached.drain(5)
    assert done == ["done"]


async def test_a_failure_that_nobody_awaits_is_logged_by_its_type_alone() -> None:
    detached = Detached()
    with capture_logs() as logs:
        detached(failing())
        await detached.drain(5)
    assert [log["failure"] for log in logs] == ["ValueError"]
    assert "sk-secret" not in str(logs)


async def test_a_failure_whose_caller_was_cancelled_is_logged() -> None:
    detached = Detached()
    caller = asyncio.create_task(awaiting(detached(failing())))
    with capture_logs() as logs:
        await asyncio.sleep(0)
        caller.cancel()
        await detached.drain(5)
    assert [log["failure"] for log in logs] == ["ValueError"]


async def test_draining_waits_for_work_that_begins_meanwhile() -> None:
    gate, detached, done = asyncio.Event(), Detached(), list[str]()
    gate.set()

    async def first() -> None:
        await asyncio.sleep(0)
        detached(waiting_for(gate, done))

    detached(first())
    await detached.drain(5)
    assert done == ["done"]


async def test_draining_cancels_what_outlasts_its_grace_and_lets_it_clean_up() -> None:
    detached, cleaned = Detached(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    detached(stubborn())
    with capture_logs() as logs:
        await detached.drain(0.01)
    assert cleaned.is_set()
    assert [log["tasks"] for log in logs] == [1]


async def test_draining_with_nothing_to_do_returns() -> None:
    await Detached().drain(0)
