"""OpenAI's chat with models that think unless they are told not to, and cannot be made to call a tool meanwhile."""

from dataclasses import dataclass, replace
from typing import Any, Self

from domain.model.calls import ChatCall, Message, ToolChoice
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.spec import Request

_ASKED = "enable_thinking"
_SILENT = {"thinking": {"type": "disabled"}}


@dataclass(frozen=True)
class ThinkingChat(Chat):
    """`pauses` says that thoughts can be switched off, as a call may wish by `enable_thinking`, and as a required call
    of a tool does. `distracting` are knobs that are refused beside thoughts. `thought` stands for those of old turns
    that called tools, which the vendor wants back and we do not keep; None for none.
    """

    pauses: bool = False
    distracting: frozenset[str] = frozenset()
    thought: str | None = None

    def suited(self, target: Target, call: ChatCall) -> Self:
        suited = super().suited(target, call)
        silent = suited.pauses and (call.knobs.extra.get(_ASKED) is False or _requires(call))
        if silent:
            return replace(suited, chooses=True, extras={**suited.extras, **_SILENT})
        return replace(suited, refused=suited.refused | suited.distracting)

    def written(self, model: str, call: ChatCall, *, stream: bool) -> Request:
        plain = turns.without_parameters(call, {_ASKED}) if self.pauses else call
        request = super().written(model, plain, stream=stream)
        if call.knobs.extra.get(_ASKED) is False or self.extras.keys().isdisjoint(_SILENT):
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


def _requires(call: ChatCall) -> bool:
    return bool(call.tools) and call.tool_choice is ToolChoice.REQUIRED
