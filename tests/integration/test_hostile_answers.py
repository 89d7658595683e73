"""Answers of vendors that are hostile or broken, at every operation and in every framing: each failure is typed, and
within bounds of bytes and time; the connection is closed, and no task is left.
"""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, StreamBroken, UpstreamTimeout, UpstreamUnavailable
from tests.hostilities import DRIP, HURRIED, Scene, all_end, scene
from tests.stubs import hostile as stub
from tests.stubs.hostile import NO_HTTP, NO_JSON, OTHER_TYPES, SLOW, ZEROS, Habit, whole
from tests.ways import WAYS, Way, j

JSON = "application/json"
JSON_WAYS = [way for way in WAYS if not way.streamed]
SHAPED = [way for way in JSON_WAYS if way.operation != "probe"]
ODD: list[Any] = [None, 0, "x", [], {}, [[[]]], {"": None}]
COUNTED = [way for way in WAYS if way.operation not in ("speak", "probe", "probe of a voice", "models")]


@pytest.fixture
async def at() -> AsyncIterator[Scene]:
    async with scene() as here:
        yield here


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_what_is_no_http(at: Scene, way: Way) -> None:
    assert await at.endings(way, NO_HTTP) == all_end(NO_HTTP, BadRequestUpstream)
    gone: dict[str, Habit] = {"hangs up": lambda: [stub.HANG_UP], "half a head": lambda: [b"HTTP/1.1 2", stub.HANG_UP]}
    assert await at.endings(way, gone) == all_end(gone, UpstreamUnavailable)


async def test_what_does_not_come_in_time(at: Scene) -> None:
    """A byte now and then keeps no call alive for longer than it may last."""
    await asyncio.gather(*(out_of_time(at, way) for way in WAYS))


async def out_of_time(at: Scene, way: Way) -> None:
    body = way.piece("drop") if way.piece else way.whole(1)[:-1] + b" " * 2**16
    assert await at.endings(way, SLOW, HURRIED, DRIP) == all_end(SLOW, UpstreamTimeout)
    if way.operation == "probe of a voice":  # its first byte suffices
        return
    slow = {"a body that drips": stub.dripping(body, way.media_type)}
    assert await at.endings(way, slow, HURRIED, DRIP) == all_end(slow, UpstreamTimeout)
    idle = {"signs of life": stub.endless(way.idle, way.media_type)} if way.streamed else {}
    assert await at.endings(way, idle, replace(HURRIED, stream=2**40), DRIP) == all_end(idle, UpstreamTimeout)


@pytest.mark.parametrize("way", JSON_WAYS, ids=str)
async def test_what_is_no_json(at: Scene, way: Way) -> None:
    good = way.whole(1)
    habits = {name: whole(body) for name, body in NO_JSON.items()}
    habits |= {f"{name}, named so": whole(body, kind) for name, (kind, body) in OTHER_TYPES.items()}
    habits |= {f"bomb as {e}": stub.packed(ZEROS, JSON, e) for e in ("gzip", "deflate", "identity, gzip")}
    habits |= {
        "no content": lambda: [stub.head(204)],
        "a string without end": stub.endless(b"a", JSON, first=b'"'),
        "a list without end": stub.endless(b"{},", JSON, first=b"["),
        "blanks without end": stub.endless(b" ", JSON),
        "too short a length": lambda: [stub.head(200, JSON, f"content-length: {len(good) - 1}") + good],
        "a page of JSON": whole(good, "text/html"),
    }
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)
    broken: dict[str, Habit] = {
        "too long a length": lambda: [stub.head(200, JSON, f"content-length: {len(good) + 1}") + good, stub.HANG_UP],
        "cut": stub.cut(good, JSON),
    }
    assert await at.endings(way, broken) == all_end(broken, StreamBroken)
    said = stub.head(200, JSON, "transfer-encoding: chunked") + b"zz\r\n" + good
    assert await at.ending(way, lambda: [said]) in (BadRequestUpstream, StreamBroken)


