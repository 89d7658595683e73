"""The surfaces of Microsoft Foundry, told apart by the endpoint: OpenAI's v1, Model Inference, and Messages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose
from domain.model.catalogue import FormValues
from domain.model.events import ChatAnswer
from domain.model.rerank import RerankCall
from domain.ports import Target
from infrastructure.providers.dialects.anthropic import Messages
from infrastructure.providers.dialects.anthropic_stream import MessageDecoder
from infrastructure.providers.dialects.azure import REFUSALS
from infrastructure.providers.dialects.first_frame import FirstFrameDecoder
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.openai_reasoning import ReasoningChat
from infrastructure.providers.dialects.openai_stream import ChunkDecoder
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import ChatDialect, Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig

VERSION = "2024-05-01-preview"
_HOSTS = re.compile(r"//[^/]+\.(services\.ai|openai|cognitiveservices)\.azure\.com(?=[:/?]|$)")
_NAMES = r"(?P<V1>openai)|(?P<MESSAGES>anthropic)|(?P<MODELS>models)|providers|api/projects|v\d|chat|embeddings|info"
_PLACE = re.compile(rf"(?<!/)/(?:{_NAMES})(?=[/?]|$).*|\?.*")
_RERANK = re.compile(r"(?<!/)/((?:providers/\w+/)?v\d/rerank)(?=[/?]|$)")


class Surface(StrEnum):
    """What is spoken at an endpoint; the value is where, from its root. `_NAMES` knows them by these names."""

    V1 = "openai/v1"
    MESSAGES = "anthropic/v1"
    MODELS = "models"
    OWN = ""


def root(form: FormValues) -> str:
    """The endpoint without what leads to one surface, or one call, of it."""
    return _PLACE.sub("", entered(form, "endpoint")).rstrip("/")


def surface(form: FormValues) -> Surface:
    """The one that the address names; else v1 on hosts that have it, and elsewhere a model with a host of its own."""
    endpoint = entered(form, "endpoint")
    place = _PLACE.search(endpoint)
    if place and place.lastgroup:
        return Surface[place.lastgroup]
    return Surface.V1 if _HOSTS.search(endpoint) else Surface.OWN


def placed(request: Request, form: FormValues) -> Request:
    """A request where the form's surface is, beside its version where that has one."""
    spoken = surface(form)
    dated = spoken in (Surface.MODELS, Surface.OWN)
    query = {"api-version": entered(form, "api_version", VERSION)} if dated else {}
    return replace(request, path=f"{spoken}/{request.path}".lstrip("/"), query=query)


@dataclass(frozen=True)
class FoundryChat:
    """Chat as the surface wants it. Model Inference knows no `stream_options`; answers tell by their shape whose."""

    v1: Chat = field(default_factory=lambda: ReasoningChat(refusals=REFUSALS))
    inference: Chat = field(default_factory=lambda: Chat(refusals=REFUSALS, include_usage=False))
    messages: Messages = field(default_factory=lambda: Messages(refusals=REFUSALS, path="messages"))
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        spoken: Mapping[Surface, ChatDialect] = {Surface.V1: self.v1, Surface.MESSAGES: self.messages}
        dialect = spoken.get(surface(target.form), self.inference)
        return placed(dialect.render(target, call, stream=stream), target.form)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return self.messages.parse(body) if dig(body, "type") == "message" else self.v1.parse(body)

    def decoder(self) -> Decoder:
        return FirstFrameDecoder(_decoder_for)


def _decoder_for(frame: Frame) -> Decoder:
    """Messages gives its events names, the others none."""
    return MessageDecoder(REFUSALS) if frame.event else ChunkDecoder(REFUSALS)


@dataclass(frozen=True)
class FoundryEmbed(Embed):
    """Model Inference wants to know what the texts are for; the models there take 96 at once."""

    encoding: str | None = None
    texts: int = 96

    def suited(self, target: Target, call: EmbedCall) -> "FoundryEmbed":
        if surface(target.form) is Surface.V1:
            return self
        kind = "query" if call.purpose is EmbedPurpose.QUERY else "document"
        return replace(self, extras={"input_type": kind})

    def render(self, target: Target, call: EmbedCall) -> Request:
        return placed(super().render(target, call), target.form)


@dataclass(frozen=True)
class FoundryRerank(Rerank):
    """Cohere's reranking: at the address that was entered, with its other models, or on a host of its own."""

    returns: str | None = None

    def render(self, target: Target, call: RerankCall) -> Request:
        endpoint = entered(target.form, "endpoint")
        pasted = _RERANK.search(endpoint)
        usual = "providers/cohere/v2/rerank" if _HOSTS.search(endpoint) else "v2/rerank"
        return replace(super().render(target, call), path=pasted[1] if pasted else usual)
