"""Spoken text as server-sent events, each with a piece of the audio in base64."""

import base64
from dataclasses import dataclass, replace

from domain.errors import StreamBroken
from domain.model.speech import SpeakCall
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai_audio import Speak
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, text

_DONE = "speech.audio.done"


@dataclass(frozen=True)
class EventSpeak(Speak):
    """POST audio/speech for a stream, which is heard sooner than the one JSON object that the vendor answers else.

    `voice_field` is the vendor's name for a voice.
    """

    voice_field: str = "voice_id"
    refusals: Refusals = USUAL

    def render(self, target: Target, call: SpeakCall) -> Request:
        request = super().render(target, call)
        named = {self.voice_field if name == "voice" else name: value for name, value in (request.json or {}).items()}
        return replace(request, json={**named, "stream": True}, accept=Framing.SSE.value)

    def decoder(self, _: SpeakCall) -> AudioDecoder:
        return PieceDecoder(self.refusals)


class PieceDecoder:
    """Complete when an event said that all is spoken."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._complete = False

    def feed(self, frame: Frame) -> bytes:
        event = turns.frame_json(frame)
        if frame.event == "error" or dig(event, "object") == "error" or self._refusals.failed(event):
            raise self._refusals("", ErrorReply(200, {}, event))
        self._complete = self._complete or _DONE in (frame.event, dig(event, "type"))
        return base64.b64decode(text(dig(event, "audio_data")), validate=True)

    def end(self) -> None:
        if not self._complete:
            raise StreamBroken("", 200)
