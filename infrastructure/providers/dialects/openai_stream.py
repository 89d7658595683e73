"""Decodes chat.completion.chunk streams, as OpenAI sends them and as its imitations vary them."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import StreamBroken
from domain.model.events import ChatEvent, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from infrastructure.providers.dialects import openai_answers
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.turns import arguments_text, call_id, frame_json, next_call
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire.digging import count, dig, rows, table, text


class ChunkDecoder:
    """Complete when a finish reason was seen and then `[DONE]` or the end of the connection: some servers omit it.

    With `mark_suffices`, `[DONE]` completes it without a reason too.
    """

    def __init__(self, refusals: Refusals, *, mark_suffices: bool = False) -> None:
        self._refusals = refusals
        self._mark_suffices = mark_suffices
        self._complete = False
        self._calls = CallFragments()
        self._raw_finish = ""
        self._refused = False
        self._usage = Usage()
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over:
            return
        if frame.data.strip() == "[DONE]":
            self._complete = self._mark_suffices
            yield from self.end()
            return
        chunk = self.opened(frame)
        if frame.event == "error" or self._refusals.failed(chunk) or self._bare(table(chunk)):
            raise self._refusals("", ErrorReply(200, {}, chunk))
        if counts := table(chunk).get("usage") or dig(chunk, "choices", 0, "usage"):
            self._usage = openai_answers.usage(counts)
        yield from self._choice(dig(chunk, "choices", 0))

    def end(self) -> Iterator[ChatEvent]:
        if self._over:
            return
        if not (self._raw_finish or self._complete):
            raise StreamBroken("", 200)
        self._over = True
        reason = openai_answers.finish(self._raw_finish, calls=self._calls.any, refused=self._refused)
        yield Finished(reason, self._usage)

    def opened(self, frame: Frame) -> Any:
        """The chunk in a frame; some vendors wrap parts of it in an object of their own."""
        return frame_json(frame)

    def _bare(self, chunk: Mapping[str, Any]) -> bool:
        """Whether a chunk is an error without that key, with a message where the choices would be."""
        return not self._refusals.code and "choices" not in chunk and bool(text(chunk.get("message")))

    def _choice(self, choice: Any) -> Iterator[ChatEvent]:
        delta = dig(choice, "delta")
        if thought := openai_answers.reasoning(delta):
            yield ReasoningDelta(thought)
        if said := openai_answers.said(delta):
            yield TextDelta(said)
        if refusal := text(dig(delta, "refusal")):
            self._refused = True
            yield TextDelta(refusal)
        for fragment in rows(dig(delta, "tool_calls")):
            yield self._calls.delta(fragment)
        self._raw_finish = text(dig(choice, "finish_reason")) or self._raw_finish


class CallFragments:
    """Numbers the tool calls of one stream from 0, however the server marks which call a fragment belongs to.

    A fragment without index belongs to the last call, unless it brings another id, or a name and no id: then it opens
    one. Servers that give every call the index 0 are told by the id. A call that opens without id is given one.
    BadRequestUpstream for one call too many.
    """

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._numbers: dict[str, int] = {}

    @property
    def any(self) -> bool:
        return bool(self._numbers)

    def delta(self, fragment: Any) -> ToolCallDelta:
        function = dig(fragment, "function")
        name, arguments = text(dig(function, "name")), arguments_text(dig(function, "arguments"))
        vendor_id = text(dig(fragment, "id"))
        place = count(dig(fragment, "index"))
        number = self._known(place, vendor_id, name)
        if number is not None:
            return ToolCallDelta(number, None, name or None, arguments)
        number, own = next_call(self._numbers), vendor_id or call_id()
        self._numbers[own] = number
        if place is not None:
            self._places[place] = number
        return ToolCallDelta(number, own, name or None, arguments)

    def _known(self, place: int | None, vendor_id: str, name: str) -> int | None:
        """The number of the call that this fragment continues; None when it opens one."""
        if vendor_id:
            return self._numbers.get(vendor_id)
        if place in self._places:
            return self._places[place]
        opens = not self._numbers or bool(name)
        return None if opens else len(self._numbers) - 1
