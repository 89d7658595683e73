"""Recordings to text in server-sent events, one for each piece of it and a last one with the whole."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import InvalidRange, StreamBroken
from domain.model.speech import TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai_audio import transcript
from infrastructure.providers.dialects.refusals import USUAL, Refusals
from infrastructure.providers.spec import ErrorReply, Framing, Request, TranscribeDialect
from infrastructure.providers.wire.digging import dig

_FORMATS = ("wav", "mp3", "ogg")
"""Those that tell by themselves how they are sampled."""


@dataclass(frozen=True)
class EventRecognition:
    """POST audio/asr/sse, the file in base64. `others` are models that are asked in OpenAI's way, by their names."""

    others: Mapping[str, TranscribeDialect] = field(default_factory=dict)
    refusals: Refusals = USUAL
    path: str = "audio/asr/sse"

    def render(self, target: Target, call: TranscribeCall) -> Request:
        recording, model = call.recording, target.model.name
        if other := self.others.get(model):
            return other.render(target, call)
        if recording.format not in _FORMATS:
            raise InvalidRange("file", f"must be named with one of these endings: {', '.join(_FORMATS)}")
        wanted = {"model": model, **({"language": call.language} if call.language else {})}
        heard = {"transcription": wanted, "format": {"type": recording.format}}
        body = {"audio": {"data": base64.b64encode(recording.data).decode(), "input": heard}}
        warnings = turns.left_out(model, ["prompt"] if call.prompt else [])
        return Request(self.path, body, accept=Framing.SSE.value, warnings=warnings)

    def parse(self, body: Any) -> Transcript:
        """Of a list of events, the last one counts, for it holds the whole text."""
        if not isinstance(body, list):
            return transcript(body)
        for event in body:
            if dig(event, "type") == "error" or self.refusals.failed(event):
                raise self.refusals("", ErrorReply(200, {}, event))
            if dig(event, "type") == "transcript.text.done":
                return transcript(event)
        raise StreamBroken("", 200)
