"""OpenAI's chat and embeddings: the dialect that most vendors speak, each with a few differences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from domain.errors import UnsupportedFeature
from domain.model.calls import ChatCall, ImagePart, Message, Part, Role, TextPart, Tool, ToolChoice
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import openai_answers, turns
from infrastructure.providers.dialects.openai_stream import ChunkDecoder
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import Decoder, Framing, Request

PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
SAMPLING = PENALTIES | {"temperature", "top_p"}
"""Knobs that many a vendor or model does not take."""

_WRITTEN = frozenset({"stream", "stream_options", "tools", "tool_choice"})


@dataclass(frozen=True)
class Chat:
    """POST chat/completions (OpenAI's reference of its API, and what its imitations keep of it).

    `max_tokens` and `seed` are the names of those knobs, `include_usage` whether a stream counts tokens only when asked
    to, `strict_schema` whether `strict` stands beside a JSON schema. `refused` are the knobs, by their names in the
    body, that are dropped with a warning; `extras` goes into every body. `mark_suffices` says that streams may end
    without a finish reason, `chooses` that a call of a tool can be required or ruled out. `decodes` reads its streams.
    `call_ids` is what ids of tool calls must be, where not every id is taken.
    `variants` are those of these fields that differ for some models, by a pattern that their names begin with.
    """

    max_tokens: str = "max_tokens"
    seed: str = "seed"
    include_usage: bool = True
    strict_schema: bool = True
    refused: frozenset[str] = frozenset()
    extras: Mapping[str, Any] = field(default_factory=dict)
    path: str = "chat/completions"
    mark_suffices: bool = False
    chooses: bool = True
    refusals: Refusals = USUAL
    framing: Framing = Framing.SSE
    decodes: type[ChunkDecoder] = ChunkDecoder
    call_ids: re.Pattern[str] | None = None
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - a seam: some vendors look at both
        """This dialect as one model, or the form of one credential, wants it."""
        found = (fields for pattern, fields in self.variants.items() if re.match(pattern, target.model.name))
        return replace(self, **next(found, {}))

    def model(self, target: Target) -> str:
        """The name under which the vendor knows the model."""
        return target.model.name

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        return self.suited(target, call).written(self.model(target), call, stream=stream)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return openai_answers.answer(body)

    def decoder(self) -> Decoder:
        return self.decodes(self.refusals, mark_suffices=self.mark_suffices)

    def written(self, model: str, call: ChatCall, *, stream: bool) -> Request:
        """The request for a model under the vendor's name of it; UnsupportedFeature for what no knob can say."""
        if call.tools and call.tool_choice is not ToolChoice.AUTO and not self.chooses:
            call = _left_to_choose(call, model)
        knobs = self.knobs(call)
        own = turns.own_parameters(call, _WRITTEN)
        messages = turns.with_ids(call.messages, self.call_ids) if self.call_ids else call.messages
        body: dict[str, Any] = {**own, "model": model, "messages": [self.turn(m, model) for m in messages]}
        body |= {knob: value for knob, value in knobs.items() if knob not in self.refused}
        body |= self.features(call)
        body |= self.extras
        if stream:
            body["stream"] = True
            if self.include_usage:
                body["stream_options"] = {"include_usage": True}
        dropped = [knob for knob in knobs if knob in self.refused]
        dropped += turns.overridden(call, body)
        return Request(self.path, body, warnings=turns.left_out(model, dropped))

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """One message in the body."""
        return rendered_turn(message, model)

    def knobs(self, call: ChatCall) -> Mapping[str, Any]:
        """What was asked for, by its name in the body."""
        asked = {
            self.max_tokens: call.knobs.max_tokens,
            "temperature": call.knobs.temperature,
            "top_p": call.knobs.top_p,
            "stop": list(call.knobs.stop) or None,
            self.seed: call.knobs.seed,
            "presence_penalty": call.knobs.presence_penalty,
            "frequency_penalty": call.knobs.frequency_penalty,
        }
        return {knob: value for knob, value in asked.items() if value is not None}

    def features(self, call: ChatCall) -> Mapping[str, Any]:
        """Tools and the answer's schema. A choice of auto is the default and is not sent."""
        features: dict[str, Any] = {}
        if call.tools:
            features["tools"] = [rendered_tool(tool) for tool in call.tools]
            if call.tool_choice is not ToolChoice.AUTO:
                features["tool_choice"] = call.tool_choice.value
        if call.response_schema:
            strict = {"strict": True} if self.strict_schema else {}
            schema = {"name": call.response_schema.name, **strict, "schema": call.response_schema.schema}
            features["response_format"] = {"type": "json_schema", "json_schema": schema}
        return features


def _left_to_choose(call: ChatCall, model: str) -> ChatCall:
    """For vendors whose models always choose: to rule out the call of a tool is to offer none."""
    if call.tool_choice is ToolChoice.REQUIRED:
        raise UnsupportedFeature("a tool call that is required", model)
    return replace(call, tools=())


def rendered_turn(message: Message, model: str) -> dict[str, Any]:
    """One message. Only user turns may hold images, and turns of text alone are plain strings."""
    if message.role is Role.USER:
        return {"role": "user", "content": _content(message)}
    turns.refuse_images(message, model)
    if message.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    turn: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.tool_calls:
        turn["content"] = message.text or None
        turn["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return turn


def rendered_tool(tool: Tool) -> dict[str, Any]:
    description = {"description": tool.description} if tool.description else {}
    return {"type": "function", "function": {"name": tool.name, **description, "parameters": tool.parameters}}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if all(isinstance(part, TextPart) for part in message.parts):
        return message.text
    return [_part(part) for part in message.parts]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": part.url or _data_url(part)}}


def _data_url(image: ImagePart) -> str:
    media_type, data = turns.inline(image)
    return f"data:{media_type};base64,{data}"
