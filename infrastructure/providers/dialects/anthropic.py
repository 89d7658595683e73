"""Anthropic's Messages API, in its version 2023-06-01."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.model.calls import ChatCall, Tool, ToolChoice
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import anthropic_stream, anthropic_turns, turns
from infrastructure.providers.dialects.anthropic_stream import MessageDecoder
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import Decoder, Framing, Request

_VERSIONED = re.compile(r"claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)")
_SAMPLING = frozenset({"temperature", "top_p"})
_UNKNOWN = frozenset({"seed", "presence_penalty", "frequency_penalty"})
_WRITTEN = frozenset({"stream", "system", "tools", "tool_choice", "output_config"})
_THOUGHTFUL = frozenset({"effort", "include_thoughts"})
_CHOICES = {ToolChoice.REQUIRED: "any", ToolChoice.NONE: "none"}


def takes_default_sampling_only(name: str) -> bool:
    """Claude 4.7 and later refuse temperature and top_p under any version of the API."""
    found = _VERSIONED.search(name)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= (4, 7)


def thoughtless(call: ChatCall) -> ChatCall:
    """Without the parameters of thinking, which are no fields of a request."""
    return turns.without_parameters(call, _THOUGHTFUL)


def thinking(call: ChatCall) -> Mapping[str, Any]:
    """The field that has a model tell its thoughts, where `include_thoughts` asks for them."""
    told = call.knobs.extra.get("include_thoughts") is True
    return {"thinking": {"type": "adaptive", "display": "summarized"}} if told else {}


@dataclass(frozen=True)
class Messages:
    """POST v1/messages. `max_tokens` is the output limit of calls that name none: the vendor demands one.

    Of a call's own parameters, `effort` stands in `output_config`, and `include_thoughts` asks for a summary. Thinking
    is read but not sent back with the next turn: our vocabulary has no place for its signature, and with adaptive
    thinking, which is all that is ever on, the vendor does not demand it.
    """

    max_tokens: int = 4_096
    path: str = "v1/messages"
    refusals: Refusals = USUAL
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        refused = _UNKNOWN | (_SAMPLING if takes_default_sampling_only(name) else frozenset())
        knobs, plain = _knobs(call), thoughtless(call)
        body: dict[str, Any] = {
            **turns.own_parameters(plain, _WRITTEN),
            "model": name,
            "max_tokens": call.knobs.max_tokens or self.max_tokens,
            "messages": anthropic_turns.rendered(call.messages, name),
        }
        body |= {knob: value for knob, value in knobs.items() if knob not in refused}
        body |= {**_features(call), **thinking(call)}
        system = anthropic_turns.system(call.messages, name)
        if system:
            body["system"] = system
        if stream:
            body["stream"] = True
        dropped = [knob for knob in knobs if knob in refused]
        return Request(self.path, body, warnings=turns.left_out(name, dropped + turns.overridden(plain, body)))

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return anthropic_stream.answer(body)

    def decoder(self) -> Decoder:
        return MessageDecoder(self.refusals)


def _knobs(call: ChatCall) -> Mapping[str, Any]:
    asked = {
        "temperature": call.knobs.temperature,
        "top_p": call.knobs.top_p,
        "stop_sequences": list(call.knobs.stop) or None,
        "seed": call.knobs.seed,
        "presence_penalty": call.knobs.presence_penalty,
        "frequency_penalty": call.knobs.frequency_penalty,
    }
    return {knob: value for knob, value in asked.items() if value is not None}


def _features(call: ChatCall) -> Mapping[str, Any]:
    features: dict[str, Any] = {}
    if call.tools:
        features["tools"] = [_tool(tool) for tool in call.tools]
        if call.tool_choice in _CHOICES:
            features["tool_choice"] = {"type": _CHOICES[call.tool_choice]}
    output: dict[str, Any] = {"effort": call.knobs.extra["effort"]} if "effort" in call.knobs.extra else {}
    if call.response_schema:
        output["format"] = {"type": "json_schema", "schema": call.response_schema.schema}
    return {**features, "output_config": output} if output else features


def _tool(tool: Tool) -> dict[str, Any]:
    description = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **description, "input_schema": tool.parameters}
