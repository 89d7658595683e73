"""MiniMax's spoken text (platform.minimax.io/docs/api-reference/speech-t2a-http): events with its pieces in hex."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import StreamBroken, UnsupportedFeature
from domain.model.speech import SpeakCall, SpeechFormat
from domain.ports import Target
from infrastructure.providers.dialects.openai_audio import MEDIA_TYPES
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.dialects.samples import Samples
from infrastructure.providers.dialects.turns import frame_json
from infrastructure.providers.forms import filled
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text

_RATE, _OPUS_RATE = 32_000, 24_000
_FORMATS = frozenset(SpeechFormat) - {SpeechFormat.AAC}
_SPOKEN_ALL = 2


@dataclass(frozen=True)
class HexSpeak:
    """POST the text and a voice, which is `voice` when a call names none.

    `query` maps parts of the address to the form's fields, where these are filled in. A WAV file is not streamed, but
    its samples are.
    """

    voice: str
    query: Mapping[str, str] = field(default_factory=dict)
    refusals: Refusals = USUAL
    path: str = "t2a_v2"

    def render(self, target: Target, call: SpeakCall) -> Request:
        model, wanted = target.model.name, _format(call)
        if wanted not in _FORMATS:
            raise UnsupportedFeature(f"speech as {wanted.value}", model)
        streamed = SpeechFormat.PCM if wanted is SpeechFormat.WAV else wanted
        speed = {} if call.speed is None else {"speed": call.speed}
        body: dict[str, Any] = {
            "model": model,
            "text": call.text,
            "stream": True,
            "stream_options": {"exclude_aggregated_audio": True},
            "voice_setting": {"voice_id": call.voice or self.voice, **speed},
            "audio_setting": _setting(streamed),
        }
        return Request(self.path, body, query=filled(target.form, self.query), accept=Framing.SSE.value)

    def media_type(self, call: SpeakCall) -> str:
        return MEDIA_TYPES[_format(call)]

    def decoder(self, call: SpeakCall) -> AudioDecoder:
        return HexDecoder(self.refusals, Samples(replace(call, format=_format(call))))


class HexDecoder:
    """Complete when an event has the status of the last; `samples` puts a header before the first piece of a WAV file.

    The last event may repeat the whole audio, though it is asked not to: then it begins as the first one did.
    """

    def __init__(self, refusals: Refusals, samples: Samples) -> None:
        self._refusals = refusals
        self._samples = samples
        self._first = b""
        self._complete = False

    def feed(self, frame: Frame) -> bytes:
        if frame.data == "[DONE]":
            return b""
        event = frame_json(frame)
        if self._refusals.failed(event):
            raise self._refusals("", ErrorReply(200, {}, event))
        self._complete = self._complete or dig(event, "data", "status") == _SPOKEN_ALL
        piece = bytes.fromhex(text(dig(event, "data", "audio")))
        if not piece or (self._complete and self._first and piece.startswith(self._first)):
            return b""
        self._first = self._first or piece
        return self._samples.heard(piece, _RATE)

    def end(self) -> None:
        if not self._complete:
            raise StreamBroken("", 200)


def _setting(streamed: SpeechFormat) -> Mapping[str, Any]:
    """The usual rate, which Opus does not have."""
    rate = _OPUS_RATE if streamed is SpeechFormat.OPUS else _RATE
    return {"format": streamed.value, "sample_rate": rate, "channel": 1}


def _format(call: SpeakCall) -> SpeechFormat:
    return call.format or SpeechFormat.MP3
