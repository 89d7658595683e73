"""Decodes the stream of OpenAI's /responses: events that tell by their type which item they add to."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import StreamBroken
from domain.model.events import (
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
from infrastructure.providers.dialects.turns import call_id, frame_json, next_call
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import count, dig, table, tally, text

_ENDS: Mapping[str, Finish] = {"max_output_tokens": Finish.LENGTH, "content_filter": Finish.CONTENT_FILTER}


def finish(response: object, *, calls: bool, refused: bool) -> FinishReason:
    """By the reason why it is incomplete, or its status."""
    reason = text(dig(response, "incomplete_details", "reason"))
    if reason:
        return FinishReason(_ENDS.get(reason, Finish.STOP), reason)
    unified = Finish.TOOL_CALLS if calls else Finish.CONTENT_FILTER if refused else Finish.STOP
    return FinishReason(unified, text(dig(response, "status")))


def usage(response: object) -> Usage:
    """input_tokens includes cached ones, output_tokens includes reasoning."""
    counts = table(dig(response, "usage"))
    return Usage(
        input=tally(counts.get("input_tokens")),
        output=tally(counts.get("output_tokens")),
        cached_input=tally(dig(counts, "input_tokens_details", "cached_tokens")),
        reasoning=tally(dig(counts, "output_tokens_details", "reasoning_tokens")),
        raw=counts,
    )


class ItemDecoder:
    """Complete with the event that the response is completed, or incomplete. No other mark tells the end.

    BadRequestUpstream for one call too many.
    """

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._calls: dict[int | None, int] = {}
        self._refused = False
        self._thought = False
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over or frame.data.strip() == "[DONE]":
            return
        event = frame_json(frame)
        match dig(event, "type"):
            case "response.output_text.delta":
                yield from self._said(event)
            case "response.refusal.delta":
                self._refused = True
                yield from self._said(event)
            case "response.reasoning_summary_part.added" if self._thought:
                yield ReasoningDelta("\n\n")
            case "response.reasoning_summary_text.delta":
                self._thought = True
                yield ReasoningDelta(text(dig(event, "delta")))
            case "response.output_item.added" if dig(event, "item", "type") == "function_call":
                yield self._opened(event)
            case "response.function_call_arguments.delta":
                yield from self._written(event)
            case "response.completed" | "response.incomplete":
                self._over = True
                response = dig(event, "response")
                reason = finish(response, calls=bool(self._calls), refused=self._refused)
                yield Finished(reason, usage(response))
            case "response.failed":
                raise self._refusals("", ErrorReply(200, {}, dig(event, "response")))
            case "error":
                raise self._refusals("", ErrorReply(200, {}, event))

    def end(self) -> Iterator[ChatEvent]:
        if not self._over:
            raise StreamBroken("", 200)
        return iter(())

    def _said(self, event: Any) -> Iterator[ChatEvent]:
        if delta := text(dig(event, "delta")):
            yield TextDelta(delta)

    def _opened(self, event: Any) -> ToolCallDelta:
        number = self._calls.setdefault(count(dig(event, "output_index")), next_call(self._calls))
        item = table(dig(event, "item"))
        own = text(item.get("call_id")) or call_id()
        return ToolCallDelta(number, own, text(item.get("name")), text(item.get("arguments")))

    def _written(self, event: Any) -> Iterator[ChatEvent]:
        number, piece = self._calls.get(count(dig(event, "output_index"))), text(dig(event, "delta"))
        if number is not None and piece:
            yield ToolCallDelta(number, arguments=piece)
