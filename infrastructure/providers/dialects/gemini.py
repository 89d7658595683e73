"""Gemini's generateContent, as Google serves it at the Gemini API and in its cloud."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from domain.model.calls import ChatCall, Tool, ToolChoice
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import gemini_stream, gemini_turns, turns
from infrastructure.providers.dialects.anthropic_turns import system
from infrastructure.providers.dialects.gemini_stream import ContentDecoder
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.spec import Decoder, Framing, Request

Place = Callable[[Target, str], Request]
"""Where a method of a model is, by its name."""

_VERSIONED = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_NEWEST = (99, 0)
_CHOICES = {ToolChoice.REQUIRED: "ANY", ToolChoice.NONE: "NONE"}
_SAMPLING = frozenset({"temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty"})
_CONFIGURED = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_THINKING = {
    "include_thoughts": "includeThoughts",
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
}


def version(name: str) -> tuple[int, int] | None:
    """That of a Gemini model, where a name without one means the newest; None for a model of another line."""
    if not name.startswith("gemini-"):
        return None
    found = _VERSIONED.match(name)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def samples_as_it_pleases(name: str) -> bool:
    """From 3.6 on, and 3.5 Flash-Lite before it, models pass over the parameters of sampling."""
    return (version(name) or (0, 0)) >= (3, 6) or name.startswith("gemini-3.5-flash-lite")


def demands_thoughts(name: str) -> bool:
    """From 3 on, a call must come back with the signature of the thought behind it."""
    return (version(name) or (0, 0)) >= (3, 0)


def model_path(name: str, method: str) -> str:
    """A model's method below the API's version; what a name may not hold there is escaped."""
    return f"models/{quote(name, safe='@')}:{method}"


def placed(target: Target, method: str) -> Request:
    """Where a method of a model is, without anything to send there."""
    return Request(f"v1/{model_path(target.model.name, method)}")


@dataclass(frozen=True)
class GenerateContent:
    """POST models/{model}:generateContent at `place`, or :streamGenerateContent for server-sent events.

    Thoughts are billed always and told only when `include_thoughts` asks for them.
    """

    place: Place = placed
    refusals: Refusals = GOOGLE
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        contents = gemini_turns.rendered(call.messages, name, signed=demands_thoughts(name))
        body: dict[str, Any] = {"contents": contents}
        if told := system(call.messages, name):
            body["systemInstruction"] = {"role": "user", "parts": [{"text": told}]}
        asked = _asked(call)
        refused = _SAMPLING if samples_as_it_pleases(name) else frozenset()
        if config := _config({knob: value for knob, value in asked.items() if knob not in refused}, call):
            body["generationConfig"] = config
        warnings = turns.left_out(name, [k for k in asked if k in refused or k not in {**_CONFIGURED, **_THINKING}])
        place = self.place(target, "streamGenerateContent" if stream else "generateContent")
        return replace(place, json=body | _tools(call), query={"alt": "sse"} if stream else {}, warnings=warnings)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return gemini_stream.answer(body)

    def decoder(self) -> Decoder:
        return ContentDecoder(self.refusals)


def _asked(call: ChatCall) -> Mapping[str, Any]:
    """Every knob that is set, under our names; those of one model under the names of its rules."""
    asked = {
        "temperature": call.knobs.temperature,
        "top_p": call.knobs.top_p,
        "max_tokens": call.knobs.max_tokens,
        "stop": list(call.knobs.stop) or None,
        "seed": call.knobs.seed,
        "presence_penalty": call.knobs.presence_penalty,
        "frequency_penalty": call.knobs.frequency_penalty,
    }
    return {**call.knobs.extra, **{knob: value for knob, value in asked.items() if value is not None}}


def _config(asked: Mapping[str, Any], call: ChatCall) -> Mapping[str, Any]:
    config: dict[str, Any] = {_CONFIGURED[knob]: value for knob, value in asked.items() if knob in _CONFIGURED}
    if thinking := {_THINKING[knob]: value for knob, value in asked.items() if knob in _THINKING}:
        config["thinkingConfig"] = thinking
    if call.response_schema:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = call.response_schema.schema
    return config


def _tools(call: ChatCall) -> dict[str, Any]:
    """A choice of auto is the default and is not sent."""
    if not call.tools:
        return {}
    tools = {"tools": [{"functionDeclarations": [_declared(tool) for tool in call.tools]}]}
    if call.tool_choice not in _CHOICES:
        return tools
    return {**tools, "toolConfig": {"functionCallingConfig": {"mode": _CHOICES[call.tool_choice]}}}


def _declared(tool: Tool) -> dict[str, Any]:
    """The schema goes as JSON Schema: the vendor's older form of it lacks many of its words."""
    description = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **description, "parametersJsonSchema": tool.parameters}
