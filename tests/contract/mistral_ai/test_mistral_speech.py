"""Speech at Mistral AI: requests as its SDK sends them (sdk_requests.json: mistralai for Python 3.7.0), which satisfy
its OpenAPI (request_schemas.json: mistralai/platform-docs-public at 222f4ba9); events and a transcript that the SDK
accepted, and a transcript recorded in vercel/ai at ed857f50 (packages/mistral/src/__fixtures__), cut short. The refusal
of moderated text has the documented status, those inside a stream the shapes of those outside.

Left out of the comparison: `stream` and `diarize` of a recording, which the SDK sends with their defaults.
"""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import StreamBroken, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Framing, Request
from tests.contract import recordings as rec
from tests.contract.listening import listened
from tests.stubs.misbehaviour import Failure, body, stream

ID, FORM = "mistral_ai", {"api_key": "dummy"}
ADAPTER = ADAPTERS[ID]
HEADERS = ("authorization", "content-type", "accept")
STT, TTS = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH
HEARD, SPOKEN = rec.calls(ID)["stt"], rec.calls(ID)["tts_stream"]
EVENTS: str = SPOKEN["reply_replayed"]["text"]
AUDIO = b"ID3\x04\x00\xff\xfb"
SAY = SpeakCall("Hello", voice="v_1")
HEAR = TranscribeCall(Recording("a.wav", "audio/wav", bytes(44)), language="en")


def heard(call: TranscribeCall) -> Request:
    assert ADAPTER.transcribe
    return ADAPTER.transcribe.render(rec.target(ID, "voxtral-mini-latest", FORM, STT), call)


def spoken(call: SpeakCall) -> Request:
    assert ADAPTER.speak
    return ADAPTER.speak.render(rec.target(ID, "voxtral-mini-tts-latest", FORM, TTS), call)


def sent(request: Request, kind: ModelType) -> rec.Sent:
    return rec.sent(ADAPTER, rec.target(ID, "m", FORM, kind).form, request, HEADERS)


def understood(answer: Any) -> Transcript:
    assert ADAPTER.transcribe
    return ADAPTER.transcribe.parse(answer)


def decoded(raw: str, cuts: list[int] | None = None) -> bytes:
    assert ADAPTER.speak
    decoder = ADAPTER.speak.decoder(SAY)
    assert decoder
    audio = b"".join(map(decoder.feed, rec.framed(raw, Framing.SSE, cuts)))
    decoder.end()
    return audio


def test_a_recording_is_sent_as_the_sdk_sends_it() -> None:
    ours, theirs = sent(heard(HEAR), STT), rec.recorded(HEARD, without={"stream", "diarize"}, headers=HEADERS)
    assert ours == theirs
    rec.valid(ID, "AudioTranscriptionRequest", {**ours.body, "file": "a string, to JSON Schema"})


def test_a_prompt_is_left_out_of_a_recording_and_told() -> None:
    request = heard(replace(HEAR, prompt="names"))
    assert [part.name for part in request.parts] == ["model", "language", "file"]
    assert [warning.split()[0] for warning in request.warnings] == ["prompt"]


def test_a_text_is_sent_as_the_sdk_sends_it() -> None:
    ours = sent(spoken(SAY), TTS)
    assert ours == rec.recorded(SPOKEN, headers=HEADERS)
    rec.valid(ID, "SpeechRequest", ours.body)


def test_a_text_without_a_voice_gets_a_preset_one() -> None:
    body = spoken(SpeakCall("Hello")).json
    assert body
    assert body["voice_id"] == "en_paul_neutral"
    assert "voice" not in body


def test_a_speed_is_left_out_with_a_warning() -> None:
    request = spoken(replace(SAY, speed=2))
    assert request.json == spoken(SAY).json
    assert [warning.split()[0] for warning in request.warnings] == ["speed"]


@pytest.mark.parametrize("wanted", SpeechFormat)
def test_a_format_is_asked_for_or_refused(wanted: SpeechFormat) -> None:
    """AAC is unknown, and what the vendor calls PCM is not."""
    call = replace(SAY, format=wanted)
    if wanted in (SpeechFormat.AAC, SpeechFormat.PCM):
        with pytest.raises(UnsupportedFeature):
            spoken(call)
        return
    body = sent(spoken(call), TTS).body
    assert body["response_format"] == wanted.value
    rec.valid(ID, "SpeechRequest", body)


COUNTS = {"prompt_audio_seconds": 36, "prompt_tokens": 13, "completion_tokens": 151, "total_tokens": 164}
RECORDED: dict[str, Any] = {
    "model": "voxtral-mini-latest",
    "text": "Galileo was an American robotic space program that studied the planet Jupiter.",
    "language": None,
    "segments": [
        {
            "type": "transcription_segment",
            "text": "Galileo was an American robotic space program that studied the planet Jupiter.",
            "start": 0.1,
            "end": 8.2,
            "speaker_id": "speaker_1",
        }
    ],
    "usage": {**COUNTS, "request_count": 1},
}


