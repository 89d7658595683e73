"""Speech at an address for each model, whose body names none: OpenAI's words, but files in base64."""

import base64
from dataclasses import dataclass, replace

from domain.model.speech import SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.turns import left_out
from infrastructure.providers.spec import Request


@dataclass(frozen=True)
class BareTranscribe(Transcribe):
    """POST the file to `path` below `base`, which is the address of the one model that listens."""

    base: str = ""

    def written(self, model: str, call: TranscribeCall) -> Request:
        file = base64.b64encode(call.recording.data).decode()
        body = {"file": file, **({"prompt": call.prompt} if call.prompt else {})}
        warnings = left_out(model, ["language"] if call.language else [])
        return Request(self.path, body, base=self.base, warnings=warnings)


@dataclass(frozen=True)
class BareSpeak(Speak):
    """POST the text to `path` below `base`, which is the address of the one model that speaks."""

    base: str = ""
    refused: frozenset[str] = frozenset({"model"})

    def render(self, target: Target, call: SpeakCall) -> Request:
        return replace(super().render(target, call), base=self.base)
