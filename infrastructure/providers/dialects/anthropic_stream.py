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
    Usage,
)
from infrastructure.providers.dialects import blocks
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.turns import arguments_text, call_id, frame_json, not_understood
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import dig, rows, table, text


def finish(raw: str) -> FinishReason:
    """end_turn, stop_sequence, pause_turn and unknown words read as stop."""
    return FinishReason(blocks.FINISHES.get(raw, Finish.STOP), raw)


def usage(counts: Mapping[str, Any]) -> Usage:
    cache = ("cache_creation_input_tokens", "cache_read_input_tokens")
    return blocks.usage(counts, "input_tokens", *cache, "output_tokens")


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
        self._calls = blocks.CallBlocks()
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
                yield from self._calls.close()
            case "message_delta":
                self._count(table(dig(event, "usage")))
                self._stop_reason = text(dig(event, "delta", "stop_reason")) or self._stop_reason
            case "message_stop":
                yield from self._calls.close()
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
        yield from self._calls.close()
        match dig(block, "type"):
            case "tool_use":
                given = arguments_text(table(dig(block, "input")))
                yield from self._calls.open(text(dig(block, "id")), text(dig(block, "name")), given)
            case "text" if said := text(dig(block, "text")):
                yield TextDelta(said)
            case "thinking" if thought := text(dig(block, "thinking")):
                yield ReasoningDelta(thought)

    def _delta(self, delta: Any) -> Iterator[ChatEvent]:
        if said := text(dig(delta, "text")):
            yield TextDelta(said)
        if thought := text(dig(delta, "thinking")):
            yield ReasoningDelta(thought)
        yield from self._calls.write(text(dig(delta, "partial_json")))
