"""Streams of vendors that are hostile or broken, of text and of audio, in every framing."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, StreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from tests.hostilities import DRIP, HURRIED, LIMITS, Scene, all_end, scene
from tests.stubs import hostile as stub
from tests.stubs.hostile import HTML, NO_JSON, OTHER_TYPES, PNG, XML, ZEROS, Habit, whole
from tests.ways import AUDIO, AWS, SSE, TORN, WAYS, Way, j

STREAMS = [way for way in WAYS if way.streamed and way.media_type != AUDIO]
CHATS = [way for way in STREAMS if way.operation == "chat stream"]
AMAZON = [way for way in STREAMS if way.media_type == AWS]
VOICES = [way for way in WAYS if way.media_type == AUDIO]
SPEAKING = [way for way in VOICES if way.operation == "speak"]
NO_EVENTS = {name: body for name, body in NO_JSON.items() if name != "nothing" and b"\n" not in body}
BOMBS = ("gzip", "deflate", "identity, gzip")


@pytest.fixture
async def at() -> AsyncIterator[Scene]:
    async with scene() as here:
        yield here


def said(way: Way, text: str) -> bytes:
    assert way.piece
    return way.piece(text)


@pytest.mark.parametrize("way", STREAMS, ids=str)
async def test_a_stream_without_end(at: Scene, way: Way) -> None:
    """Of events large or tiny, of signs of life, of one event: all end at their bounds of bytes."""
    kind = way.media_type
    habits = {
        "events": stub.endless(said(way, "on and on "), kind),
        "tiny events": stub.endless(way.event(b"{}"), kind),
        "empty events": stub.endless(way.event(b""), kind),
        "signs of life": stub.endless(way.idle, kind),
        "one event": stub.endless(b"a", kind, first=said(way, "a")[:-3]),
        "one name": stub.endless(b"a", kind, first=b"event: "),
        "lines of one event": stub.endless(b"data: a\n", kind),
        "bare lines": stub.endless(b"a\n", kind),
        "zeros": stub.endless(b"\0", kind),
        "after the end": stub.endless(way.idle, kind, first=way.whole(1)),
    }
    endings = await at.endings(way, habits)
    assert endings.pop("after the end") in (None, BadRequestUpstream)
    assert endings.pop("tiny events") in (BadRequestUpstream, UpstreamUnavailable)
    assert endings == all_end(endings, BadRequestUpstream)


@pytest.mark.parametrize("way", STREAMS, ids=str)
async def test_a_stream_that_ends_too_soon(at: Scene, way: Way) -> None:
    """Neither what was said, nor that the vendor closed it well, makes it whole."""
    good, kind = way.whole(1), way.media_type
    pieces = {"nothing": b"", "a piece": said(way, "Hi"), "half a piece": said(way, "Hi")[:-9]}
    pieces |= {f"{tenth} tenths": good[: len(good) * tenth // 10] for tenth in range(1, 6)}
    habits = {name: whole(body, kind) for name, body in pieces.items()}
    habits |= {f"{name}, cut": stub.cut(body, kind) for name, body in pieces.items()}
    length = len(good) + 1
    habits["no content"] = lambda: [stub.head(204, kind)]
    for name, ending in (await at.endings(way, habits)).items():
        assert ending in (StreamBroken, BadRequestUpstream), name
    told = await at.ending(way, lambda: [stub.head(200, kind, f"content-length: {length}") + good, stub.HANG_UP])
    assert told in (None, StreamBroken)


@pytest.mark.parametrize("way", STREAMS, ids=str)
async def test_a_stream_of_no_events(at: Scene, way: Way) -> None:
    kind = way.media_type
    events = {name: whole(said(way, "Hi") + way.event(body) + way.whole(1), kind) for name, body in NO_EVENTS.items()}
    assert await at.endings(way, events) == all_end(events, BadRequestUpstream)
    bodies = {name: whole(body, kind) for name, body in {"a page": HTML, "XML": XML, "an image": PNG}.items()}
    bodies |= {f"{name}, named so": whole(body, named) for name, (named, body) in OTHER_TYPES.items()}
    bodies |= {f"bomb as {encoding}": stub.packed(ZEROS, kind, encoding) for encoding in BOMBS}
    bodies |= {"JSON": whole(b'{"a":1}'), "a list": whole(b"[]"), "a text": whole(b"Hello!", "text/plain")}
    assert not {None, UpstreamTimeout} & set((await at.endings(way, bodies)).values())
    page = await at.ending(way, whole(way.whole(1), "text/html"))
    assert page is BadRequestUpstream


@pytest.mark.parametrize("way", STREAMS, ids=str)
async def test_events_of_another_shape(at: Scene, way: Way) -> None:
    """They are passed over or refused; nothing breaks, and the stream counts only with its own end."""
    values: list[Any] = [None, True, 0, -1e308, "text", [], [None], {}, {"type": []}, {"choices": [None]}]
    values += [{"choices": {}}, {"choices": [{"delta": {"tool_calls": [None, {"function": 5, "index": "x"}]}}]}]
    values += [{"delta": 5}, {"delta": {"text": {}}}, {"message": 5}, {"candidates": [{"content": [5]}]}]
    values += [{"usage": 5}, {"usage": {"prompt_tokens": []}}, {"output": {"audio": {"data": 5}}}, {"output": []}]
    before = {json.dumps(value): whole(way.event(j(value)) + way.whole(1), way.media_type) for value in values}
    assert set((await at.endings(way, before)).values()) <= {
        None,
        BadRequestUpstream,
        StreamBroken,
        UpstreamUnavailable,
    }
    alone = {json.dumps(value): whole(way.event(j(value)), way.media_type) for value in values}
    assert not {None, UpstreamTimeout} & set((await at.endings(way, alone)).values())
    errors: list[Any] = ["no", {"message": []}, [1]]
    failed = {json.dumps(v): whole(way.event(j({"error": v})), way.media_type) for v in errors}
    endings = (await at.endings(way, failed)).values()
    assert all(ending and issubclass(ending, UpstreamError) for ending in endings)


ARGUMENTS: dict[str, list[Any]] = {
    "openai chat stream": [
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "[[[["}}]}}]},
    ],
    f"openai chat stream of {TORN}": [
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "function_call", "name": "f"}},
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "[[[["},
    ],
    "anthropic chat stream": [
        {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "a", "name": "f"}},
        {"type": "content_block_delta", "delta": {"partial_json": "[[[["}},
    ],
    "ollama chat stream": [{}, {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"a": "[["}}}]}}],
    "gemini chat stream": [
        {},
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}}]},
    ],
    "aws_bedrock chat stream": [{}, {"delta": {"toolUse": {"input": "[[[["}}}],
}


@pytest.mark.parametrize("way", [way for way in CHATS if str(way) in ARGUMENTS], ids=str)
async def test_arguments_of_a_tool_without_end(at: Scene, way: Way) -> None:
    first, again = (way.event(j(event)) for event in ARGUMENTS[str(way)])
    assert await at.ending(way, stub.endless(again, way.media_type, first=first)) is BadRequestUpstream
    odd = {"function": {"name": ["f"], "arguments": {"a": [[[{}]]]}}, "index": -1, "id": 5}
    whole_calls = way.event(j({"choices": [{"delta": {"tool_calls": [odd] * 50}}]})) + way.whole(1)
    assert await at.ending(way, whole(whole_calls, way.media_type)) in (None, BadRequestUpstream, StreamBroken)


@pytest.mark.parametrize("way", AMAZON, ids=str)
async def test_messages_of_amazon_that_lie(at: Scene, way: Way) -> None:
    good = said(way, "Hi")
    habits = {
        "a wrong sum": whole(good[:-1] + bytes([good[-1] ^ 1]), AWS),
        "a wrong prelude": whole(b"\xff" + good[1:], AWS),
        "no size": whole(bytes(16), AWS),
        "a huge size": stub.endless(b"a", AWS, first=(2**31).to_bytes(4) + bytes(8)),
        "the text of another framing": whole(b"data: {}\n\ndata: [DONE]\n\n", AWS),
    }
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)


@pytest.mark.parametrize("way", SPEAKING, ids=str)
async def test_a_voice_without_end(at: Scene, way: Way) -> None:
    habits = {"a voice": stub.endless(b"la", AUDIO), "silence of zeros": stub.endless(bytes(9), AUDIO)}
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)
    slow = stub.dripping(b"la", AUDIO)
    assert await at.ending(way, slow, replace(HURRIED, stream=LIMITS.stream), DRIP) is UpstreamTimeout
    broken: dict[str, Habit] = {
        "cut": stub.cut(b"la la", AUDIO),
        "too long a length": lambda: [stub.head(200, AUDIO, "content-length: 99") + b"la", stub.HANG_UP],
    }
    assert await at.endings(way, broken) == all_end(broken, StreamBroken)


@pytest.mark.parametrize("way", VOICES, ids=str)
async def test_what_is_no_voice(at: Scene, way: Way) -> None:
    habits = {f"{name}, named so": whole(body, kind) for name, (kind, body) in OTHER_TYPES.items()}
    habits |= {f"bomb as {encoding}": stub.packed(ZEROS, AUDIO, encoding) for encoding in BOMBS}
    habits |= {f"JSON: {name}": whole(body) for name, body in NO_JSON.items()}
    habits |= {
        "nothing": whole(b"", AUDIO),
        "no content": lambda: [stub.head(204, AUDIO)],
        "JSON": whole(b'{"audio":"UklGRg=="}'),
        "JSON without end": stub.endless(b"[", "application/json"),
        "events": whole(b"data: {}\n\n", SSE),
        "text without end": stub.endless(b"la ", "text/plain"),
        "a page of audio": whole(b"ID3", "text/html"),
    }
    assert await at.endings(way, habits) == all_end(habits, BadRequestUpstream)
