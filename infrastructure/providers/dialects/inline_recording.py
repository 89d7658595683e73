"""Recordings in the JSON of a request, in base64."""

import base64
from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidRange
from domain.model.speech import TranscribeCall
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai_audio import Transcribe
from infrastructure.providers.spec import Request


@dataclass(frozen=True)
class InlineTranscribe(Transcribe):
    """POST audio/transcriptions, an object with the file, whose format is its name's ending."""

    def written(self, model: str, call: TranscribeCall) -> Request:
        file = call.recording
        if not file.format:
            raise InvalidRange("file", "must be named with an ending that tells its format")
        audio = {"data": base64.b64encode(file.data).decode(), "format": file.format}
        body: dict[str, Any] = {"model": model, "input_audio": audio}
        if call.language:
            body["language"] = call.language
        return Request(self.path, body, warnings=turns.left_out(model, ["prompt"] if call.prompt else []))
