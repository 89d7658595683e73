"""DashScope's spoken text (multimodal-generation): events with pieces of 16-bit samples, at 24,000 a second."""

import base64
import struct
from dataclasses import dataclass

from domain.errors import StreamBroken, UnsupportedFeature
from domain.model.speech import SpeakCall, SpeechFormat
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text

_MEDIA_TYPES = {SpeechFormat.WAV: "audio/wav", SpeechFormat.PCM: "audio/pcm"}
_RATE = 24_000


@dataclass(frozen=True)
class DashScopeSpeak:
    """POST the text and a voice, which is `voice` when a call names none; the answer is WAV unless PCM is asked for.

    The vendor streams bare samples, and streams no other format.
    """

    voice: str = "Cherry"
    refusals: Refusals = USUAL
    path: str = "api/v1/services/aigc/multimodal-generation/generation"

    def render(self, target: Target, call: SpeakCall) -> Request:
        model, wanted = target.model.name, _format(call)
        if wanted not in _MEDIA_TYPES:
            raise UnsupportedFeature(f"speech as {wanted.value}", model)
        body = {"model": model, "input": {"text": call.text, "voice": call.voice or self.voice}, "parameters": {}}
        warnings = turns.left_out(model, [] if call.speed is None else ["speed"])
        headers = {"x-dashscope-sse": "enable"}
        return Request(self.path, body, headers=headers, accept=Framing.SSE.value, warnings=warnings)

    def media_type(self, call: SpeakCall) -> str:
        return _MEDIA_TYPES[_format(call)]

    def decoder(self, call: SpeakCall) -> AudioDecoder:
        return SampleDecoder(self.refusals, wav_header() if _format(call) is SpeechFormat.WAV else b"")


class SampleDecoder:
    """Complete when an event said that the model stopped; `header` goes before the first samples."""

    def __init__(self, refusals: Refusals, header: bytes) -> None:
        self._refusals = refusals
        self._header = header
        self._complete = False

    def feed(self, frame: Frame) -> bytes:
        event = turns.frame_json(frame)
        if frame.event == "error" or text(dig(event, "code")) or self._refusals.failed(event):
            raise self._refusals("", ErrorReply(200, {}, event))
        self._complete = self._complete or dig(event, "output", "finish_reason") == "stop"
        samples = base64.b64decode(text(dig(event, "output", "audio", "data")), validate=True)
        if not samples:
            return b""
        header, self._header = self._header, b""
        return header + samples

    def end(self) -> None:
        if not self._complete:
            raise StreamBroken("", 200)


def wav_header() -> bytes:
    """That of a WAV file of one channel whose length is not known yet, which is written as the largest."""
    unknown = 2**32 - 1
    form = struct.pack("<IHHIIHH", 16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    return b"RIFF" + struct.pack("<I", unknown) + b"WAVEfmt " + form + b"data" + struct.pack("<I", unknown)


def _format(call: SpeakCall) -> SpeechFormat:
    return call.format or SpeechFormat.WAV
