"""Chat at Amazon's runtime: Converse, and OpenAI's dialect for the models of makers that keep to that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.model.calls import ChatCall
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects.converse import Converse
from infrastructure.providers.dialects.first_frame import FirstFrameDecoder
from infrastructure.providers.dialects.openai_reasoning import ReasoningChat
from infrastructure.providers.spec import JSON, ChatDialect, Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig

_MAKER = re.compile(r".*(?:^|\.)openai\.")


@dataclass(frozen=True)
class ProfiledChat(ReasoningChat):
    """POST openai/v1/chat/completions. A model's name follows that of its maker, and often a profile's."""

    path: str = "openai/v1/chat/completions"

    def origin(self, target: Target) -> str:
        return _MAKER.sub("", target.model.name)

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        """Its stream is none of the other models' framing."""
        request = super().render(target, call, stream=stream)
        return replace(request, accept=self.framing.value if stream else JSON)


@dataclass(frozen=True)
class RuntimeChat:
    """`completions` for the models whose names have what `others` looks for, and `converse` for all the rest."""

    converse: Converse
    completions: ProfiledChat
    others: re.Pattern[str]
    framing: Framing = Framing.EVENT_STREAM

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        dialect: ChatDialect = self.completions if self.others.search(target.model.name) else self.converse
        return dialect.render(target, call, stream=stream)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        completed = isinstance(dig(body, "choices"), list)
        return self.completions.parse(body) if completed else self.converse.parse(body)

    def decoder(self) -> Decoder:
        return FirstFrameDecoder(self._decoder_for)

    def _decoder_for(self, frame: Frame) -> Decoder:
        """Only Converse names its events."""
        return (self.converse if frame.event or frame.fault else self.completions).decoder()
