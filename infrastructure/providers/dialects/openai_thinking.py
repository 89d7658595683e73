"""OpenAI's chat with models that think unless they are told not to, and cannot be made to call a tool meanwhile."""

from dataclasses import dataclass, replace
from typing import Any, Self

from domain.model.calls import ChatCall, Message, ToolChoice
from domain.ports import Target
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.spec import Request

_SILENT = {"thinking": {"type": "disabled"}}


@dataclass(frozen=True)
class ThinkingChat(Chat):
    """`pauses` says that a required call of a tool switches the thoughts off; `thought` stands for those of old turns
    that called tools, which the vendor wants back and we do not keep; None for none.
    """

    pauses: bool = False
    thought: str | None = None

    def suited(self, target: Target, call: ChatCall) -> Self:
        suited = super().suited(target, call)
        required = call.tools and call.tool_choice is ToolChoice.REQUIRED
        if not (suited.pauses and required):
            return suited
        return replace(suited, chooses=True, extras={**suited.extras, **_SILENT})

    def written(self, model: str, call: ChatCall, *, stream: bool) -> Request:
        request = super().written(model, call, stream=stream)
        if self.extras.keys().isdisjoint(_SILENT):
            return request
        silent = f"thinking was left out: {model} cannot think where a tool call is required"
        return replace(request, warnings=(*request.warnings, silent))

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """Turns that called tools have a text, if an empty one."""
        turn = super().turn(message, model)
        if message.tool_calls:
            turn["content"] = message.text
            turn |= {} if self.thought is None else {"reasoning_content": self.thought}
        return turn
