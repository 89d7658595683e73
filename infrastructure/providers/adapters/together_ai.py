"""Together AI: OpenAI's dialect for models of any maker. Of its modes, only chat is spoken."""

from dataclasses import dataclass, replace
from typing import Any

from domain.model.calls import Message
from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeakCall, SpeechFormat
from domain.ports import Target
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_audio import Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import abilities, context, fixed, max_output, mode, secret, voices
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_VOICES = {"canopylabs/": "tara", "hexgrad/": "af_alloy", "cartesia/": "friendly sidekick"}
"""A voice of each line of models that the specification names: there is none that all have."""


class TogetherChat(Chat):
    def turn(self, message: Message, model: str) -> dict[str, Any]:
        """The specification wants tool calls numbered."""
        turn = super().turn(message, model)
        for index, call in enumerate(turn.get("tool_calls", ())):
            call["index"] = index
        return turn


@dataclass(frozen=True)
class TogetherSpeak(hosted.Speak):
    formats: frozenset[SpeechFormat] = frozenset({SpeechFormat.MP3, SpeechFormat.WAV, SpeechFormat.PCM})
    refused: frozenset[str] = frozenset({"speed"})

    def usual_voice(self, target: Target) -> str:
        line = (voice for start, voice in _VOICES.items() if target.model.name.startswith(start))
        return super().usual_voice(target) or next(line, self.voice)

    def render(self, target: Target, call: SpeakCall) -> Request:
        """Bare samples are 32-bit floats unless others are asked for."""
        request = super().render(target, call)
        if call.format is not SpeechFormat.PCM:
            return request
        raw = {"response_format": "raw", "response_encoding": "pcm_s16le"}
        return replace(request, json={**(request.json or {}), **raw})


ADAPTER = Adapter(
    id="together_ai",
    kind=ProviderKind.HOSTED,
    form=(
        secret("api_key"),
        mode(),
        context(4096),
        max_output(4096),
        *abilities(),
        voices(None),
    ),
    base_url=fixed("https://api.together.ai/v1"),
    sign=bearer("api_key"),
    **called(
        TogetherChat(include_usage=False),
        Embed(encoding=None),
        Rerank(),
        # It hears English unless told, and tells how long a recording is only in this format.
        Transcribe("verbose_json", extras={"language": "auto"}),
        TogetherSpeak(""),
    ),
    error=USUAL,
    models=Models(),
)
