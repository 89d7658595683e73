"""DashScope's spoken text (multimodal-generation): events with pieces of 16-bit samples, at 24,000 a second."""

import base64
from dataclasses import dataclass

from domain.errors import StreamBroken
from domain.model.speech import SpeakCall
from domain.ports import Target
from infrastructure.providers.dialects import samples, turns
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.dialects.samples import Samples
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text


@dataclass(frozen=True)
class DashScopeSpeak:
    """POST the text and a voice, which is `voice` when a call names none; the answer is WAV unless PCM is asked for.

    The vendor streams bare samples, and streams no other format.
    """

    voice: str = "Cherry"
    refusals: Refusals = USUAL
    path: str = "api/v1/services/aigc/multimodal-generation/generation"

    def render(self, target: Target, call: SpeakCall) -> Request:
        model = target.model.name
        samples.check(call, model)
        body = {"model": model, "input": {"text": call.text, "voice": call.voice or self.voice}, "parameters": {}}
        warnings = turns.left_out(model, [] if call.speed is None else ["speed"])
        headers = {"x-dashscope-sse": "enable"}
        return Request(self.path, body, headers=headers, accept=Framing.SSE.value, warnings=warnings)

    def media_type(self, call: SpeakCall) -> str:
        return samples.media_type(call)

    def decoder(self, call: SpeakCall) -> AudioDecoder:
        return SampleDecoder(self.refusals, Samples(call))


class SampleDecoder:
    """Complete when an event said that the model stopped."""

    def __init__(self, refusals: Refusals, found: Samples) -> None:
        self._refusals = refusals
        self._found = found
        self._complete = False

    def feed(self, frame: Frame) -> bytes:
        event = turns.frame_json(frame)
        if frame.event == "error" or text(dig(event, "code")) or self._refusals.failed(event):
            raise self._refusals("", ErrorReply(200, {}, event))
        self._complete = self._complete or dig(event, "output", "finish_reason") == "stop"
        return self._found.heard(base64.b64decode(text(dig(event, "output", "audio", "data")), validate=True))

    def end(self) -> None:
        if not self._complete:
            raise StreamBroken("", 200)
