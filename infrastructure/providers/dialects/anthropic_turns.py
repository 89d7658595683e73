"""Writes a conversation as Anthropic's messages: no system turns, turns that alternate, tool results first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.model.calls import ImagePart, Message, Part, Role, TextPart, ToolCall
from infrastructure.providers.dialects import blocks
from infrastructure.providers.dialects.blocks import Block
from infrastructure.providers.dialects.turns import arguments_object, inline, refuse_images

_CALL_IDS = re.compile("[a-zA-Z0-9_-]+")


def system(messages: Iterable[Message], model: str) -> str:
    """What the system turns say, wherever they stand."""
    said = [message for message in messages if message.role is Role.SYSTEM]
    for message in said:
        refuse_images(message, model)
    return "\n\n".join(message.text for message in said if message.text)


def rendered(messages: Iterable[Message], model: str) -> list[dict[str, Any]]:
    """Turns of one side are merged, which is what the vendor would do; empty texts are refused there, so left out."""
    merged = blocks.merged(messages, _CALL_IDS, lambda message: _blocks(message, model))
    return [{"role": role, "content": _content(content)} for role, content in merged]


def _blocks(message: Message, model: str) -> list[Block]:
    if message.role is Role.TOOL:
        content = _content(_parts(message.parts))
        return [
            {"type": "tool_result", "tool_use_id": message.tool_call_id, **({"content": content} if content else {})}
        ]
    if message.role is Role.ASSISTANT:
        refuse_images(message, model)
    return _parts(message.parts) + [_tool_use(call) for call in message.tool_calls]


def _parts(parts: Sequence[Part]) -> list[Block]:
    return [_part(part) for part in parts if isinstance(part, ImagePart) or part.text]


def _part(part: Part) -> Block:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if part.url:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    media_type, data = inline(part)
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _tool_use(call: ToolCall) -> Block:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call)}


def _content(blocks: list[Block]) -> str | list[Block]:
    """A lone text as a string; tool results, which answer the turn before, ahead of all else."""
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        return str(blocks[0]["text"])
    return sorted(blocks, key=_is_no_result)


def _is_no_result(block: Mapping[str, Any]) -> bool:
    return bool(block["type"] != "tool_result")
