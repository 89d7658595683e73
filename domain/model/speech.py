"""Speech to text, and text to speech."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from domain.errors import InvalidRange
from domain.model.catalogue import Model, ModelRef
from domain.model.events import Usage

UPLOAD_LIMIT = 100 * 2**20
TEXT_LIMIT = 100_000
_SPOKEN = 8


@dataclass(frozen=True, slots=True, repr=False)
class Recording:
    """An audio file as it was uploaded. `filename` has the ending that tells its format."""

    filename: str
    media_type: str
    data: bytes

    @property
    def format(self) -> str:
        """The ending of the file's name in lower case, without the dot; empty when it has none."""
        return self.filename.rpartition(".")[2].lower() if "." in self.filename else ""


@dataclass(frozen=True, slots=True)
class TranscribeCall:
    """`language` is an ISO 639-1 code that helps the model, `prompt` what came before or how names are spelt."""

    recording: Recording
    model: ModelRef | None = None
    language: str | None = None
    prompt: str | None = None

    def size(self) -> int:
        """An upper bound on what a vendor that counts tokens will count, as characters: four of them to a token.

        No speech codec needs less than 16 bytes for what a model hears as one token.
        """
        return len(self.recording.data) // 16 + len(self.prompt or "")

    def check(self) -> None:
        if not self.recording.data:
            raise InvalidRange("file", "must not be empty")
        if len(self.recording.data) > UPLOAD_LIMIT:
            raise InvalidRange("file", f"must have at most {UPLOAD_LIMIT} bytes")
        if self.language is not None and not (self.language.isalpha() and len(self.language) in (2, 3)):
            raise InvalidRange("language", "must be an ISO 639 code such as en")

    def check_for(self, row: Model | None) -> None:
        """InvalidRange when the file is larger than the model takes, or of a format that it does not read."""
        if row is None:
            return
        limits = row.limits
        if limits.bytes is not None and len(self.recording.data) > limits.bytes:
            raise InvalidRange("file", f"has {len(self.recording.data)} bytes; this model takes {limits.bytes}")
        if limits.formats and self.recording.format not in limits.formats:
            raise InvalidRange("file", f"must be named with one of these endings: {', '.join(limits.formats)}")


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said; `language` and `seconds` where the vendor tells them."""

    text: str
    usage: Usage
    language: str | None = None
    seconds: float | None = None
    warnings: tuple[str, ...] = ()

    def timed(self) -> Self:
        """With the audio's length counted as usage, where the vendor told it and did not count it itself."""
        if self.seconds is None or self.usage.audio_ms is not None:
            return self
        return replace(self, usage=replace(self.usage, audio_ms=round(self.seconds * 1_000)))


class SpeechFormat(StrEnum):
    """The form of spoken audio; PCM is 16-bit little-endian at the vendor's rate, without a header."""

    MP3 = "mp3"
    WAV = "wav"
    OPUS = "opus"
    AAC = "aac"
    FLAC = "flac"
    PCM = "pcm"


@dataclass(frozen=True, slots=True)
class SpeakCall:
    """`voice` None is the model's first; `speed` 1 is the voice's own.

    `format` None is MP3, or WAV from vendors not all of whose models write MP3.
    """

    text: str
    model: ModelRef | None = None
    voice: str | None = None
    format: SpeechFormat | None = None
    speed: float | None = None

    @property
    def usage(self) -> Usage:
        """What is counted of speech, which vendors do not tell: the characters that were to be said."""
        return Usage(characters=len(self.text))

    def size(self) -> int:
        """An upper bound on what a vendor that counts tokens will count, text and audio, as characters."""
        return _SPOKEN * len(self.text)

    def check(self) -> None:
        if not self.text.strip():
            raise InvalidRange("text", "must not be empty")
        if len(self.text) > TEXT_LIMIT:
            raise InvalidRange("text", f"must have at most {TEXT_LIMIT} characters")
        if self.speed is not None and not 0.25 <= self.speed <= 4:
            raise InvalidRange("speed", "must be from 0.25 to 4")

    def check_for(self, row: Model | None) -> None:
        """InvalidRange for a voice that the model does not have, or more text than it speaks at once."""
        if row is None:
            return
        named = row.voices and not row.limits.other_voices
        if self.voice is not None and named and self.voice not in {v.id for v in row.voices}:
            raise InvalidRange("voice", "must be one of: " + ", ".join(v.id for v in row.voices))
        most = row.limits.characters
        if most is not None and len(self.text) > most:
            raise InvalidRange("text", f"has {len(self.text)} characters; this model speaks {most} at once")


@dataclass(frozen=True, slots=True, repr=False)
class SpokenAudio:
    """All that was said, as one file."""

    media_type: str
    data: bytes
    usage: Usage
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio as it is spoken: `pieces` end when all is said, or raise StreamBroken."""

    media_type: str
    pieces: AsyncIterator[bytes]
    warnings: tuple[str, ...] = ()
