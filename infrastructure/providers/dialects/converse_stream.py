"""Reads what the Converse API answers, whole and as the named events of a stream."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from domain.errors import StreamBroken, UpstreamError
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
from infrastructure.providers.dialects.turns import arguments_text, call_id, frame_json, not_understood
from infrastructure.providers.spec import Frame
from infrastructure.providers.wire.digging import dig, rows, table, text

_FINISHES: Mapping[str, Finish] = {
    **blocks.FINISHES,
    "guardrail_intervened": Finish.CONTENT_FILTER,
    "content_filtered": Finish.CONTENT_FILTER,
}


def finish(raw: str) -> FinishReason:
    """Unknown words read as stop; BadRequestUpstream where the model wrote what the service could not read."""
    if raw.startswith("malformed_"):
        raise not_understood(f"the model's answer could not be read there ({raw})")
    return FinishReason(_FINISHES.get(raw, Finish.STOP), raw)


def usage(counts: Mapping[str, Any]) -> Usage:
    return blocks.usage(counts, "inputTokens", "cacheWriteInputTokens", "cacheReadInputTokens", "outputTokens")


def answer(body: object) -> ChatAnswer:
    """BadRequestUpstream when there is no message."""
    content = dig(body, "output", "message", "content")
    if not isinstance(content, list):
        raise not_understood("the answer has no message")
    calls = tuple(_call(use) for block in content if (use := table(dig(block, "toolUse"))))
    said = "".join(text(dig(block, "text")) for block in rows(content))
    thought = "".join(text(dig(block, "reasoningContent", "reasoningText", "text")) for block in rows(content))
    return ChatAnswer(said, thought, calls, finish(text(dig(body, "stopReason"))), usage(table(dig(body, "usage"))))


def _call(use: Mapping[str, Any]) -> ToolCall:
    return ToolCall(
        text(use.get("toolUseId")) or call_id(), text(use.get("name")), arguments_text(table(use.get("input")))
    )


class ConverseDecoder:
    """Complete with `messageStop`; `metadata`, which counts the tokens, comes after it. Unknown events are skipped."""

    def __init__(self, meaning: Callable[[Frame], UpstreamError]) -> None:
        self._meaning = meaning
        self._stop_reason: str | None = None
        self._calls = blocks.CallBlocks()
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if frame.fault:
            raise self._meaning(frame)
        if self._over or not frame.data:
            return
        event = frame_json(frame)
        match frame.event:
            case "contentBlockStart":
                yield from self._start(table(dig(event, "start", "toolUse")))
            case "contentBlockDelta":
                yield from self._delta(dig(event, "delta"))
            case "contentBlockStop":
                yield from self._calls.close()
            case "messageStop":
                self._stop_reason = text(dig(event, "stopReason"))
            case "metadata" if self._stop_reason is not None:
                yield self._finished(table(dig(event, "usage")))

    def end(self) -> Iterator[ChatEvent]:
        if self._over:
            return
        if self._stop_reason is None:
            raise StreamBroken("", 200)
        yield self._finished({})

    def _finished(self, counts: Mapping[str, Any]) -> Finished:
        self._over = True
        return Finished(finish(self._stop_reason or ""), usage(counts))

    def _start(self, use: Mapping[str, Any]) -> Iterator[ChatEvent]:
        if use:
            yield from self._calls.open(text(use.get("toolUseId")), text(use.get("name")))

    def _delta(self, delta: Any) -> Iterator[ChatEvent]:
        if said := text(dig(delta, "text")):
            yield TextDelta(said)
        if thought := text(dig(delta, "reasoningContent", "text")):
            yield ReasoningDelta(thought)
        yield from self._calls.write(text(dig(delta, "toolUse", "input")))
