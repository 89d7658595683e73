"""Moonshot AI, maker of Kimi: OpenAI's dialect. Keys of its mainland site (api.moonshot.cn) need that address."""

from typing import Any

from domain.errors import UnsupportedFeature
from domain.model.calls import ImagePart, Message
from domain.model.catalogue import ProviderKind
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import SAMPLING
from infrastructure.providers.dialects.openai_thinking import ThinkingChat
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.moonshot.ai/v1"
_REFUSALS = refusals("moonshot_ai")


class KimiChat(ThinkingChat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        if any(isinstance(part, ImagePart) and part.url for part in message.parts):
            raise UnsupportedFeature("image addresses", model)
        return super().turn(message, model)


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
        # Where Kimi called tools, it wants its thoughts back, and a blank is the least that it takes.
        thought=" ",
        variants={
            # Only these, the eldest, take sampling; they do not think.
            "moonshot-v1": {"refused": frozenset({"seed"}), "thought": None},
            # A call of a tool cannot be required of these while they think, which the code model always does.
            r"kimi-k2\.7": {"chooses": False},
            r"kimi-k2\.": {"pauses": True},
        },
        refusals=_REFUSALS,
    ),
    models=Models(),
)