@pytest.mark.parametrize("way", SHAPED, ids=str)
async def test_json_of_another_shape(at: Scene, way: Way) -> None:
    values: list[Any] = [None, True, 0, -1e308, "text", [], [None], {}, {"error": "no"}, {"error": {"code": [{}]}}]
    good = json.loads(way.whole(1))
    values += [dict.fromkeys(good, odd) for odd in ODD if type(odd) not in set(map(type, good.values()))]
    shapes = {json.dumps(value): whole(j(value)) for value in values}
    if way.operation == "models":
        shapes = {text: habit for text, habit in shapes.items() if "[]" not in text and "[null]" not in text}
    assert None not in (await at.endings(way, shapes)).values()


COUNTS: list[Any] = [None, -1, -(2**40), 0.5, "7", True, [7], {"a": 7}, 10**12, 2**53, 2**63, 10**30]


@pytest.mark.parametrize("way", COUNTED, ids=str)
async def test_usage_of_no_use_is_unknown(at: Scene, way: Way) -> None:
    for count in COUNTS:
        used = await at.used(way, whole(way.whole(count), way.media_type))
        assert used is not None
        assert (used.input, used.output, used.cached_input, used.reasoning) == (None,) * 4, count


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


INF, NAN = float("inf"), float("nan")
VECTORS: list[Any] = [
    *(["NaN"], ["Infinity"], [None], [[0.5]], ["x"], [{}], [], None, 5, {}, "", "no base64!", "AAA=", [1e308, 1e308]),
    *(packed(NAN), packed(INF, -INF), packed(INF)),
]
EMBEDDED: dict[str, Callable[[list[Any]], Any]] = {
    "openai": lambda vectors: {"data": [{"embedding": vector} for vector in vectors]},
    "ollama": lambda vectors: {"embeddings": vectors},
    "gemini": lambda vectors: {"embeddings": [{"values": vector} for vector in vectors]},
    "aws_bedrock": lambda vectors: {"embeddings": vectors},
}


@pytest.mark.parametrize("way", [way for way in WAYS if way.operation == "embed"], ids=str)
async def test_vectors_of_no_use(at: Scene, way: Way) -> None:
    written = EMBEDDED[way.provider]
    habits = {f"{vector}": whole(j(written([vector]))) for vector in VECTORS}
    habits |= {f"{count} vectors": whole(j(written([[0.5]] * count))) for count in (0, 2, 1000)}
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)


@pytest.mark.parametrize("way", [way for way in WAYS if way.operation == "rerank"], ids=str)
async def test_ranks_of_no_use(at: Scene, way: Way) -> None:
    good = {"index": 0, "relevance_score": 0.5}
    scores: list[Any] = [None, "0.5", "NaN", True, [1], {}]
    odd: list[Any] = [*({"relevance_score": score} for score in scores), {"index": 0}]
    odd += [{"index": index} for index in (-1, 2, 2**31, 0.0, "1", None, True)] + [None, 5, []]
    rows = [[good, {"index": 1, "relevance_score": 0.5, **o} if isinstance(o, dict) else o] for o in odd]
    rows += [[], [good], [good] * 2, [good] * 1000]
    habits = {json.dumps(results)[:99]: whole(j({"results": results})) for results in rows}
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)


@pytest.mark.parametrize("way", SHAPED, ids=str)
async def test_what_is_odd_but_good_is_read(at: Scene, way: Way) -> None:
    """Unknown or doubled keys, NUL in a text, bytes that are no text in a header, a type that is none of ours."""
    good = way.whole(1)
    more = good[:-1] + b',"x":"\\u0000","x":' + b"[" * 500 + b"]" * 500 + b"}"
    twice = good[:-1] + b"," + good[1:]
    habits: dict[str, Habit] = {
        "more": whole(more),
        "twice": whole(twice),
        "an odd header": lambda: [stub.head(200, JSON, f"content-length: {len(good)}", "x: \xff\xfe\u00fc") + good],
        "another type": whole(good, "image/png"),
        "no type": lambda: [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(good), good)],
        "hints before": lambda: [b"HTTP/1.1 103 Hints\r\n\r\n" * 3 + whole_bytes(good)],
    }
    assert await at.endings(way, habits) == all_end(habits, None)


def whole_bytes(body: bytes) -> bytes:
    return b"".join(whole(body)())
