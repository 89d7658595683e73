"""Chat in Google's cloud: each publisher's own dialect, and that of OpenAI for those who have none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.model.calls import ChatCall
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects.anthropic import Messages
from infrastructure.providers.dialects.first_frame import FirstFrameDecoder
from infrastructure.providers.dialects.gemini import GenerateContent
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.turns import frame_json
from infrastructure.providers.dialects.vertex import located, placed
from infrastructure.providers.spec import ChatDialect, Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig

_GEMINI, _MESSAGES, _COMPLETIONS = GenerateContent(placed), Messages(refusals=GOOGLE), Chat(refusals=GOOGLE)


@dataclass(frozen=True)
class Publisher:
    """One whose models take the body of their maker's API, less the names `without` and with what is `added`.

    `models` is what their names begin with, `location` the form's field for where they are.
    """

    id: str
    models: re.Pattern[str]
    location: str
    dialect: ChatDialect = _COMPLETIONS
    without: frozenset[str] = frozenset()
    added: Mapping[str, Any] = field(default_factory=dict)

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        request = self.dialect.render(target, call, stream=stream)
        body = {key: value for key, value in (request.json or {}).items() if key not in self.without}
        place = placed(target, "streamRawPredict" if stream else "rawPredict", self.id, self.location)
        return replace(request, json={**body, **self.added}, path=place.path, base=place.base)


@dataclass(frozen=True)
class PublisherChat:
    """Gemini by generateContent, the models of `publishers` by rawPredict, and others, which are named with their
    maker, by the one endpoint that speaks OpenAI's dialect.
    """

    publishers: tuple[Publisher, ...]
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        if "/" in name:
            place = located(target, "endpoints/openapi/chat/completions")
            return replace(_COMPLETIONS.render(target, call, stream=stream), path=place.path, base=place.base)
        own = next((publisher for publisher in self.publishers if publisher.models.match(name)), None)
        return (own or _GEMINI).render(target, call, stream=stream)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return _told_by(body).parse(body)

    def decoder(self) -> Decoder:
        return FirstFrameDecoder(_decoder_for)


def _decoder_for(frame: Frame) -> Decoder:
    """Only Claude's events have names."""
    return (_MESSAGES if frame.event else _told_by(frame_json(frame))).decoder()


def _told_by(body: object) -> ChatDialect:
    """Claude's answers have their content at the top, OpenAI's dialect has choices, and Gemini has candidates."""
    if isinstance(dig(body, "content"), list):
        return _MESSAGES
    return _COMPLETIONS if isinstance(dig(body, "choices"), list) else _GEMINI
