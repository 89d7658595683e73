"""Reads Gemini's answers: a stream's events have the form of the whole answer, each with what is new."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import BadRequestUpstream, StreamBroken
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
    fold,
)
from infrastructure.providers.dialects.gemini_turns import with_thought
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.turns import arguments_text, call_id, frame_json, not_understood
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

_FILTERED = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})
_FAILED = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "OTHER",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)


def finish(raw: str, *, calls: bool, blocked: bool = False) -> FinishReason:
    """STOP stands beside tool calls too; unknown words read as stop. BadRequestUpstream when the model failed."""
    if raw in _FAILED and not blocked:
        raise BadRequestUpstream("", 200, f"the model broke its answer off: {raw}")
    if blocked or raw in _FILTERED or raw.startswith("IMAGE_"):
        return FinishReason(Finish.CONTENT_FILTER, raw)
    if raw == "MAX_TOKENS":
        return FinishReason(Finish.LENGTH, raw)
    return FinishReason(Finish.TOOL_CALLS if calls else Finish.STOP, raw)


def usage(counts: Mapping[str, Any]) -> Usage:
    """Of usageMetadata: thoughts are counted beside the answer, what tools added beside the prompt."""
    thoughts = tally(counts.get("thoughtsTokenCount"))
    return Usage(
        input=_sum(tally(counts.get("promptTokenCount")), tally(counts.get("toolUsePromptTokenCount"))),
        output=_sum(tally(counts.get("candidatesTokenCount")), thoughts),
        cached_input=tally(counts.get("cachedContentTokenCount")),
        reasoning=thoughts,
        raw=counts,
    )


def answer(body: object) -> ChatAnswer:
    """A whole answer; BadRequestUpstream when it has no candidate and no prompt was blocked."""
    if not (table(dig(body, "candidates", 0)) or dig(body, "promptFeedback", "blockReason")):
        raise not_understood("the answer has no candidate")
    reading = Reading()
    return fold([*reading.events(body), reading.finished()])


class Reading:
    """What one answer has told so far. Of several candidates, only the first is read."""

    def __init__(self) -> None:
        self._counts: Mapping[str, Any] = {}
        self._calls = 0
        self._raw_finish = ""
        self._blocked = False

    @property
    def complete(self) -> bool:
        return bool(self._raw_finish)

    def events(self, body: object) -> Iterator[ChatEvent]:
        """Counts are those of all that came so far; a blocked prompt is told in place of candidates."""
        self._counts = table(dig(body, "usageMetadata")) or self._counts
        candidate = dig(body, "candidates", 0)
        for part in rows(dig(candidate, "content", "parts")):
            yield from self._part(part)
        block = text(dig(body, "promptFeedback", "blockReason"))
        self._blocked = self._blocked or bool(block)
        self._raw_finish = text(dig(candidate, "finishReason")) or block or self._raw_finish

    def finished(self) -> Finished:
        return Finished(finish(self._raw_finish, calls=self._calls > 0, blocked=self._blocked), usage(self._counts))

    def _part(self, part: Any) -> Iterator[ChatEvent]:
        if said := text(dig(part, "text")):
            yield ReasoningDelta(said) if dig(part, "thought") is True else TextDelta(said)
        call = dig(part, "functionCall")
        if isinstance(call, dict):
            own = text(call.get("id")) or call_id()
            signed = with_thought(own, text(dig(part, "thoughtSignature")))
            self._calls += 1
            yield ToolCallDelta(
                self._calls - 1, signed, text(call.get("name")), arguments_text(table(call.get("args")))
            )


class ContentDecoder:
    """Complete when a finish reason was seen and the connection ends: there is no other mark, and counts come last."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._reading = Reading()

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        chunk = frame_json(frame)
        if table(chunk).get("error"):
            raise self._refusals("", ErrorReply(200, {}, chunk))
        yield from self._reading.events(chunk)

    def end(self) -> Iterator[ChatEvent]:
        if not self._reading.complete:
            raise StreamBroken("", 200)
        yield self._reading.finished()


def _sum(first: int | None, second: int | None) -> int | None:
    """A count of zero is left out, so one alone is the sum; neither means that nothing was counted."""
    return None if first is None and second is None else (first or 0) + (second or 0)
