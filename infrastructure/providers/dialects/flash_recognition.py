"""Recordings to text in one request, whose body is the file itself and whose query tells the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.events import Usage
from domain.model.speech import Recording, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, tally

_FORMATS: Mapping[str, str] = {
    **{name: name for name in ("wav", "pcm", "speex", "silk", "mp3", "m4a", "aac", "amr")},
    "ogg": "ogg-opus",
    "opus": "ogg-opus",
}
"""What a file's ending is called here."""


@dataclass(frozen=True)
class FlashRecognition:
    """POST asr/flash/v1/<account>, the account being in the form's `account`. A model is an engine that hears one
    language; the model called `any_engine` stands for that of `engines` which hears the call's, or else the `usual`.
    """

    account: str
    engines: Mapping[str, str]
    any_engine: str
    usual: str

    def render(self, target: Target, call: TranscribeCall) -> Request:
        engine = self._engine(target.model.name, call.language)
        path = f"asr/flash/v1/{quote(entered(target.form, self.account), safe='')}"
        query = {"engine_type": engine, "voice_format": _format(call.recording)}
        unheard = {"language": call.language and self._heard(call.language) != engine, "prompt": call.prompt}
        warnings = turns.left_out(target.model.name, [name for name, left in unheard.items() if left])
        return Request(path, content=call.recording.data, query=query, warnings=warnings)

    def parse(self, body: Any) -> Transcript:
        """One line for each channel of the recording that was heard."""
        heard = dig(body, "flash_result")
        said = [dig(channel, "text") for channel in rows(heard)]
        if not isinstance(heard, list) or not all(isinstance(line, str) for line in said):
            raise turns.not_understood("the answer has no text")
        length = tally(dig(body, "audio_duration"))
        if length is None:
            return Transcript("\n".join(said), Usage())
        return Transcript("\n".join(said), Usage(audio_ms=length), seconds=length / 1000)

    def _engine(self, model: str, language: str | None) -> str:
        if model != self.any_engine:
            return model
        if not language:
            return self.usual
        heard = self._heard(language)
        if heard is None:
            raise UnsupportedFeature(f"speech in the language {language}", model)
        return heard

    def _heard(self, language: str) -> str | None:
        return self.engines.get(language.lower())


def _format(recording: Recording) -> str:
    if recording.format not in _FORMATS:
        raise InvalidRange("file", f"must be named with one of these endings: {', '.join(_FORMATS)}")
    return _FORMATS[recording.format]
