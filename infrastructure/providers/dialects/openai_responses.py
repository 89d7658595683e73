"""OpenAI's /responses (openai/openai-openapi at f85dbe22): turns, calls of tools and thoughts are items, in and out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.model.calls import ChatCall, ImagePart, Message, Part, Role, TextPart, Tool, ToolCall, ToolChoice
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai_responses_stream import ItemDecoder, finish, usage
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import Decoder, ErrorReply, Framing, Request
from infrastructure.providers.wire.digging import dig, rows, table, text

_APART = ("reasoning_effort", "verbosity")
_WRITTEN = frozenset({"input", "stream", "tools", "tool_choice", "store", "reasoning", "text"})


@dataclass(frozen=True)
class Responses:
    """POST responses. The vendor is asked to store nothing, so that each call brings the whole conversation.

    Models that reason take no sampling, unless the call switches reasoning off. `stop`, `seed` and penalties are not
    known here.
    """

    refusals: Refusals = USUAL
    path: str = "responses"
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        model, knobs = target.model.name, call.knobs
        effort, verbosity = (knobs.extra.get(name) for name in _APART)
        sampling = {"temperature": knobs.temperature, "top_p": knobs.top_p}
        sampled = sampling if effort == "none" else {}
        unknown = {
            **({} if sampled else sampling),
            "stop": knobs.stop or None,
            "seed": knobs.seed,
            "presence_penalty": knobs.presence_penalty,
            "frequency_penalty": knobs.frequency_penalty,
        }
        own = turns.own_parameters(call, _WRITTEN.union(_APART))
        body = {
            **own,
            "model": model,
            "input": [item for message in call.messages for item in _items(message, model)],
            "store": False,
            **_present({"max_output_tokens": knobs.max_tokens, **sampled, "stream": stream or None}),
            **_present({"reasoning": _present({"effort": effort}), "text": _text(call, verbosity)}),
            **_tools(call),
        }
        dropped = [name for name, value in unknown.items() if value is not None]
        dropped += turns.overridden(turns.without_parameters(call, _APART), body)
        return Request(self.path, body, warnings=turns.left_out(model, dropped))

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        """An UpstreamError when it failed, or has no output."""
        if not isinstance(body.get("output"), list):
            raise turns.not_understood("the answer has no output")
        if body.get("status") == "failed":
            raise self.refusals("", ErrorReply(200, {}, body))
        said, refused, thoughts, calls = _read(body)
        return ChatAnswer(said, thoughts, calls, finish(body, calls=bool(calls), refused=refused), usage(body))

    def decoder(self) -> Decoder:
        return ItemDecoder(self.refusals)


def _items(message: Message, model: str) -> Iterator[dict[str, Any]]:
    """A turn, and the calls that it made, as items of their own."""
    if message.role is Role.USER:
        alone = all(isinstance(part, TextPart) for part in message.parts)
        yield {"role": "user", "content": message.text if alone else [_part(part) for part in message.parts]}
        return
    turns.refuse_images(message, model)
    if message.role is Role.TOOL:
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": message.text}
        return
    if message.text or not message.tool_calls:
        yield {"role": message.role.value, "content": message.text}
    for call in message.tool_calls:
        yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    return {"type": "input_image", "image_url": part.url or _data_url(part), "detail": "auto"}


def _data_url(image: ImagePart) -> str:
    media_type, data = turns.inline(image)
    return f"data:{media_type};base64,{data}"


def _tools(call: ChatCall) -> Mapping[str, Any]:
    """A choice of auto is the default and is not sent."""
    if not call.tools:
        return {}
    chosen = {} if call.tool_choice is ToolChoice.AUTO else {"tool_choice": call.tool_choice.value}
    return {"tools": [_tool(tool) for tool in call.tools], **chosen}


def _tool(tool: Tool) -> dict[str, Any]:
    """Strict unless told otherwise, which not every schema could be."""
    described = {"description": tool.description} if tool.description else {}
    return {"type": "function", "name": tool.name, **described, "parameters": tool.parameters, "strict": False}


def _text(call: ChatCall, verbosity: object) -> Mapping[str, Any]:
    schema = call.response_schema
    wanted = schema and {"type": "json_schema", "name": schema.name, "strict": True, "schema": schema.schema}
    return _present({"format": wanted, "verbosity": verbosity})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, {})}


def _read(body: object) -> tuple[str, bool, str, tuple[ToolCall, ...]]:
    """What was said, whether that is a refusal, what was thought, and what is to be called."""
    items = rows(dig(body, "output"))
    parts = [part for item in items if dig(item, "type") == "message" for part in rows(dig(item, "content"))]
    refused = "".join(text(dig(part, "refusal")) for part in parts)
    said = "".join(text(dig(part, "text")) for part in parts)
    summaries = [s for item in items if dig(item, "type") == "reasoning" for s in rows(dig(item, "summary"))]
    asked = [item for item in items if dig(item, "type") == "function_call"]
    turns.check_calls(len(asked))
    calls = tuple(map(_call, asked))
    return said + refused, bool(refused), "\n\n".join(text(dig(s, "text")) for s in summaries), calls


def _call(item: object) -> ToolCall:
    row = table(item)
    return ToolCall(text(row.get("call_id")) or turns.call_id(), text(row.get("name")), text(row.get("arguments")))
