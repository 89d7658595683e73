"""Writes a conversation as the Converse API's messages: no system turns, turns that alternate, tool results first."""

import re
from collections.abc import Iterable
from typing import Any

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import ImagePart, Message, Part, Role
from infrastructure.providers.dialects import blocks
from infrastructure.providers.dialects.blocks import Block
from infrastructure.providers.dialects.turns import arguments_object, inline, refuse_images

_CALL_IDS = re.compile("[a-zA-Z0-9_.:-]{1,64}")
_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}


def rendered(messages: Iterable[Message], model: str) -> list[dict[str, Any]]:
    """Turns of one side are merged, since two in a row are refused; so are blank texts, which are left out."""
    merged = blocks.merged(messages, _CALL_IDS, lambda message: _blocks(message, model))
    return [{"role": role, "content": sorted(content, key=_is_no_result)} for role, content in merged]


def _blocks(message: Message, model: str) -> list[Block]:
    if message.role is Role.ASSISTANT:
        refuse_images(message, model)
    parts = [_part(part, model) for part in message.parts if isinstance(part, ImagePart) or part.text.strip()]
    if message.role is Role.TOOL:
        return [{"toolResult": {"toolUseId": message.tool_call_id, "content": parts}}]
    calls = [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": arguments_object(call)}}
        for call in message.tool_calls
    ]
    return parts + calls


def _part(part: Part, model: str) -> Block:
    if not isinstance(part, ImagePart):
        return {"text": part.text}
    if part.url:
        raise UnsupportedFeature("image addresses", model)
    media_type, data = inline(part)
    if media_type not in _FORMATS:
        raise InvalidRange("messages.image", "must be a PNG, JPEG, GIF or WebP for this provider")
    return {"image": {"format": _FORMATS[media_type], "source": {"bytes": data}}}


def _is_no_result(block: Block) -> bool:
    return "toolResult" not in block
