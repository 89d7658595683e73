"""Speech by Gemini's generateContent: recordings to text, and text to spoken samples."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import BadRequestUpstream, StreamBroken
from domain.model.events import Finish
from domain.model.speech import SpeakCall, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects import gemini_stream, samples, turns
from infrastructure.providers.dialects.gemini import Place, placed
from infrastructure.providers.dialects.google_errors import GOOGLE
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.dialects.samples import Samples
from infrastructure.providers.spec import AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, rows, text

_TOLD = "Transcribe this audio word for word. Answer with nothing but what is said."
_MEDIA_TYPES: Mapping[str, str] = {
    **{name: f"audio/{name}" for name in ("wav", "mp3", "aiff", "aac", "ogg", "flac")},
    "aif": "audio/aiff",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
}
"""By a file's ending; of others, the media type that they were uploaded with is told."""
_RATE = re.compile(r"rate=(\d{4,6})\b")
_CUT = ("the text is longer than the model's answers may be, and was cut",)


def only_transcribes(name: str) -> bool:
    """These models take no instruction: what they need to know has fields of its own."""
    return "-transcribe" in name


@dataclass(frozen=True)
class TranscribeContent:
    """POST models/{model}:generateContent at `place`, with the recording inside; other models are told what to do."""

    place: Place = placed

    def render(self, target: Target, call: TranscribeCall) -> Request:
        name, request = target.model.name, self.place(target, "generateContent")
        file = call.recording
        media_type = _MEDIA_TYPES.get(file.format, file.media_type)
        heard = {"inlineData": {"mimeType": media_type, "data": base64.b64encode(file.data).decode()}}
        if not only_transcribes(name):
            return replace(request, json={"contents": [{"role": "user", "parts": [{"text": _told(call)}, heard]}]})
        spoken = {"audioTranscriptionConfig": {"languageCodes": [call.language]}} if call.language else {}
        body = {"contents": [{"role": "user", "parts": [heard]}], **({"generationConfig": spoken} if spoken else {})}
        return replace(request, json=body, warnings=turns.left_out(name, ["prompt"] if call.prompt else []))

    def parse(self, body: Any) -> Transcript:
        """BadRequestUpstream when the vendor holds the text back. Models made for it answer in segments."""
        answer = gemini_stream.answer(body)
        if answer.finish.unified is Finish.CONTENT_FILTER:
            raise _broken_off(answer.finish.raw)
        parts = rows(dig(body, "candidates", 0, "content", "parts"))
        segments = [said for part in parts if (said := text(dig(part, "audioTranscription", "text")))]
        warnings = _CUT if answer.finish.unified is Finish.LENGTH else ()
        return Transcript(" ".join(segments) or answer.text.strip(), answer.usage, warnings=warnings)


def _told(call: TranscribeCall) -> str:
    language = f" It is spoken in the language {call.language}." if call.language else ""
    prompt = f" What came before, or how names are spelt: {call.prompt}" if call.prompt else ""
    return _TOLD + language + prompt


@dataclass(frozen=True)
class SpeakContent:
    """POST models/{model}:streamGenerateContent at `place`, for audio; `voice` is taken when a call names none."""

    voice: str = "Kore"
    place: Place = placed
    refusals: Refusals = GOOGLE

    def render(self, target: Target, call: SpeakCall) -> Request:
        name = target.model.name
        samples.check(call, name)
        voice = {"prebuiltVoiceConfig": {"voiceName": call.voice or self.voice}}
        body = {
            "contents": [{"role": "user", "parts": [{"text": call.text}]}],
            "generationConfig": {"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": voice}},
        }
        request = self.place(target, "streamGenerateContent")
        warnings = turns.left_out(name, [] if call.speed is None else ["speed"])
        return replace(request, json=body, query={"alt": "sse"}, accept=Framing.SSE.value, warnings=warnings)

    def media_type(self, call: SpeakCall) -> str:
        return samples.media_type(call)

    def decoder(self, call: SpeakCall) -> AudioDecoder:
        return SpokenDecoder(self.refusals, Samples(call))


class SpokenDecoder:
    """Complete when a finish reason was seen; any other than the usual one means that not all was said."""

    def __init__(self, refusals: Refusals, found: Samples) -> None:
        self._refusals = refusals
        self._found = found
        self._complete = False

    def feed(self, frame: Frame) -> bytes:
        event = turns.frame_json(frame)
        if dig(event, "error"):
            raise self._refusals("", ErrorReply(200, {}, event))
        candidate = dig(event, "candidates", 0)
        audio = b"".join(self._audio(rows(dig(candidate, "content", "parts"))))
        reason = text(dig(candidate, "finishReason")) or text(dig(event, "promptFeedback", "blockReason"))
        if reason not in ("", "STOP"):
            raise _broken_off(reason)
        self._complete = self._complete or bool(reason)
        return audio

    def end(self) -> None:
        if not self._complete:
            raise StreamBroken("", 200)

    def _audio(self, parts: Any) -> Iterator[bytes]:
        for part in parts:
            told = _RATE.search(text(dig(part, "inlineData", "mimeType")))
            spoken = base64.b64decode(text(dig(part, "inlineData", "data")), validate=True)
            yield self._found.heard(spoken, int(told[1]) if told else samples.RATE)


def _broken_off(reason: str) -> BadRequestUpstream:
    return BadRequestUpstream("", 200, f"the model broke its answer off: {reason}")
