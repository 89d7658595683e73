"""Together AI: OpenAI's dialect for models of any maker. Of its modes, only chat is spoken."""

from typing import Any

from domain.model.calls import Message
from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, context, fixed, max_output, mode, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter


class TogetherChat(Chat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """The specification wants tool calls numbered."""
        turn = super().turn(message, model)
        for index, call in enumerate(turn.get("tool_calls", ())):
            call["index"] = index
        return turn


ADAPTER = Adapter(
    id="together_ai",
    kind=ProviderKind.HOSTED,
    form=(
        secret("api_key"),
        mode(),
        context(4096, ()),
        max_output(4096),
        *abilities(),
    ),
    base_url=fixed("https://api.together.ai/v1"),
    sign=bearer("api_key"),
    **called(TogetherChat(include_usage=False), Embed(encoding=None)),
    error=USUAL,
    models=Models(),
)
