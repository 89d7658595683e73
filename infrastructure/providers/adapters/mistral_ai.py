"""Mistral AI: OpenAI's dialect with a few names of its own, and reasoning as parts of the content."""

import re
from dataclasses import replace
from hashlib import sha256

from domain.model.calls import ChatCall, Message
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
_REFUSALS = refusals("mistral_ai")


class _Chat(Chat):
    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        """With ids of tool calls that the vendor takes: those of a conversation that began elsewhere are others."""
        own = replace(call, messages=tuple(map(_with_own_ids, call.messages)))
        return super().render(target, own, stream=stream)


def _with_own_ids(message: Message) -> Message:
    calls = tuple(replace(call, id=_own_id(call.id)) for call in message.tool_calls)
    return replace(message, tool_calls=calls, tool_call_id=message.tool_call_id and _own_id(message.tool_call_id))


def _own_id(call_id: str) -> str:
    """The id itself, or always the same nine characters for it."""
    return call_id if _CALL_ID.fullmatch(call_id) else sha256(call_id.encode()).hexdigest()[:9]


ADAPTER = Adapter(
    id="mistral_ai",
    label=Text("Mistral AI"),
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.mistral.ai/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    key_page="https://console.mistral.ai/api-keys",
    chat=_Chat(seed="random_seed", include_usage=False, refusals=_REFUSALS),
    # One request holds about 16,000 tokens.
    embed=Embed(encoding=None, dimensions="output_dimension", texts=16),
    models=Models(),
)
