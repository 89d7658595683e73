"""Amazon's Converse API, one shape over the chat models of many makers (its service model of 2023-09-30)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from domain.errors import UpstreamError
from domain.model.calls import ChatCall, Tool, ToolChoice
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import anthropic_turns, converse_stream, converse_turns, turns
from infrastructure.providers.dialects.anthropic import takes_default_sampling_only, thinking, thoughtless
from infrastructure.providers.dialects.converse_stream import ConverseDecoder
from infrastructure.providers.spec import Decoder, Frame, Framing, Request

_UNKNOWN = frozenset({"seed", "presence_penalty", "frequency_penalty"})
_SAMPLING = frozenset({"temperature", "topP"})


@dataclass(frozen=True)
class Converse:
    """POST model/{id}/converse. `fault` tells the meaning of a failure that a stream reports.

    Parameters under a maker's own names go into `additionalModelRequestFields`; but `effort` has a field of its own,
    and `include_thoughts` asks Claude for a summary. Thinking is read but not sent back with the next turn: our
    vocabulary has no place for its signature.
    """

    fault: Callable[[Frame], UpstreamError]
    framing: Framing = Framing.EVENT_STREAM

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        refused = _UNKNOWN | (_SAMPLING if takes_default_sampling_only(name) else frozenset())
        knobs = _knobs(call)
        taken = {knob: value for knob, value in knobs.items() if knob not in refused}
        body: dict[str, Any] = {"messages": converse_turns.rendered(call.messages, name)}
        if said := anthropic_turns.system(call.messages, name):
            body["system"] = [{"text": said}]
        if taken:
            body["inferenceConfig"] = taken
        if own := {**thoughtless(call).knobs.extra, **thinking(call)}:
            body["additionalModelRequestFields"] = own
        body |= _features(call)
        dropped = [knob for knob in knobs if knob in refused]
        if "toolConfig" in body and call.tool_choice is ToolChoice.NONE:
            dropped.append("tool choice none")
        return Request(_path(name, stream=stream), body, warnings=turns.left_out(name, dropped))

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return converse_stream.answer(body)

    def decoder(self) -> Decoder:
        return ConverseDecoder(self.fault)


def _path(model: str, *, stream: bool) -> str:
    """The id is one segment of the path, also where it is an ARN."""
    return f"model/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}"


def _knobs(call: ChatCall) -> Mapping[str, Any]:
    asked = {
        "maxTokens": call.knobs.max_tokens,
        "temperature": call.knobs.temperature,
        "topP": call.knobs.top_p,
        "stopSequences": list(call.knobs.stop) or None,
        "seed": call.knobs.seed,
        "presence_penalty": call.knobs.presence_penalty,
        "frequency_penalty": call.knobs.frequency_penalty,
    }
    return {knob: value for knob, value in asked.items() if value is not None}


def _features(call: ChatCall) -> Mapping[str, Any]:
    features: dict[str, Any] = {}
    if call.tools and (call.tool_choice is not ToolChoice.NONE or _calls_tools(call)):
        features["toolConfig"] = {"tools": [_tool(tool) for tool in call.tools]}
        if call.tool_choice is ToolChoice.REQUIRED:
            features["toolConfig"]["toolChoice"] = {"any": {}}
    output: dict[str, Any] = {"effort": call.knobs.extra["effort"]} if "effort" in call.knobs.extra else {}
    if call.response_schema:
        schema = {"name": call.response_schema.name, "schema": orjson.dumps(call.response_schema.schema).decode()}
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    return {**features, "outputConfig": output} if output else features


def _calls_tools(call: ChatCall) -> bool:
    """Whether a turn before called one: then the tools must be declared again, and there is no way to forbid them."""
    return any(message.tool_calls for message in call.messages)


def _tool(tool: Tool) -> dict[str, Any]:
    description = {"description": tool.description} if tool.description else {}
    return {"toolSpec": {"name": tool.name, **description, "inputSchema": {"json": tool.parameters}}}
