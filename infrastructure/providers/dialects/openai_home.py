"""Chat at OpenAI itself: /responses where a model would have to choose between thinking and calling tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.model.calls import ChatCall
from domain.model.events import ChatAnswer
from domain.ports import Target
from infrastructure.providers.dialects import openai_models as names
from infrastructure.providers.dialects.first_frame import FirstFrameDecoder
from infrastructure.providers.dialects.openai_reasoning import ReasoningChat
from infrastructure.providers.dialects.openai_responses import Responses
from infrastructure.providers.dialects.turns import frame_json
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import ChatDialect, Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text

PROTOCOL, RESPONSES, COMPLETIONS = "api_protocol", "responses", "chat"


@dataclass(frozen=True)
class HomeChat:
    """Reads api_protocol, which may rule `responses` out: not every server in OpenAI's place has it."""

    completions: ReasoningChat
    responses: Responses
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        torn = bool(call.tools) and names.reasons_or_calls_tools(target.model.name)
        spoken = torn and entered(target.form, PROTOCOL, RESPONSES) == RESPONSES
        dialect: ChatDialect = self.responses if spoken else self.completions
        return dialect.render(target, call, stream=stream)

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return (self.responses if dig(body, "object") == "response" else self.completions).parse(body)

    def decoder(self) -> Decoder:
        return FirstFrameDecoder(self._decoder_for)

    def _decoder_for(self, frame: Frame) -> Decoder:
        """Only the events of /responses tell their type."""
        told = "" if frame.data.strip() == "[DONE]" else text(dig(frame_json(frame), "type"))
        return (self.responses if told.startswith("response.") else self.completions).decoder()
