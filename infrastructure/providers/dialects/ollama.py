"""Ollama's native API: chat as newline-delimited JSON, and embeddings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import StreamBroken, UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall, ImagePart, Message, Role, ToolCall, ToolChoice
from domain.model.events import (
    ChatAnswer,
    ChatEvent,
    Embeddings,
    Finish,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai import rendered_tool
from infrastructure.providers.dialects.openai_embed import in_order
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.dialects.turns import (
    arguments_object,
    arguments_text,
    call_id,
    frame_json,
    inline,
    not_understood,
    refuse_images,
)
from infrastructure.providers.spec import Decoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

_BESIDE_OPTIONS = frozenset({"think", "keep_alive", "truncate", "shift", "logprobs", "top_logprobs"})
"""What a request says outside its options (ChatRequest in the vendor's OpenAPI and api/types.go)."""


@dataclass(frozen=True)
class Chat:
    """POST api/chat. `context` is the form's field that states the context window, which the server else picks itself.

    Without `stream` the server streams, so it is always said. It knows no tool choice: "none" leaves the tools out.
    """

    context: str = "context_size"
    path: str = "api/chat"
    refusals: Refusals = USUAL
    framing: Framing = Framing.NDJSON

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        body: dict[str, Any] = {"model": name, "messages": _turns(call.messages, name), "stream": stream}
        body |= {name: value for name, value in call.knobs.extra.items() if name in _BESIDE_OPTIONS}
        options = self._options(target, call)
        if options:
            body["options"] = options
        if call.tools and call.tool_choice is ToolChoice.REQUIRED:
            raise UnsupportedFeature("a required tool call", name)
        if call.tools and call.tool_choice is ToolChoice.AUTO:
            body["tools"] = [rendered_tool(tool) for tool in call.tools]
        if call.response_schema:
            body["format"] = call.response_schema.schema
        return Request(self.path, body, warnings=turns.left_out(name, turns.overridden(call, {**body, **options})))

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        message = dig(body, "message")
        if not isinstance(message, dict):
            raise not_understood("the answer has no message")
        calls = tuple(_call(item) for item in rows(message.get("tool_calls")))
        reason = _finish(text(dig(body, "done_reason")), calls=bool(calls))
        return ChatAnswer(text(message.get("content")), text(message.get("thinking")), calls, reason, _usage(body))

    def decoder(self) -> Decoder:
        return LineDecoder(self.refusals)

    def _options(self, target: Target, call: ChatCall) -> Mapping[str, Any]:
        stated = target.form.get(self.context)
        asked = {
            "num_ctx": int(str(stated)) if stated else None,
            "num_predict": call.knobs.max_tokens,
            "temperature": call.knobs.temperature,
            "top_p": call.knobs.top_p,
            "seed": call.knobs.seed,
            "stop": list(call.knobs.stop) or None,
            "presence_penalty": call.knobs.presence_penalty,
            "frequency_penalty": call.knobs.frequency_penalty,
        }
        own = turns.own_parameters(call, _BESIDE_OPTIONS)
        return {**own, **{option: value for option, value in asked.items() if value is not None}}


class LineDecoder:
    """Complete with the line that says `done`. A tool call comes whole, in one line."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._calls = 0
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over:
            return
        line = frame_json(frame)
        if table(line).get("error"):
            raise self._refusals("", ErrorReply(200, {}, line))
        message = dig(line, "message")
        if thought := text(dig(message, "thinking")):
            yield ReasoningDelta(thought)
        if said := text(dig(message, "content")):
            yield TextDelta(said)
        for call in map(_call, rows(dig(message, "tool_calls"))):
            yield ToolCallDelta(self._calls, call.id, call.name, call.arguments)
            self._calls += 1
        if dig(line, "done") is True:
            self._over = True
            yield Finished(_finish(text(dig(line, "done_reason")), calls=self._calls > 0), _usage(line))

    def end(self) -> Iterator[ChatEvent]:
        if not self._over:
            raise StreamBroken("", 200)
        return iter(())


@dataclass(frozen=True)
class Embed:
    """POST api/embed. A text that is too long is an error: by default the server would cut it silently."""

    texts: int = 512
    path: str = "api/embed"

    def render(self, target: Target, call: EmbedCall) -> Request:
        body: dict[str, Any] = {"model": target.model.name, "input": list(call.texts), "truncate": False}
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        return Request(self.path, body)

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        return Embeddings(in_order(dig(body, "embeddings"), count), _embedded(body))

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts


def _turns(messages: tuple[Message, ...], model: str) -> list[dict[str, Any]]:
    """A tool's result names the tool: a call's id is not known to every server."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [_turn(message, names, model) for message in messages]


def _turn(message: Message, names: Mapping[str, str], model: str) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.role is Role.TOOL:
        name = message.tool_name or names.get(message.tool_call_id or "")
        turn |= {"tool_name": name} if name else {"tool_call_id": message.tool_call_id}
    if message.role is Role.USER:
        images = [_image(part, model) for part in message.parts if isinstance(part, ImagePart)]
        turn |= {"images": images} if images else {}
    else:
        refuse_images(message, model)
    if message.tool_calls:
        calls = [{"function": {"name": c.name, "arguments": arguments_object(c)}} for c in message.tool_calls]
        turn["tool_calls"] = calls
    return turn


def _image(part: ImagePart, model: str) -> str:
    """Bare base64."""
    if part.url:
        raise UnsupportedFeature("image addresses", model)
    return inline(part)[1]


def _call(item: Any) -> ToolCall:
    function = dig(item, "function")
    arguments = arguments_text(dig(function, "arguments"))
    return ToolCall(text(dig(item, "id")) or call_id(), text(dig(function, "name")), arguments)


def _finish(raw: str, *, calls: bool) -> FinishReason:
    """done_reason stays "stop" when the model calls a tool."""
    if raw == "length":
        return FinishReason(Finish.LENGTH, raw)
    return FinishReason(Finish.TOOL_CALLS if calls else Finish.STOP, raw)


_COUNTS = ("prompt_eval_count", "eval_count", "total_duration", "load_duration")


def _usage(body: object) -> Usage:
    """The prompt's count is left out when it was cached."""
    counts = {name: table(body)[name] for name in _COUNTS if name in table(body)}
    return Usage(tally(counts.get("prompt_eval_count")), tally(counts.get("eval_count")), raw=counts)


def _embedded(body: object) -> Usage:
    """Embeddings have no output."""
    usage = _usage(body)
    return Usage(usage.input, None if usage.input is None else 0, raw=usage.raw)
