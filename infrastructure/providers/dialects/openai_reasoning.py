"""OpenAI's chat as its reasoning models want it."""

from dataclasses import dataclass, replace
from typing import Self

from domain.model.calls import ChatCall
from domain.ports import Target
from infrastructure.providers.dialects import openai_models as names
from infrastructure.providers.dialects.openai import Chat

_SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})


@dataclass(frozen=True)
class ReasoningChat(Chat):
    """/chat/completions for every model.

    From GPT-5.6 on, that endpoint takes function tools only with `reasoning_effort` "none", so tools switch reasoning
    off there, and sampling is then accepted.
    """

    def origin(self, target: Target) -> str:
        """OpenAI's own name of the model, which tells what it refuses."""
        return target.model.name

    def suited(self, target: Target, call: ChatCall) -> Self:
        name = self.origin(target)
        if not names.reasons(name):
            return self
        silent = bool(call.tools) and names.reasons_or_calls_tools(name)
        refused = frozenset() if silent else _SAMPLING
        if names.takes_no_stop(name):
            refused |= {"stop"}
        effort = {"reasoning_effort": "none"} if silent else {}
        return replace(self, max_tokens="max_completion_tokens", refused=refused, extras={**self.extras, **effort})
