"""Reads Cohere's chat answers, whole and as the named events of a stream."""

from collections.abc import Iterator, Mapping

from domain.errors import StreamBroken, UpstreamUnavailable
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
from infrastructure.providers.dialects import openai_answers
from infrastructure.providers.dialects.openai_stream import CallFragments
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.turns import frame_json, not_understood
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

_FINISHES: Mapping[str, Finish] = {
    "MAX_TOKENS": Finish.LENGTH,
    "TOOL_CALL": Finish.TOOL_CALLS,
    "ERROR_TOXIC": Finish.CONTENT_FILTER,
}
_BROKEN_OFF = frozenset({"ERROR", "TIMEOUT"})


def answer(body: object) -> ChatAnswer:
    """A chat response; BadRequestUpstream when it has no message. A plan to call tools is part of what is said."""
    message = dig(body, "message")
    if not isinstance(message, dict):
        raise not_understood("the answer has no message")
    said = text(message.get("tool_plan")) + openai_answers.said(message)
    thought = "".join(text(dig(part, "thinking")) for part in rows(message.get("content")))
    calls = tuple(openai_answers.tool_calls(rows(message.get("tool_calls"))))
    reason = finish(text(dig(body, "finish_reason")), text(dig(body, "error")))
    return ChatAnswer(said, thought, calls, reason, usage(dig(body, "usage")))


def finish(raw: str, failure: str = "") -> FinishReason:
    """COMPLETE, STOP_SEQUENCE and unknown words read as stop; UpstreamUnavailable when the vendor broke off."""
    if raw in _BROKEN_OFF:
        raise UpstreamUnavailable("", 200, failure or f"the vendor broke the answer off: {raw}")
    return FinishReason(_FINISHES.get(raw, Finish.STOP), raw)


def usage(counts: object) -> Usage:
    """Tokens that are billed, which leave out the vendor's own template; all that were read where none are told."""
    billed, read = table(dig(counts, "billed_units")), table(dig(counts, "tokens"))
    told = {name: _whole(billed.get(name, read.get(name))) for name in ("input_tokens", "output_tokens")}
    return Usage(told["input_tokens"], told["output_tokens"], _whole(dig(counts, "cached_tokens")), raw=table(counts))


def _whole(value: object) -> int | None:
    """The OpenAPI calls counts numbers, so they may come as 71.0."""
    return tally(int(value)) if isinstance(value, float) and value.is_integer() else tally(value)


class EventDecoder:
    """Complete with `message-end`; citations and events that are not known are passed over."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._calls = CallFragments()
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over or frame.data.strip() == "[DONE]":
            return
        event = frame_json(frame)
        message = dig(event, "delta", "message")
        match text(dig(event, "type")) or frame.event:
            case "content-start" | "content-delta":
                yield from _content(dig(message, "content"))
            case "tool-plan-delta" if plan := text(dig(message, "tool_plan")):
                yield TextDelta(plan)
            case "tool-call-start" | "tool-call-delta":
                yield self._calls.delta({**table(dig(message, "tool_calls")), "index": dig(event, "index")})
            case "message-end":
                yield self._finished(dig(event, "delta"))
            case "" | "error":
                raise self._refusals("", ErrorReply(200, {}, event))

    def end(self) -> Iterator[ChatEvent]:
        if not self._over:
            raise StreamBroken("", 200)
        return iter(())

    def _finished(self, delta: object) -> Finished:
        self._over = True
        reason = finish(text(dig(delta, "finish_reason")), text(dig(delta, "error")))
        return Finished(reason, usage(dig(delta, "usage")))


def _content(content: object) -> Iterator[ChatEvent]:
    if thought := text(dig(content, "thinking")):
        yield ReasoningDelta(thought)
    if said := text(dig(content, "text")):
        yield TextDelta(said)
