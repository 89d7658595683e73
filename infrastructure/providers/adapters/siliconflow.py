"""SiliconFlow: many makers' open models in OpenAI's dialect, at a Chinese and an international address."""

from dataclasses import replace
from typing import Self

from domain.model.calls import ChatCall
from domain.model.catalogue import ProviderKind
from domain.model.speech import SpeechFormat
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import either, international, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("siliconflow")


class _Chat(Chat):
    def suited(self, target: Target, call: ChatCall) -> Self:
        """DeepSeek V3.1 calls tools only while it does not think."""
        if call.tools and "/DeepSeek-V3.1" in target.model.name:
            return replace(self, extras={"enable_thinking": False})
        return self


class _Speak(Speak):
    def usual_voice(self, target: Target) -> str:
        """Voices are named after their model, and every model has this one."""
        return f"{target.model.name}:alex"


ADAPTER = Adapter(
    id="siliconflow",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), international()),
    base_url=either("https://api.siliconflow.cn/v1", "https://api.siliconflow.com/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=_REFUSALS,
    chat=_Chat(refusals=_REFUSALS),
    embed=Embed(encoding="float", texts=32),
    rerank=Rerank(),
    # A form of the file and the model is all that it takes.
    transcribe=Transcribe(response_format=None, refused=frozenset({"language", "prompt"})),
    speak=_Speak(formats=frozenset(SpeechFormat) - {SpeechFormat.AAC, SpeechFormat.FLAC}),
    models=Models(),
)
