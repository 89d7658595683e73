"""A stream's pieces to events, and a whole answer to the events it would have been."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

from domain.errors import StreamBroken, UpstreamError
from domain.model.events import ChatAnswer, ChatEvent, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Warned
from infrastructure.providers.room import Hold
from infrastructure.providers.spec import AudioDecoder, Decoder, Frame, Framing
from infrastructure.providers.wire import Malformed
from infrastructure.providers.wire.eventstream import EventStreamFramer, PayloadFramer
from infrastructure.providers.wire.ndjson import NDJSONFramer
from infrastructure.providers.wire.sse import SSEFramer

_DRAIN = 0.25
_FRAMES = 500_000
"""More than the tokens that any model writes in one answer."""


class Framer(Protocol):
    def feed(self, chunk: bytes) -> list[Frame]: ...
    def end(self) -> list[Frame]: ...


_FRAMERS: Mapping[Framing, Callable[[int], Framer]] = {
    Framing.SSE: SSEFramer,
    Framing.NDJSON: NDJSONFramer,
    Framing.EVENT_STREAM: EventStreamFramer,
    Framing.EVENT_STREAM_OF_SSE: PayloadFramer,
}


def framer_for(framing: Framing, limit: int) -> Framer:
    """`limit` is in bytes per frame."""
    return _FRAMERS[framing](limit)


async def decoded(
    pieces: AsyncGenerator[bytes, None], framer: Framer, decoder: Decoder, status: int, unfinished: Hold | None
) -> AsyncGenerator[ChatEvent, None]:
    """The events of a stream, ending in Finished; StreamBroken when that never comes.

    `unfinished` holds the memory of a frame that is not over yet.
    A cut connection is an end only after the vendor has said why the answer ended.
    A failure that the stream reports keeps the status it names only while nothing was answered; then it is `status`.
    """
    begun = finished = False
    cuts: list[StreamBroken] = []
    try:
        async for frames in _framed(pieces, framer, cuts, unfinished):
            for frame in frames:
                for event in decoder.feed(frame):
                    begun = True
                    finished = finished or isinstance(event, Finished)
                    yield event
            if finished:
                await _drain(pieces)
                return
        for event in decoder.end():
            if cuts and isinstance(event, Finished) and not event.reason.raw:
                raise cuts[0]
            finished = finished or isinstance(event, Finished)
            yield event
        if not finished:
            raise StreamBroken("", status)
    except UpstreamError as failure:
        if begun:
            failure.status = status
        raise


async def spoken(
    pieces: AsyncGenerator[bytes, None], framer: Framer, decoder: AudioDecoder, status: int, unfinished: Hold | None
) -> AsyncGenerator[bytes, None]:
    """The audio in a stream of frames; fails like `decoded`, and is empty for frames without any."""
    begun = False
    try:
        async for frames in _framed(pieces, framer, [], unfinished):
            for frame in frames:
                audio = decoder.feed(frame)
                begun = begun or bool(audio)
                yield audio
        decoder.end()
    except UpstreamError as failure:
        if begun:
            failure.status = status
        raise


def unfolded(answer: ChatAnswer) -> Iterator[ChatEvent]:
    """The events that fold to `answer`."""
    if answer.reasoning:
        yield ReasoningDelta(answer.reasoning)
    if answer.text:
        yield TextDelta(answer.text)
    for index, call in enumerate(answer.tool_calls):
        yield ToolCallDelta(index, call.id, call.name, call.arguments)
    yield from map(Warned, answer.warnings)
    yield Finished(answer.finish, answer.usage)


async def _framed(
    pieces: AsyncGenerator[bytes, None], framer: Framer, cuts: list[StreamBroken], unfinished: Hold | None
) -> AsyncGenerator[list[Frame], None]:
    """Frames as they come; Malformed when there are too many.

    A cut connection just ends them, and is noted: the decoder knows what was complete.
    """
    left = _FRAMES
    try:
        async for piece in pieces:
            frames = framer.feed(piece)
            if unfinished:
                unfinished.clear() if frames else unfinished.add(len(piece))
            left -= len(frames)
            if left < 0:
                raise Malformed(f"the stream has more than {_FRAMES} events")
            yield frames
    except StreamBroken as cut:
        cuts.append(cut)
        return
    # What is left without its end may be a frame cut short: only one that can be whole JSON is worth reading.
    yield [frame for frame in framer.end() if frame.data.rstrip().endswith(("}", "]"))]


async def _drain(pieces: AsyncGenerator[bytes, None]) -> None:
    """Read on to the end of the body, which is due at once, so that the connection can be used again."""
    with suppress(UpstreamError, Malformed, TimeoutError):
        async with asyncio.timeout(_DRAIN):
            async for _ in pieces:
                pass