def test_a_recorded_transcript_is_read() -> None:
    counts = Usage(13, 151, raw=RECORDED["usage"], audio_ms=36_000)
    assert understood(RECORDED) == Transcript(RECORDED["text"], counts, None, 36.0)


def test_a_transcript_that_the_sdk_accepted_is_read() -> None:
    answer = HEARD["reply_replayed"]["body"]
    rec.valid(ID, "TranscriptionResponse", answer)
    assert understood(answer) == Transcript("hello", Usage(4, 2, raw=answer["usage"], audio_ms=1000), "en", 1.0)


@pytest.mark.parametrize("seconds", [None, -1, "x", True, float("nan"), float("inf"), 10**12, [1]], ids=str)
def test_a_length_that_cannot_be_is_not_known(seconds: Any) -> None:
    said = understood({"text": "x", "usage": {"prompt_audio_seconds": seconds, "prompt_tokens": "4"}})
    assert (said.seconds, said.usage.audio_ms, said.usage.input) == (None, None, None)


def test_events_are_the_specifications() -> None:
    pieces = [json.loads(line[6:]) for line in EVENTS.splitlines() if line.startswith("data: ") and "delta" in line]
    assert len(pieces) == 2
    for piece in pieces:
        rec.valid(ID, "SpeechStreamAudioDelta", piece)


def test_audio_is_found_however_the_stream_is_cut() -> None:
    dice = random.Random(7)
    splits = [dice.sample(range(1, len(EVENTS)), k=9) for _ in range(20)]
    assert {decoded(EVENTS, cuts) for cuts in ([], None, *splits)} == {AUDIO}


def test_events_that_are_not_named_are_known_by_what_they_hold() -> None:
    assert decoded("".join(line for line in EVENTS.splitlines(True) if not line.startswith("event:"))) == AUDIO


async def test_speech_comes_as_it_is_spoken() -> None:
    got: list[bytes] = []
    assert await listened(ID, stream(EVENTS.encode()), SAY, got) == "audio/mpeg"
    assert got == [AUDIO[:5], AUDIO[5:]]


def event(value: Any, name: str = "speech.audio.delta") -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()


DONE = event({"type": "speech.audio.done", "usage": COUNTS}, "speech.audio.done")
LIMITED = {"object": "error", "message": "Rate limit exceeded", "type": "rate_limited", "param": None, "code": "1300"}
UNHEARD: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (stream(event({**LIMITED, "code": "invalid_model"})), errors.ModelNotFoundUpstream, 400, "Rate"),
    (stream(event({"message": "It broke."}, "error")), errors.UpstreamError, 200, "It broke"),
    (
        body(json.dumps({"message": "Unauthorized", "request_id": "r"}).encode(), status=401),
        errors.CredentialRejected,
        401,
        "U",
    ),
    (body(json.dumps(LIMITED).encode(), status=429), errors.UpstreamRateLimited, 429, "Rate"),
    (
        body(b'{"object": "error", "message": "Input was rejected by moderation"}', status=403),
        errors.ContentRefused,
        403,
        "rejected",
    ),
    (
        body(b'{"detail": [{"loc": ["body", "input"], "msg": "too long", "type": "value"}]}', status=422),
        errors.BadRequestUpstream,
        422,
        "input: too long",
    ),
    (body(b"ID3", "audio/mpeg"), errors.BadRequestUpstream, 200, "of some other type"),
    (body(b'{"audio_data": "SUQzBAA="}'), errors.BadRequestUpstream, 200, "application/json"),
    (stream(DONE), errors.BadRequestUpstream, 200, "no audio"),
    (stream(b"data: no json\n\n"), errors.BadRequestUpstream, 200, "not JSON"),
    (stream(event({"audio_data": "?"})), errors.BadRequestUpstream, 200, "unexpected form"),
    (stream(event({"audio_data": 5}), DONE), errors.BadRequestUpstream, 200, "no audio"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), UNHEARD, ids=range(len(UNHEARD)))
async def test_what_is_no_speech_fails_before_anything_is_heard(
    answer: Failure, kind: type[UpstreamError], status: int, detail: str
) -> None:
    got: list[bytes] = []
    with pytest.raises(kind, match=detail) as caught:
        await listened(ID, answer, SAY, got)
    assert (got, caught.value.provider, caught.value.status) == ([], ID, status)


async def test_speech_that_breaks_off_is_told_after_what_was_heard() -> None:
    got: list[bytes] = []
    with pytest.raises(StreamBroken):
        await listened(ID, stream(event({"audio_data": "SUQzBAA="})), SAY, got)
    assert got == [AUDIO[:5]]
