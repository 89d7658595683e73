"""DeepSeek: OpenAI's dialect, always thinking; it takes no JSON schema."""

from typing import Any

from domain.model.calls import Message, Role
from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import SAMPLING, Chat
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.deepseek.com"


class ThinkingChat(Chat):
    """Thinking is on by default, and sampling then has no effect."""

    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """The model's turns want their thoughts back once tools are there; we keep none, and an empty text is taken."""
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
    chat=ThinkingChat(refused=SAMPLING | {"seed"}),
    models=Models(),
)
