"""Answers within the bounds of bytes that are made of so many parts that reading them would hold up all other calls."""

from collections.abc import AsyncIterator

import pytest

from domain.errors import BadRequestUpstream
from infrastructure.providers.gateway import Limits
from tests.gateways import IMPATIENT
from tests.hostilities import Scene, scene
from tests.stubs.hostile import whole
from tests.ways import AUDIO, TORN, WAYS, Way, j, sse

CROWD = b"[" + b"[]," * 250_000 + b"0]"
AT_LEAST = Limits(patience=IMPATIENT)


@pytest.fixture
async def at() -> AsyncIterator[Scene]:
    async with scene() as here:
        yield here


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_crowd_is_refused(at: Scene, way: Way) -> None:
    """As a whole answer, or in one event of a stream."""
    framed = way.streamed and way.media_type != AUDIO
    habit = whole(way.event(CROWD), way.media_type) if framed else whole(CROWD)
    failure = await at.explained(way, habit, AT_LEAST)
    assert isinstance(failure, BadRequestUpstream)
    assert "too many parts" in failure.detail


async def test_an_answer_that_calls_one_tool_after_the_other_is_refused(at: Scene) -> None:
    calls = [{"id": f"call_{number}", "function": {"name": "a"}} for number in range(1_001)]
    call = {"type": "function_call", "name": "a"}
    opened = {"type": "response.output_item.added", "item": call}
    answers = {
        "openai chat": j({"choices": [{"message": {"tool_calls": calls}}]}),
        f"openai chat of {TORN}": j({"object": "response", "status": "completed", "output": [call] * 1_001}),
        "openai chat stream": sse({"choices": [{"delta": {"tool_calls": calls}}]}),
        f"openai chat stream of {TORN}": b"".join(sse({**opened, "output_index": number}) for number in range(1_001)),
    }
    for way in (way for way in WAYS if str(way) in answers):
        failure = await at.explained(way, whole(answers[str(way)], way.media_type))
        assert isinstance(failure, BadRequestUpstream)
        assert "more than 1000 tools" in failure.detail
