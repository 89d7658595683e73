"""GroqCloud: OpenAI's dialect, with the usage of a stream in an object of its own."""

from dataclasses import dataclass, replace
from typing import Any, Self

from domain.model.calls import ChatCall
from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_stream import ChunkDecoder
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Decoder, Frame
from infrastructure.providers.wire.digging import table

_PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
_REFUSALS = refusals("groqcloud")


class GroqDecoder(ChunkDecoder):
    """Finds `usage` and `error` of a stream in `x_groq`."""

    def opened(self, frame: Frame) -> Any:
        chunk = super().opened(frame)
        own = table(table(chunk).get("x_groq"))
        return {**table(chunk), **{key: own[key] for key in ("usage", "error") if own.get(key)}}


@dataclass(frozen=True)
class GroqChat(Chat):
    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - the model alone decides
        """Qwen mixes its thoughts into the text unless told otherwise, and is not strict about schemas."""
        if not target.model.name.startswith("qwen/"):
            return self
        return replace(self, strict_schema=False, extras={"reasoning_format": "parsed"})

    def decoder(self) -> Decoder:
        return GroqDecoder(self.refusals)


ADAPTER = Adapter(
    id="groqcloud",
    label=Text("GroqCloud"),
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.groq.com/openai/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    key_page="https://console.groq.com/keys",
    chat=GroqChat("max_completion_tokens", include_usage=False, refused=_PENALTIES, refusals=_REFUSALS),
    models=Models(),
)
