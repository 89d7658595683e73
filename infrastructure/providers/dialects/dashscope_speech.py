"""DashScope's spoken text in events: 16-bit samples at 24,000 a second, from its synthesizers in other formats too."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import InvalidRange, StreamBroken
from domain.model.speech import SpeakCall, SpeechFormat
from domain.ports import Target
from infrastructure.providers.dialects import samples, turns
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.dialects.samples import Samples
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text

_ENCODED = {SpeechFormat.MP3: "audio/mpeg", SpeechFormat.OPUS: "audio/ogg"}


@dataclass(frozen=True)
class DashScopeSpeak:
    """POST the text and a voice, which is `voice` when a call names none; the answer is WAV unless the call says else.

    Models whose names begin as one of `synthesizers` are asked at a `synthesis` of their own, and speak with the voice
    that stands there; an empty one is none, so that a call must name its own. The others stream bare samples only.
    """

    voice: str = "Cherry"
    synthesizers: Mapping[str, str] = field(default_factory=dict)
    refusals: Refusals = USUAL
    path: str = "api/v1/services/aigc/multimodal-generation/generation"
    synthesis: str = "api/v1/services/audio/tts/SpeechSynthesizer"

    def render(self, target: Target, call: SpeakCall) -> Request:
        model = target.model.name
        family = next((each for each in self.synthesizers if model.startswith(each)), None)
        if family is None or call.format not in _ENCODED:
            samples.check(call, model)
        voice = call.voice or (self.voice if family is None else self.synthesizers[family])
        if not voice:
            raise InvalidRange("voice", "must be named: this model has none of its own")
        said = {"text": call.text, "voice": voice}
        if family is not None:
            return _streamed(self.synthesis, {"model": model, "input": {**said, **_manner(call)}})
        warnings = turns.left_out(model, [] if call.speed is None else ["speed"])
        return _streamed(self.path, {"model": model, "input": said, "parameters": {}}, warnings)

    def media_type(self, call: SpeakCall) -> str:
        return _ENCODED[call.format] if call.format in _ENCODED else samples.media_type(call)

    def decoder(self, call: SpeakCall) -> AudioDecoder:
        return PieceDecoder(self.refusals, Samples(call))


class PieceDecoder:
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


def _streamed(path: str, body: Mapping[str, Any], warnings: tuple[str, ...] = ()) -> Request:
    return Request(path, body, headers={"x-dashscope-sse": "enable"}, accept=Framing.SSE.value, warnings=warnings)


def _manner(call: SpeakCall) -> Mapping[str, Any]:
    """The form of the audio, bare samples for WAV too, whose header would come with a length; and how fast it is."""
    wanted = call.format if call.format in _ENCODED else SpeechFormat.PCM
    paced = {} if call.speed is None else {"rate": call.speed}
    return {"format": wanted.value, "sample_rate": samples.RATE, **paced}
