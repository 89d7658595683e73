"""Writes a conversation as Gemini's contents: two roles, turns that alternate, calls and results by name and id."""

from collections.abc import Iterable, Mapping
from mimetypes import guess_type
from typing import Any

from domain.errors import InvalidRange
from domain.model.calls import ImagePart, Message, Part, Role, TextPart, ToolCall
from infrastructure.providers.dialects.turns import arguments_object, inline, refuse_images, result_object

_MARK = "-thought-"
_TO_URL = str.maketrans("+/", "-_")
_FROM_URL = str.maketrans("-_", "+/")

UNSIGNED = "skip_thought_signature_validator"
"""What the vendor documents as the signature of calls that it did not make itself."""


def with_thought(call_id: str, signature: str) -> str:
    """A call's id that carries the signature of the thought behind it, which has to come back with the call.

    Letters, digits, - and _ only: other vendors may see the id too.
    """
    return f"{call_id}{_MARK}{signature.rstrip('=').translate(_TO_URL)}" if signature else call_id


def without_thought(call_id: str) -> tuple[str, str]:
    """The vendor's id and signature, which is empty where there was none."""
    own, _, packed = call_id.partition(_MARK)
    return own, packed.translate(_FROM_URL) + "=" * (-len(packed) % 4)


def rendered(messages: tuple[Message, ...], model: str, *, signed: bool) -> list[dict[str, Any]]:
    """All but the system turns, those of one side merged and empty texts left out.

    With `signed`, the first call of a turn has a signature even when its maker gave none: the model demands one.
    """
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            continue
        role = "model" if message.role is Role.ASSISTANT else "user"
        if not merged or merged[-1][0] != role:
            merged.append((role, []))
        merged[-1][1].extend(_parts(message, names, model, signed=signed))
    return [{"role": role, "parts": parts} for role, parts in merged if parts]


def _parts(message: Message, names: Mapping[str, str], model: str, *, signed: bool) -> list[dict[str, Any]]:
    if message.role is Role.USER:
        return [_part(part) for part in _filled(message.parts)]
    refuse_images(message, model)
    if message.role is Role.TOOL:
        return [_result(message, names)]
    said = [_part(part) for part in _filled(message.parts)]
    return said + [_call(call, signed=signed and not at) for at, call in enumerate(message.tool_calls)]


def _filled(parts: Iterable[Part]) -> Iterable[Part]:
    return (part for part in parts if isinstance(part, ImagePart) or part.text)


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if part.url:
        media_type = part.media_type or guess_type(part.url.partition("?")[0])[0]
        return {"fileData": {"fileUri": part.url, **({"mimeType": media_type} if media_type else {})}}
    media_type, data = inline(part)
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _call(call: ToolCall, *, signed: bool) -> dict[str, Any]:
    own, signature = without_thought(call.id)
    signature = signature or (UNSIGNED if signed else "")
    part = {"functionCall": {"id": own, "name": call.name, "args": arguments_object(call)}}
    return {**part, "thoughtSignature": signature} if signature else part


def _result(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    """The name of the tool is demanded; the calls before tell it when the turn does not."""
    name = message.tool_name or names.get(message.tool_call_id or "")
    if not name:
        raise InvalidRange("messages.toolName", "must name the tool for this provider, since no call before does")
    own, _ = without_thought(message.tool_call_id or "")
    return {"functionResponse": {"id": own, "name": name, "response": result_object(message.text)}}
