"""Refusals of vendors that are hostile or broken, and redirects: the status suffices, and no key goes elsewhere."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from functools import cache

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from tests.hostilities import DRIP, LIMITS, Ending, Scene, all_end, scene
from tests.stubs import hostile as stub
from tests.stubs.hostile import HTML, WORDS, ZEROS, Habit, hostile, whole
from tests.ways import WAYS, Way

JSON = "application/json"
STATUSES: Mapping[int, type[UpstreamError]] = {
    400: BadRequestUpstream,
    401: CredentialRejected,
    429: UpstreamRateLimited,
    500: UpstreamUnavailable,
    503: UpstreamUnavailable,
    599: UpstreamUnavailable,
}


@pytest.fixture
async def at() -> AsyncIterator[Scene]:
    async with scene() as here:
        yield here


@cache
def refusals(status: int) -> dict[str, Habit]:
    """With words of every kind, and of none."""
    said = {name: whole(body, named, status) for name, (named, body) in WORDS.items()}
    said |= {f"as {named}": whole(b'{"error":{}}', named, status) for named in ("text/html", "audio/mpeg", "\xff")}
    said |= {f"bomb as {e}": stub.packed(ZEROS, JSON, e, status) for e in ("gzip", "deflate", "br, gzip")}
    return said | {
        "words without end": stub.endless(b"no ", "text/plain", status),
        "JSON without end": stub.endless(b"[", JSON, status),
        "a page without end": stub.endless(HTML, "text/html", status),
        "zeros without end": stub.endless(b"\0", "audio/mpeg", status),
        "cut": stub.cut(b'{"error":', JSON, status),
        "too long a length": lambda: [stub.head(status, JSON, "content-length: 99999999") + b"{}", stub.HANG_UP],
    }


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_refusal_is_told_by_its_status_whatever_stands_in_it(at: Scene, way: Way) -> None:
    """Each kind of words with one status; with which, goes round from way to way."""
    turn = itertools.islice(itertools.cycle(STATUSES), WAYS.index(way), None)
    rounds = {name: status for status, name in zip(turn, refusals(400), strict=False)}
    habits = {name: refusals(status)[name] for name, status in rounds.items()}
    assert await at.endings(way, habits) == {name: STATUSES[status] for name, status in rounds.items()}


async def test_a_refusal_whose_words_drip_is_told_by_its_status(at: Scene) -> None:
    """It ends long before the time of the call is over, and a hold is not charged for it."""
    await asyncio.gather(*(drips(at, way) for way in WAYS))


async def drips(at: Scene, way: Way) -> None:
    habits = {f"{status} words": stub.dripping(b"no ", JSON, status) for status in STATUSES}
    habits |= {f"{status} no words": silent(status) for status in STATUSES}
    expected: dict[str, Ending] = {name: STATUSES[int(name[:3])] for name in habits}
    assert await at.endings(way, habits, LIMITS, DRIP) == expected


def silent(status: int) -> Habit:
    return lambda: [stub.head(status, JSON, "content-length: 9")]


WAITS = ["-1", "1e300", "9" * 400, "nan", "inf", "soon", "\xff", "Mon, 23 Nov 99999999999999999999 12:00:00 GMT", "1;2"]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_wait_of_no_use_is_none(at: Scene, way: Way) -> None:
    odd = {f"{name}: {wait}": waiting(name, wait) for name in ("retry-after", "retry-after-ms") for wait in WAITS}
    assert await at.endings(way, odd) == all_end(odd, UpstreamRateLimited)


def waiting(header: str, wait: str) -> Habit:
    return whole(b'{"error":{"message":"slow down"}}', JSON, 429, f"{header}: {wait}")


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_redirect_is_followed_nowhere(at: Scene, way: Way) -> None:
    """Neither back to itself nor elsewhere, with or without the key; and once is enough to know."""
    async with hostile(whole(way.whole(1), way.media_type)) as (elsewhere, address):
        places = [f"{address}/v1", "/", "", "//127.0.0.1", "http://localhost", "file:///etc/passwd", "a" * 4000, "\xff"]
        turn = itertools.islice(itertools.cycle(places), WAYS.index(way), None)
        habits = {
            f"{status} {place}": whole(way.whole(1), way.media_type, status, f"location: {place}")
            for status, place in zip((300, 301, 302, 303, 304, 305, 307, 308, 399), turn, strict=False)
        }
        assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)
        assert elsewhere.heads == []
        loops = whole(b"", JSON, 307, "location: /again")
        async with hostile(loops) as (itself, url):
            assert isinstance(await at.failure(way, url), BadRequestUpstream)
        assert len(itself.heads) == 1
