"""GroqCloud: OpenAI's dialect, with the usage of a stream in an object of its own; it hears, and speaks WAV."""

from typing import Any

from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeechFormat
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.openai_stream import ChunkDecoder
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Frame
from infrastructure.providers.wire.digging import table

_REFUSALS = refusals("groqcloud")


class GroqDecoder(ChunkDecoder):
    """Finds `usage` and `error` of a stream in `x_groq`."""

    def opened(self, frame: Frame) -> Any:
        chunk = super().opened(frame)
        own = table(table(chunk).get("x_groq"))
        return {**table(chunk), **{key: own[key] for key in ("usage", "error") if own.get(key)}}


ADAPTER = Adapter(
    id="groqcloud",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.groq.com/openai/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    chat=Chat(
        "max_completion_tokens",
        include_usage=False,
        refused=PENALTIES,
        refusals=_REFUSALS,
        decodes=GroqDecoder,
        # Qwen mixes its thoughts into the text unless told otherwise, and is not strict about schemas.
        variants={"qwen/": {"strict_schema": False, "extras": {"reasoning_format": "parsed"}}},
    ),
    # Only this format tells how long a recording is, by which it is billed.
    transcribe=Transcribe("verbose_json"),
    speak=Speak("hannah", formats=frozenset({SpeechFormat.WAV})),
    models=Models(),
)
