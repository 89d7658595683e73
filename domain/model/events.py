"""What a model answers: a stream of events, and the whole answer that folding them gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.model.calls import ToolCall


class Finish(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the answer ended: our word for it, and the vendor's own."""

    unified: Finish
    raw: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the vendor counted them; None where it did not say. `input` includes cached tokens.

    Speech is also counted in milliseconds of audio and in characters of text, reranking in what its vendor bills as
    searches.
    """

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None
    reasoning: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    audio_ms: int | None = None
    characters: int | None = None
    searches: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's thinking, kept apart from its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the tool call number `index`; id and name come with its first piece, argument text in any."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something asked for was left out because the vendor lacks it."""

    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The terminal event of every complete stream."""

    reason: FinishReason
    usage: Usage


ChatEvent = TextDelta | ReasoningDelta | ToolCallDelta | Warned | Finished


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish: FinishReason
    usage: Usage
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per text, in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
    warnings: tuple[str, ...] = ()


def fold(events: Iterable[ChatEvent]) -> ChatAnswer:
    """The whole answer of a complete stream; ValueError when it has no Finished event."""
    text: list[str] = []
    reasoning: list[str] = []
    warnings: list[str] = []
    calls: dict[int, tuple[str, str, list[str]]] = {}
    end: Finished | None = None
    for event in events:
        match event:
            case TextDelta(piece):
                text.append(piece)
            case ReasoningDelta(piece):
                reasoning.append(piece)
            case ToolCallDelta(index, call_id, name, arguments):
                known_id, known_name, pieces = calls.get(index, ("", "", []))
                pieces.append(arguments)
                calls[index] = (call_id or known_id, name or known_name, pieces)
            case Warned(message):
                warnings.append(message)
            case Finished():
                end = event
    if end is None:
        raise ValueError("the stream has no Finished event")
    tool_calls = tuple(ToolCall(own, name, "".join(pieces)) for _, (own, name, pieces) in sorted(calls.items()))
    return ChatAnswer("".join(text), "".join(reasoning), tool_calls, end.reason, end.usage, tuple(warnings))
