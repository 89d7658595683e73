"""What a tenant asks of a model, in one vocabulary for all vendors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.errors import InvalidRange
from domain.model.catalogue import Feature, ModelRef
from domain.model.parameters import Value


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image by https address, or inline as base64 `data` with its `media_type`."""

    url: str | None = None
    media_type: str | None = None
    data: str | None = None


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool. `arguments` is the JSON text the model wrote; it may be invalid JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `tool_calls` belongs to assistant turns; `tool_call_id` to tool turns, naming the call they answer."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    tool_name: str | None = None

    @property
    def text(self) -> str:
        return "".join(p.text for p in self.parts if isinstance(p, TextPart))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `parameters` is a JSON Schema object."""

    name: str
    description: str | None
    parameters: Mapping[str, Any]


class ToolChoice(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ResponseSchema:
    """The JSON Schema that the answer must satisfy."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Knobs:
    """Optional tuning. A vendor that lacks one drops it with a warning; none is clamped silently.

    `extra` holds parameters of one model under the vendor's own names; only those that its rules know are let through.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)

    def check(self) -> None:
        """InvalidRange for what no vendor takes."""
        _within("temperature", self.temperature, 0, 2)
        _within("topP", self.top_p, 0, 1)
        _within("presencePenalty", self.presence_penalty, -2, 2)
        _within("frequencyPenalty", self.frequency_penalty, -2, 2)
        _within("maxTokens", self.max_tokens, 1, 10_000_000)


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A chat. `model` None means the tenant's default LLM; use cases replace it before a gateway sees the call."""

    messages: tuple[Message, ...]
    model: ModelRef | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice.AUTO
    response_schema: ResponseSchema | None = None
    knobs: Knobs = Knobs()

    def features(self) -> frozenset[Feature]:
        """What a model must be able to do to serve this call."""
        vision = any(isinstance(p, ImagePart) for m in self.messages for p in m.parts)
        needs = {Feature.TOOLS: bool(self.tools), Feature.VISION: vision}
        needs[Feature.STRUCTURED_OUTPUT] = self.response_schema is not None
        return frozenset(feature for feature, needed in needs.items() if needed)

    def size(self) -> int:
        """An upper bound on the characters that the vendor will count, with room for what its template adds."""
        said = sum(len(m.text) + sum(len(c.arguments) + len(c.name) for c in m.tool_calls) for m in self.messages)
        schemas = [t.parameters for t in self.tools] + [self.response_schema.schema if self.response_schema else {}]
        declared = sum(len(t.name) + len(t.description or "") for t in self.tools) + sum(len(str(s)) for s in schemas)
        images = sum(isinstance(p, ImagePart) for m in self.messages for p in m.parts)
        return said + declared + _TEMPLATE * (len(self.messages) + len(self.tools) + 1) + _IMAGE * images

    def check(self) -> None:
        """InvalidRange when the call could not mean anything to any vendor."""
        if not self.messages:
            raise InvalidRange("messages", "must not be empty")
        for at, message in enumerate(self.messages):
            if not (message.parts or message.tool_calls):
                raise InvalidRange(f"messages[{at}]", "must have content or tool calls")
            if message.role is Role.TOOL and not message.tool_call_id:
                raise InvalidRange(f"messages[{at}].toolCallId", "must name the tool call that it answers")
        self.knobs.check()


_TEMPLATE = 64
_IMAGE = 16_384


class EmbedPurpose(StrEnum):
    """Some models embed a stored document and a search query differently."""

    DOCUMENT = "document"
    QUERY = "query"


TEXTS_LIMIT = 2_048


@dataclass(frozen=True, slots=True)
class EmbedCall:
    """Texts to embed, in order. `dimensions` asks for shorter vectors where the model can."""

    texts: tuple[str, ...]
    model: ModelRef | None = None
    dimensions: int | None = None
    purpose: EmbedPurpose = EmbedPurpose.DOCUMENT

    def check(self) -> None:
        if not 1 <= len(self.texts) <= TEXTS_LIMIT:
            raise InvalidRange("texts", f"must have 1 to {TEXTS_LIMIT} entries")
        for at, text in enumerate(self.texts):
            if not text:
                raise InvalidRange(f"texts[{at}]", "must not be empty")
        _within("dimensions", self.dimensions, 1, 100_000)


def _within(field: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InvalidRange(field, f"must be from {low} to {high}")
