"""Moonshot AI, maker of Kimi: OpenAI's dialect. Keys of its mainland site (api.moonshot.cn) need that address."""

from typing import Any

from domain.model.calls import Message
from domain.model.catalogue import ProviderKind
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import SAMPLING, Chat
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.moonshot.ai/v1"
_REFUSALS = refusals("moonshot_ai")


class KimiChat(Chat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """Kimi wants its thoughts back where it called tools; we keep none, and a blank is the least it takes."""
        blank = {} if model.startswith("moonshot-v1") else {"reasoning_content": " "}
        called = {"content": message.text, **blank} if message.tool_calls else {}
        return {**super().turn(message, model), **called}


ADAPTER = Adapter(
    id="moonshot_ai",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), base("endpoint_url", _HOME)),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    chat=KimiChat(
        max_tokens="max_completion_tokens",
        refused=SAMPLING | {"seed"},
        # Only these, the eldest, take sampling.
        variants={"moonshot-v1": {"refused": frozenset({"seed"})}},
        refusals=_REFUSALS,
    ),
    models=Models(),
)
