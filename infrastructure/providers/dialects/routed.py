"""OpenAI's dialect before models at many hosts, where a form may leave out the hosts that keep what they are sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from domain.errors import UnsupportedFeature
from domain.model.catalogue import FormField
from domain.model.labels import Text
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


def _refuse_private(target: Target) -> None:
    """UnsupportedFeature for requests that cannot say which hosts may be chosen."""
    if _private(target):
        raise UnsupportedFeature("speech at hosts that keep nothing", str(target.model))


@dataclass(frozen=True)
class _Routed:
    extras: Mapping[str, Any] = field(default_factory=dict)

    def suited(self, target: Target, call: object) -> Self:  # noqa: ARG002 - the form alone decides
        return replace(self, extras={"provider": {_PRIVACY: "deny"}} if _private(target) else {})


@dataclass(frozen=True)
class Chat(_Routed, openai.Chat):
    """With the form's choice of hosts."""


@dataclass(frozen=True)
class Embed(_Routed, openai_embed.Embed):
    """With the form's choice of hosts."""


@dataclass(frozen=True)
class Rerank(_Routed, rerank.Rerank):
    """With the form's choice of hosts."""


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
