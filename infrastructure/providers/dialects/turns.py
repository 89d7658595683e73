"""What several dialects need of a conversation's turns, and of the calls that models make in them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sized
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson

from domain.errors import BadRequestUpstream, InvalidRange, UnsupportedFeature
from domain.model.calls import ChatCall, ImagePart, Message, ToolCall
from infrastructure.providers.spec import Frame
from infrastructure.providers.wire import Malformed, bodies

_CALLS = 1_000


def call_id() -> str:
    """An id for a tool call to which the vendor gave none."""
    return f"call_{uuid4().hex}"


def with_ids(messages: Iterable[Message], fits: re.Pattern[str]) -> tuple[Message, ...]:
    """With ids of tool calls that a vendor takes: those of a conversation that began elsewhere may be others."""
    return tuple(_with_ids(message, fits) for message in messages)


def _with_ids(message: Message, fits: re.Pattern[str]) -> Message:
    calls = tuple(replace(call, id=_fitting(call.id, fits)) for call in message.tool_calls)
    answered = message.tool_call_id and _fitting(message.tool_call_id, fits)
    return replace(message, tool_calls=calls, tool_call_id=answered)


def _fitting(vendor_id: str, fits: re.Pattern[str]) -> str:
    """The id itself, or always the same nine letters and digits for it, which no vendor is known to refuse."""
    return vendor_id if fits.fullmatch(vendor_id) else sha256(vendor_id.encode()).hexdigest()[:9]


def next_call(seen: Sized) -> int:
    """The number of the call after those that a stream has opened, each of which is remembered as long as it lasts.

    BadRequestUpstream for one call too many.
    """
    check_calls(len(seen) + 1)
    return len(seen)


def check_calls(count: int) -> None:
    """BadRequestUpstream for more calls in an answer than any vendor offers a model tools."""
    if count > _CALLS:
        raise not_understood(f"the answer calls more than {_CALLS} tools")


def arguments_text(value: object) -> str:
    """A call's arguments as JSON text: most vendors write text, some an object."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def arguments_object(call: ToolCall) -> Mapping[str, Any]:
    """A call's arguments for a vendor that takes them as an object; InvalidRange when they are none."""
    try:
        value = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise InvalidRange("messages.toolCalls.arguments", "must be a JSON object for this provider")
    return value


def result_object(said: str) -> Mapping[str, Any]:
    """A tool's result for a vendor that takes it as an object: the JSON object that it is, or else as `result`."""
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {"result": said}


def inline(image: ImagePart) -> tuple[str, str]:
    """Media type and base64 of an image without an address."""
    if not (image.media_type and image.data):
        raise InvalidRange("messages.image", "must have an address, or data with its media type")
    return image.media_type, image.data


def refuse_images(message: Message, model: str) -> None:
    """UnsupportedFeature when a turn that can only be text holds an image."""
    if any(isinstance(part, ImagePart) for part in message.parts):
        raise UnsupportedFeature(f"images in {message.role.value} turns", model)


def left_out(model: str, knobs: Iterable[str]) -> tuple[str, ...]:
    """One warning per knob that was asked for and not sent."""
    return tuple(f"{knob} was left out: {model} does not take it" for knob in knobs)


def own_parameters(call: ChatCall, written: frozenset[str]) -> dict[str, Any]:
    """The parameters under the vendor's own names, less those of fields that a dialect writes on its own account."""
    return {name: value for name, value in call.knobs.extra.items() if name not in written}


def without_parameters(call: ChatCall, names: Collection[str]) -> ChatCall:
    """Without those parameters that a dialect writes in another way."""
    rest = {name: value for name, value in call.knobs.extra.items() if name not in names}
    return replace(call, knobs=replace(call.knobs, extra=rest))


def overridden(call: ChatCall, body: Mapping[str, Any]) -> list[str]:
    """Those parameters that a body does not hold as they were asked for, since the dialect knew better."""
    return [name for name, value in call.knobs.extra.items() if name not in body or body[name] != value]


def frame_json(frame: Frame) -> Any:
    """The JSON of a stream's frame; BadRequestUpstream when it is none."""
    try:
        return bodies.parsed(frame.data.encode())
    except Malformed as failure:
        raise not_understood(str(failure)) from None


def not_understood(detail: str) -> BadRequestUpstream:
    """For a 200 that makes no sense; the gateway fills in who sent it."""
    return BadRequestUpstream("", 200, detail)
