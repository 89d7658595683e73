"""OpenAI's audio: recordings to text, and text to spoken audio."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from domain.errors import UnsupportedFeature
from domain.model.events import Usage
from domain.model.speech import SpeakCall, SpeechFormat, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.spec import BYTES, AudioDecoder, Request
from infrastructure.providers.wire.digging import dig, table, tally, text
from infrastructure.providers.wire.multipart import Part

MEDIA_TYPES: Mapping[SpeechFormat, str] = {
    SpeechFormat.MP3: "audio/mpeg",
    SpeechFormat.WAV: "audio/wav",
    SpeechFormat.OPUS: "audio/ogg",
    SpeechFormat.AAC: "audio/aac",
    SpeechFormat.FLAC: "audio/flac",
    SpeechFormat.PCM: "audio/pcm",
}
_LENGTHS = (("duration",), ("usage", "seconds"), ("usage", "prompt_audio_seconds"))
_TOKENS = (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))


@dataclass(frozen=True)
class Transcribe:
    """POST audio/transcriptions, a form with the file. `response_format` None leaves the choice to the server.

    `refused` are the fields that are dropped with a warning; `extras` goes into every form, less what the call says.
    """

    response_format: str | None = "json"
    refused: frozenset[str] = frozenset()
    extras: Mapping[str, str] = field(default_factory=dict)
    path: str = "audio/transcriptions"

    def suited(self, target: Target) -> Self:  # noqa: ARG002 - a seam: some vendors look at it
        """This dialect as one model wants it."""
        return self

    def model(self, target: Target) -> str:
        """The name under which the vendor knows the model."""
        return target.model.name

    def render(self, target: Target, call: TranscribeCall) -> Request:
        return self.suited(target).written(self.model(target), call)

    def parse(self, body: Any) -> Transcript:
        return transcript(body)

    def written(self, model: str, call: TranscribeCall) -> Request:
        """The request for a model under the vendor's name of it; the file comes last, as servers that stream want."""
        asked = {"language": call.language, "prompt": call.prompt, "response_format": self.response_format}
        given = {name: value for name, value in asked.items() if value}
        fields = {"model": model, **self.extras, **given}
        parts = [Part(name, value) for name, value in fields.items() if name not in self.refused]
        file = call.recording
        parts.append(Part("file", file.data, file.filename or "audio", file.media_type))
        warnings = turns.left_out(model, [name for name in given if name in self.refused])
        return Request(self.path, parts=tuple(parts), warnings=warnings)


class Bare:
    """An answer whose bytes are the audio."""

    def decoder(self, call: SpeakCall) -> AudioDecoder | None:  # noqa: ARG002 - the same for every call
        return None


@dataclass(frozen=True)
class Speak(Bare):
    """POST audio/speech. `voice` is taken when the call names none; empty leaves the choice to the server.

    `formats` are those that the vendor writes, `refused` the fields that are dropped with a warning.
    """

    voice: str = "alloy"
    formats: frozenset[SpeechFormat] = frozenset(SpeechFormat)
    refused: frozenset[str] = frozenset()
    path: str = "audio/speech"

    def model(self, target: Target) -> str:
        """The name under which the vendor knows the model."""
        return target.model.name

    def usual_voice(self, target: Target) -> str:  # noqa: ARG002 - a seam: some vendors look at it
        """The voice of a call that names none; empty leaves the choice to the server."""
        return self.voice

    def media_type(self, call: SpeakCall) -> str:
        return MEDIA_TYPES[self.format(call)]

    def format(self, call: SpeakCall) -> SpeechFormat:
        return call.format or (SpeechFormat.MP3 if SpeechFormat.MP3 in self.formats else SpeechFormat.WAV)

    def render(self, target: Target, call: SpeakCall) -> Request:
        model, wanted = self.model(target), self.format(call)
        if wanted not in self.formats:
            raise UnsupportedFeature(f"speech as {wanted.value}", model)
        asked = {"voice": call.voice or self.usual_voice(target) or None, "speed": call.speed}
        given = {name: value for name, value in asked.items() if value is not None}
        fields = {"model": model, "input": call.text, "response_format": wanted.value, **given}
        body = {name: value for name, value in fields.items() if name not in self.refused}
        warnings = turns.left_out(model, [name for name in given if name in self.refused])
        return Request(self.path, body, accept=BYTES, warnings=warnings)


def transcript(body: Any) -> Transcript:
    """A transcription, json or verbose_json; BadRequestUpstream when it has no text. Silence reads as an empty one."""
    said = dig(body, "text")
    if not isinstance(said, str):
        raise turns.not_understood("the answer has no text")
    told = (dig(body, *place) for place in _LENGTHS)
    seconds = next((length for value in told if (length := _seconds(value)) is not None), None)
    language = text(dig(body, "language")) or text(dig(body, "languages", 0, "code"))
    return Transcript(said, _usage(dig(body, "usage"), seconds), language or None, seconds)


def _usage(counts: object, seconds: float | None) -> Usage:
    """Tokens or seconds, by what the model is billed for."""
    heard = None if seconds is None else math.ceil(seconds * 1000)
    read, written = (
        next((n for name in names if (n := tally(dig(counts, name))) is not None), None) for names in _TOKENS
    )
    return Usage(read, written, raw=table(counts), audio_ms=heard)


def _seconds(value: object) -> float | None:
    """A number, or one in a string, which is how verbose_json wrote it first."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 10**9 else None
