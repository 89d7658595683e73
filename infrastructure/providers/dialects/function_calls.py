"""OpenAI's chat with its first words for calling functions: one call a turn, and no id."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.model.calls import ChatCall, Message, Role, ToolCall
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import openai, turns
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, text


class FunctionChat(openai.Chat):
    """As the demo of an open model serves it, which wants its calls back as the model wrote them."""

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        """Whole where tools are offered: in a stream, the demo answers its own calls with nothing."""
        return super().render(target, call, stream=stream and not call.tools)

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        turns.refuse_images(message, model)
        if message.role is Role.TOOL:
            name = {"name": message.tool_name} if message.tool_name else {}
            return {"role": "function", **name, "content": message.text}
        if message.tool_calls:
            called = {"name": message.tool_calls[0].name, "arguments": message.tool_calls[0].arguments}
            written = "<|assistant|>".join(map(_written, message.tool_calls))
            return {"role": "assistant", "content": written, "function_call": called}
        return {"role": message.role.value, "content": message.text}

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        """What the model wrote to make a call is no answer."""
        answer = super().parse(body)
        call = dig(body, "choices", 0, "message", "function_call")
        name = text(dig(call, "name"))
        if not name:
            return answer
        called = ToolCall(turns.call_id(), name, turns.arguments_text(dig(call, "arguments")))
        return replace(answer, text="" if answer.text.startswith(name) else answer.text, tool_calls=(called,))


def _written(call: ToolCall) -> str:
    """A call as the model itself wrote it, which the demo wants back."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in turns.arguments_object(call).items())
    return f"{call.name}\n ```python\ntool_call({arguments})\n```"
