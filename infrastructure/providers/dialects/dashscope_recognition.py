"""DashScope's recognition of short recordings (multimodal-generation): the file travels in the body, as a data URL."""

import base64
from dataclasses import dataclass
from typing import Any

from domain.model.events import Usage
from domain.model.speech import Recording, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import count, dig, rows, table, text

_LONGEST = 10**6


@dataclass(frozen=True)
class DashScopeTranscribe:
    """POST a conversation: what the speech is about, which is the call's prompt, then the recording."""

    path: str = "api/v1/services/aigc/multimodal-generation/generation"

    def render(self, target: Target, call: TranscribeCall) -> Request:
        context = [{"role": "system", "content": [{"text": call.prompt}]}] if call.prompt else []
        messages = [*context, {"role": "user", "content": [{"audio": _data_url(call.recording)}]}]
        parameters = {"asr_options": {"language": call.language.lower()}} if call.language else {}
        body = {"model": target.model.name, "input": {"messages": messages}, "parameters": parameters}
        return Request(self.path, body)

    def parse(self, body: Any) -> Transcript:
        """The pieces of text in one; BadRequestUpstream when there is none. Silence reads as an empty one."""
        message = dig(body, "output", "choices", 0, "message")
        heard = dig(message, "content")
        said = [dig(piece, "text") for piece in rows(heard)]
        if not isinstance(heard, list) or not all(isinstance(piece, str) for piece in said):
            raise not_understood("the answer has no text")
        language = text(dig(message, "annotations", 0, "language")) or None
        seconds = count(dig(body, "usage", "seconds"))
        if seconds is None or not 0 <= seconds < _LONGEST:
            return Transcript("".join(said), Usage(raw=table(dig(body, "usage"))), language)
        usage = Usage(raw=table(dig(body, "usage")), audio_ms=seconds * 1000)
        return Transcript("".join(said), usage, language, float(seconds))


def _data_url(recording: Recording) -> str:
    return f"data:{recording.media_type};base64,{base64.b64encode(recording.data).decode('ascii')}"
