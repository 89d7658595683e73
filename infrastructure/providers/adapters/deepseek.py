"""DeepSeek: OpenAI's dialect, always thinking; it takes no JSON schema."""

from dataclasses import replace
from typing import Any

from domain.model.calls import ChatCall, Message, Role
from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import SAMPLING
from infrastructure.providers.dialects.openai_thinking import ThinkingChat
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_HOME = "https://api.deepseek.com"


class DeepSeekChat(ThinkingChat):
    def written(self, model: str, call: ChatCall, *, stream: bool) -> Request:
        """A turn in which the model said nothing and called nothing is refused, so left out."""
        told = (turn for turn in call.messages if turn.role is not Role.ASSISTANT or turn.text or turn.tool_calls)
        return super().written(model, replace(call, messages=tuple(told)), stream=stream)

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """All of the model's turns want their thoughts back once tools are there; an empty text is taken for them."""
        thought = {"reasoning_content": ""} if message.role is Role.ASSISTANT else {}
        return {**super().turn(message, model), **thought}


ADAPTER = Adapter(
    id="deepseek",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), base("endpoint_url", _HOME)),
    base_url=at("endpoint_url", _HOME),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=USUAL,
    # Thinking is on by default; sampling then has no effect, and no tool choice is taken.
    chat=DeepSeekChat(refused=frozenset({"seed"}), distracting=SAMPLING, chooses=False, pauses=True),
    models=Models(),
)
