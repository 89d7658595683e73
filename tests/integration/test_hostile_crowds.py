"""Answers within the bounds of bytes that are made of so many parts that reading them would hold up all other calls."""

from collections.abc import AsyncIterator

import pytest

from domain.errors import BadRequestUpstream
from infrastructure.providers.gateway import Limits
from tests.gateways import IMPATIENT
from tests.hostilities import Scene, scene
from tests.stubs.hostile import whole
from tests.ways import AUDIO, WAYS, Way

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
