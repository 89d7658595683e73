"""Xinference, over OpenAI's paths and its own for reranking; each launched model is known by its uid."""

from dataclasses import dataclass, replace
from typing import Any

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from domain.model.speech import SpeakCall
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_hosted import (
    HostedChat,
    HostedEmbed,
    HostedRerank,
    HostedSpeak,
    HostedTranscribe,
)
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.forms import READING, abilities, address, at, choice, secret, text, voices, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request
from infrastructure.providers.wire.digging import dig
from infrastructure.providers.wire.digging import text as string

_SPEAKERS = frozenset({"ChatTTS", "CosyVoice", "FishAudio"})


class _Speak(HostedSpeak):
    """A request must name a voice, be it empty."""

    def render(self, target: Target, call: SpeakCall) -> Request:
        request = super().render(target, call)
        return replace(request, json={"voice": "", **(request.json or {})})


@dataclass(frozen=True)
class _Models(Models):
    """The models that are running. Servers of old say only that one is for audio: its family tells the rest."""

    abilities: tuple[tuple[str, ...], ...] = (("model_type",), ("model_ability",))

    def type_of(self, row: Any) -> ModelType | None:
        known = super().type_of(row)
        if known or dig(row, "model_type") != "audio" or dig(row, "model_ability"):
            return known
        speaks = string(dig(row, "model_family")) in _SPEAKERS
        return ModelType.TEXT_TO_SPEECH if speaks else ModelType.SPEECH_TO_TEXT


_UID = "model_uid"
_CHAT, _EMBED = HostedChat(named=_UID), HostedEmbed(named=_UID, texts=32)
# Its count of tokens comes only when asked for.
_RERANK = HostedRerank(named=_UID, extras={"return_len": True})
_TRANSCRIBE, _SPEAK = HostedTranscribe(named=_UID), _Speak("", named=_UID)

ADAPTER = Adapter(
    id="xinference",
    label=Text("Xorbits Inference (Xinference)"),
    kind=ProviderKind.HOSTED,
    form=(
        address("server_url", Text("Server URL", "サーバー URL", "服务器 URL")),
        text(_UID, Text("Model UID", "モデル UID", "模型 UID")),
        secret("api_key", required=False),
        choice("completion_type", Text("Completion type", "補完の種類", "补全类型"), "chat", only=ModelType.LLM),
        whole("context_length", Text("Context length", "コンテキスト長", "上下文长度"), None, READING, sets="context"),
        *abilities(),
        voices(None),
    ),
    base_url=at("server_url", end="/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT, _EMBED, _RERANK, _TRANSCRIBE, _SPEAK),
    error=refusals("xinference"),
    chat=_CHAT,
    embed=_EMBED,
    rerank=_RERANK,
    transcribe=_TRANSCRIBE,
    speak=_SPEAK,
    models=_Models(),
)
