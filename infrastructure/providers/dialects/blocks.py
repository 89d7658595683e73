"""Messages in blocks, a text, a thought, a call or its result each: what the dialects that have them share."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from domain.model.calls import Message, Role
from domain.model.events import ChatEvent, Finish, ToolCallDelta, Usage
from infrastructure.providers.dialects.turns import call_id, with_ids
from infrastructure.providers.wire.digging import tally

Block = dict[str, Any]

FINISHES: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}


def merged(
    messages: Iterable[Message], call_ids: re.Pattern[str], written: Callable[[Message], list[Block]]
) -> list[tuple[str, list[Block]]]:
    """The turns of either side by their role: those that follow each other are one, those without blocks none."""
    turns: list[tuple[str, list[Block]]] = []
    for message in with_ids(messages, call_ids):
        if message.role is Role.SYSTEM:
            continue
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(written(message))
    return [(role, content) for role, content in turns if content]


def usage(counts: Mapping[str, Any], fresh: str, written: str, read: str, output: str) -> Usage:
    """By the names of four counts. The prompt is the sum of what is fresh, written to the cache and read from it."""
    cached, new = tally(counts.get(read)), tally(counts.get(fresh))
    total = None if new is None else new + (tally(counts.get(written)) or 0) + (cached or 0)
    return Usage(total, tally(counts.get(output)), cached, raw=counts)


class CallBlocks:
    """The tool calls of one stream, numbered from 0, of which one is open at a time."""

    def __init__(self) -> None:
        self._opened = 0
        self._unwritten: str | None = None

    def open(self, vendor_id: str, name: str, given: str = "{}") -> Iterator[ChatEvent]:
        """A call, whose arguments are the given ones if none are written."""
        self._opened += 1
        self._unwritten = given
        yield ToolCallDelta(self._opened - 1, vendor_id or call_id(), name)

    def write(self, piece: str) -> Iterator[ChatEvent]:
        """A piece of the arguments; nothing where it is empty or no call has been opened."""
        if piece and self._opened:
            self._unwritten = None
            yield ToolCallDelta(self._opened - 1, arguments=piece)

    def close(self) -> Iterator[ChatEvent]:
        if self._unwritten is not None:
            yield ToolCallDelta(self._opened - 1, arguments=self._unwritten)
            self._unwritten = None
