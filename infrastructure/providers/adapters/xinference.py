"""Xinference, over OpenAI's paths and its own for reranking; each launched model is known by its uid."""

from dataclasses import dataclass, replace
from typing import Any

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from domain.model.speech import SpeakCall
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.forms import abilities, at, completion_type, context, secret, server, text, voices
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request
from infrastructure.providers.wire.digging import dig
from infrastructure.providers.wire.digging import text as string

_SPEAKERS = frozenset({"ChatTTS", "CosyVoice", "FishAudio"})


class _Speak(hosted.Speak):
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

ADAPTER = Adapter(
    id="xinference",
    kind=ProviderKind.HOSTED,
    form=(
        server(),
        text(_UID, Text("Model UID", "モデル UID", "模型 UID")),
        secret("api_key", required=False),
        completion_type("chat"),
        context(name="context_length"),
        *abilities(),
        voices(None),
    ),
    base_url=at("server_url", end="/v1"),
    sign=bearer("api_key"),
    **called(
        hosted.Chat(named=_UID),
        hosted.Embed(named=_UID, texts=32),
        # Its count of tokens comes only when asked for.
        hosted.Rerank(named=_UID, extras={"return_len": True}),
        hosted.Transcribe(named=_UID),
        _Speak("", named=_UID),
    ),
    error=refusals("xinference"),
    models=_Models(),
)
