"""OpenAI's dialects for deployments, on either of Azure's surfaces: that of a dated version, and v1."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote

from domain.errors import BadRequestUpstream, ModelNotFoundUpstream
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues
from domain.model.speech import SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.openai_reasoning import ReasoningChat
from infrastructure.providers.dialects.probes import refusing
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request

V1 = "v1"
REFUSALS = Refusals({"DeploymentNotFound": (ModelNotFoundUpstream, 404)})

# A model that thinks may use up the few tokens of a probe before it has said a word.
used_up = refusing(BadRequestUpstream, words="could not finish the message")

_LAST_DATED = "2025-04-01-preview"
_IN_V1 = re.compile(r"/openai/v1(/|$)")
_SURFACE = re.compile(r"(?<!/)/openai(/.*)?$")


def resource(form: FormValues) -> str:
    """The address of the resource's OpenAI surfaces, whichever address in it was entered."""
    return _SURFACE.sub("", entered(form, "openai_api_base").rstrip("/")) + "/openai"


def version(form: FormValues) -> str:
    """The version of the API that is spoken; an address in v1 has the last word."""
    in_v1 = _IN_V1.search(entered(form, "openai_api_base"))
    return V1 if in_v1 else entered(form, "openai_api_version", V1)


def placed(request: Request, target: Target, spoken: str) -> Request:
    """A request to a deployment: named in the path and beside a date, or in the body alone."""
    if spoken == V1:
        return replace(request, path=f"v1/{request.path}")
    path = f"deployments/{quote(target.model.name, safe='')}/{request.path}"
    return replace(request, path=path, query={"api-version": spoken})


def dated(form: FormValues) -> str:
    """For audio, which the specification of v1 does not have: the last dated version in its place."""
    spoken = version(form)
    return _LAST_DATED if spoken == V1 else spoken


@dataclass(frozen=True)
class DeployedChat(ReasoningChat):
    """Reads base_model_name: what a deployment is called says nothing."""

    def origin(self, target: Target) -> str:
        return entered(target.form, "base_model_name", target.model.name)

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        return placed(super().render(target, call, stream=stream), target, version(target.form))


@dataclass(frozen=True)
class DeployedEmbed(Embed):
    def render(self, target: Target, call: EmbedCall) -> Request:
        return placed(super().render(target, call), target, version(target.form))


@dataclass(frozen=True)
class DeployedTranscribe(Transcribe):
    def render(self, target: Target, call: TranscribeCall) -> Request:
        return placed(super().render(target, call), target, dated(target.form))


@dataclass(frozen=True)
class DeployedSpeak(Speak):
    def render(self, target: Target, call: SpeakCall) -> Request:
        return placed(super().render(target, call), target, dated(target.form))
