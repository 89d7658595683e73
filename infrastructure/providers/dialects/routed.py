"""OpenAI's dialect before models at many hosts, where a form may leave out the hosts that keep what they are sent."""

from dataclasses import dataclass, replace

from domain.errors import UnsupportedFeature
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormField
from domain.model.labels import Text
from domain.model.rerank import RerankCall
from domain.model.speech import SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.dialects import inline_recording, openai, openai_audio, openai_embed, rerank
from infrastructure.providers.forms import choice, entered
from infrastructure.providers.spec import Request

_PRIVACY = "data_collection"


def privacy() -> FormField:
    """Whether hosts that keep what they are sent may be chosen; they may when nothing is said."""
    return choice(
        _PRIVACY, Text("Data collection by hosts", "ホストによるデータ収集", "托管方收集数据"), "allow", "deny"
    )


def _private(target: Target) -> bool:
    return entered(target.form, _PRIVACY) == "deny"


def _routed(target: Target, request: Request) -> Request:
    """With the form's choice of hosts."""
    chosen = {"provider": {_PRIVACY: "deny"}} if _private(target) else {}
    return replace(request, json={**(request.json or {}), **chosen})


def _refuse_private(target: Target) -> None:
    """UnsupportedFeature for requests that cannot say which hosts may be chosen."""
    if _private(target):
        raise UnsupportedFeature("speech at hosts that keep nothing", str(target.model))


@dataclass(frozen=True)
class Chat(openai.Chat):
    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        return _routed(target, super().render(target, call, stream=stream))


@dataclass(frozen=True)
class Embed(openai_embed.Embed):
    def render(self, target: Target, call: EmbedCall) -> Request:
        return _routed(target, super().render(target, call))


@dataclass(frozen=True)
class Rerank(rerank.Rerank):
    def render(self, target: Target, call: RerankCall) -> Request:
        return _routed(target, super().render(target, call))


@dataclass(frozen=True)
class Transcribe(inline_recording.InlineTranscribe):
    def render(self, target: Target, call: TranscribeCall) -> Request:
        _refuse_private(target)
        return super().render(target, call)


@dataclass(frozen=True)
class Speak(openai_audio.Speak):
    def render(self, target: Target, call: SpeakCall) -> Request:
        _refuse_private(target)
        return super().render(target, call)
