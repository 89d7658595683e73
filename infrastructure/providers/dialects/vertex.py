"""The models of Google's cloud: each publisher's own dialect, at a place made up of project, location and publisher."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from domain.errors import FieldProblem, InvalidForm, StreamBroken
from domain.model.calls import ChatCall
from domain.model.catalogue import FormValues
from domain.model.events import ChatAnswer, ChatEvent
from domain.ports import Target
from infrastructure.providers.dialects import anthropic_stream
from infrastructure.providers.dialects.anthropic import Messages
from infrastructure.providers.dialects.gemini import GenerateContent, model_path
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig

PROJECT, LOCATION = "vertex_project_id", "vertex_location"
CLAUDE_LOCATION, GLOBAL_MODELS = "vertex_anthropic_location", "vertex_global_models"
EVERYWHERE = "global"
HOME = "https://aiplatform.googleapis.com"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_CLAUDE = "claude-"
_CLAUDE_VERSION = "vertex-2023-10-16"
"""The one that still takes sampling."""


def placed(target: Target, method: str, publisher: str = "google", field: str = LOCATION) -> Request:
    """Where a method of a model is, at the location in `field`, without anything to send there."""
    name = target.model.name
    listed = [model.strip() for model in entered(target.form, GLOBAL_MODELS).split(",")]
    form = {**target.form, field: EVERYWHERE} if name in listed else target.form
    project = quote(entered(form, PROJECT), safe=":")
    path = f"v1/projects/{project}/locations/{_location(form, field)}/publishers/{publisher}/{model_path(name, method)}"
    return Request(path, base=_host(form, field))


def _location(form: FormValues, field: str) -> str:
    """InvalidForm for what is no name of a location: it becomes part of a host."""
    location = entered(form, field, EVERYWHERE)
    if not _LABEL.fullmatch(location):
        raise InvalidForm((FieldProblem(field, "must be a location such as global, eu or us-central1"),))
    return location


def _host(form: FormValues, field: str) -> str:
    location = _location(form, field)
    if location == EVERYWHERE:
        return HOME
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


_GEMINI, _MESSAGES = GenerateContent(placed), Messages(refusals=GOOGLE)


@dataclass(frozen=True)
class PublisherChat:
    """Gemini by generateContent; Claude by rawPredict, in the dialect of its maker without its `model`.

    `maker` is the name of Claude's publisher.
    """

    maker: str
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        if target.model.name.startswith(_CLAUDE):
            return self._claude(target, call, stream=stream)
        return _GEMINI.render(target, call, stream=stream)

    def _claude(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        request = _MESSAGES.render(target, call, stream=stream)
        body = {key: value for key, value in (request.json or {}).items() if key != "model"}
        field = CLAUDE_LOCATION if entered(target.form, CLAUDE_LOCATION) else LOCATION
        place = placed(target, "streamRawPredict" if stream else "rawPredict", self.maker, field)
        own = {**body, "anthropic_version": _CLAUDE_VERSION}
        return replace(request, json=own, path=place.path, base=place.base)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        """Only Claude's answers have their content at the top."""
        return anthropic_stream.answer(body) if isinstance(dig(body, "content"), list) else _GEMINI.parse(body)

    def decoder(self) -> Decoder:
        return PublisherDecoder()


class PublisherDecoder:
    """Decodes as the first event asks for: Claude's have names, Gemini's have none."""

    def __init__(self) -> None:
        self._decoder: Decoder | None = None

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._decoder is None:
            self._decoder = _MESSAGES.decoder() if frame.event else _GEMINI.decoder()
        yield from self._decoder.feed(frame)

    def end(self) -> Iterator[ChatEvent]:
        if self._decoder is None:
            raise StreamBroken("", 200)
        yield from self._decoder.end()
