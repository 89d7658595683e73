"""Reads Anthropic's messages, whole and as the named events of a stream."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import StreamBroken
from domain.model.calls import ToolCall
from domain.model.events import (
    ChatAnswer,
    ChatEvent,
    Finish,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.turns import arguments_text, call_id, frame_json, not_understood
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import count, dig, rows, table, text

_FINISHES: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}


def finish(raw: str) -> FinishReason:
    """end_turn, stop_sequence, pause_turn and unknown words read as stop."""
    return FinishReason(_FINISHES.get(raw, Finish.STOP), raw)


def usage(counts: Mapping[str, Any]) -> Usage:
    """`input_tokens` leaves out what was written to and read from the cache: the prompt is the sum of the three."""
    read = count(counts.get("cache_read_input_tokens"))
    fresh = count(counts.get("input_tokens"))
    total = None if fresh is None else fresh + (count(counts.get("cache_creation_input_tokens")) or 0) + (read or 0)
    return Usage(total, count(counts.get("output_tokens")), read, raw=counts)


def answer(body: object) -> ChatAnswer:
    """A message; BadRequestUpstream when it has no content."""
    if not isinstance(dig(body, "content"), list):
        raise not_understood("the answer has no content")
    blocks = rows(dig(body, "content"))
    calls = tuple(
        ToolCall(text(dig(b, "id")) or call_id(), text(dig(b, "name")), arguments_text(table(dig(b, "input"))))
        for b in blocks
        if dig(b, "type") == "tool_use"
    )
    said = "".join(text(dig(b, "text")) for b in blocks if dig(b, "type") == "text")
    thought = "".join(text(dig(b, "thinking")) for b in blocks if dig(b, "type") == "thinking")
    return ChatAnswer(said, thought, calls, finish(text(dig(body, "stop_reason"))), usage(table(dig(body, "usage"))))


class MessageDecoder:
    """Complete with `message_stop`. `ping` and events that are not known are passed over, as the vendor asks for."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._usage: dict[str, Any] = {}
        self._stop_reason = ""
        self._calls = 0
        self._unwritten: Any = None
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over:
            return
        event = frame_json(frame)
        match text(dig(event, "type")) or frame.event:
            case "message_start":
                # Its output count is that of the first token only; the one that holds comes with message_delta.
                self._count({**table(dig(event, "message", "usage")), "output_tokens": None})
            case "content_block_start":
                yield from self._start(dig(event, "content_block"))
            case "content_block_delta":
                yield from self._delta(dig(event, "delta"))
            case "content_block_stop":
                yield from self._close()
            case "message_delta":
                self._count(table(dig(event, "usage")))
                self._stop_reason = text(dig(event, "delta", "stop_reason")) or self._stop_reason
            case "message_stop":
                yield from self._close()
                self._over = True
                yield Finished(finish(self._stop_reason), usage(self._usage))
            case "error":
                raise self._refusals("", ErrorReply(200, {}, event))

    def end(self) -> Iterator[ChatEvent]:
        if not self._over:
            raise StreamBroken("", 200)
        return iter(())

    def _count(self, counts: Mapping[str, Any]) -> None:
        self._usage |= {name: value for name, value in counts.items() if value is not None}

    def _start(self, block: Any) -> Iterator[ChatEvent]:
        yield from self._close()
        match dig(block, "type"):
            case "tool_use":
                self._calls += 1
                self._unwritten = table(dig(block, "input"))
                yield ToolCallDelta(self._calls - 1, text(dig(block, "id")) or call_id(), text(dig(block, "name")))
            case "text" if said := text(dig(block, "text")):
                yield TextDelta(said)
            case "thinking" if thought := text(dig(block, "thinking")):
                yield ReasoningDelta(thought)

    def _delta(self, delta: Any) -> Iterator[ChatEvent]:
        if said := text(dig(delta, "text")):
            yield TextDelta(said)
        if thought := text(dig(delta, "thinking")):
            yield ReasoningDelta(thought)
        if written := text(dig(delta, "partial_json")):
            self._unwritten = None
            yield ToolCallDelta(self._calls - 1, arguments=written)

    def _close(self) -> Iterator[ChatEvent]:
        """A call whose arguments never came in pieces has those of its start, which is an empty object mostly."""
        if self._unwritten is not None:
            yield ToolCallDelta(self._calls - 1, arguments=arguments_text(self._unwritten))
            self._unwritten = None
