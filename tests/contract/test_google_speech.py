"""Speech at the Gemini API and in Google's cloud. Requests are those of google-genai for Python 3.4.0, recorded on
loopback (stt in sdk_requests.json, the rest in sdk_requests.speech.json, in the terms of google_client.py), with an
instruction of our own where its caller wrote one; answers and streams are those that it accepted (`reply_replayed`).
Failures are the forms of a GenerateContentResponse (googleapis/googleapis at f8291d2b).
"""

import base64
import json
import random
import wave
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest

from domain import errors
from domain.errors import BadRequestUpstream, StreamBroken, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Framing, Request
from tests.contract import google_client as google
from tests.contract import recordings as rec
from tests.contract.google_cloud import account
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body, stream
from tests.stubs.serve import serving

FORMS = {"gemini": {"google_api_key": "AIza-dummy"}, "google_cloud": account.FORM}
VENDORS = sorted(FORMS)
HEADERS = ("x-goog-api-key", "authorization", "content-type")
SPEECH = "sdk_requests.speech.json"
VOICE, EAR = "gemini-3.8-flash-tts", "gemini-3.5-transcribe"
WAV = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=")
HEARD = TranscribeCall(Recording("said.WAV", "application/octet-stream", WAV))
SAMPLES = b"\x01\x00\x02\x00\x03\x00"
PCM = SpeakCall("hello", format=SpeechFormat.PCM)


@pytest.fixture(autouse=True)
def token() -> None:
    account.let_in()


def spoken(vendor: str, call: SpeakCall) -> Request:
    dialect = ADAPTERS[vendor].speak
    assert dialect
    return dialect.render(rec.target(vendor, VOICE, FORMS[vendor], ModelType.TEXT_TO_SPEECH), call)


def heard(vendor: str, call: TranscribeCall, model: str = EAR) -> Request:
    dialect = ADAPTERS[vendor].transcribe
    assert dialect
    return dialect.render(rec.target(vendor, model, FORMS[vendor], ModelType.SPEECH_TO_TEXT), call)


def sent(vendor: str, request: Request) -> rec.Sent:
    return rec.sent(ADAPTERS[vendor], rec.target(vendor, VOICE, FORMS[vendor]).form, request, HEADERS)


def read(vendor: str, answer: Any) -> Transcript:
    dialect = ADAPTERS[vendor].transcribe
    assert dialect
    return dialect.parse(answer)


def decoded(vendor: str, raw: str, cuts: Iterable[int] | None, call: SpeakCall = PCM) -> bytes:
    dialect = ADAPTERS[vendor].speak
    assert dialect
    decoder = dialect.decoder(call)
    assert decoder
    audio = b"".join(map(decoder.feed, rec.framed(raw, Framing.SSE, cuts)))
    decoder.end()
    return audio


def replayed(vendor: str, name: str, file: str = SPEECH) -> Any:
    reply = rec.calls(vendor, file)[name]["reply_replayed"]
    return reply.get("body", reply.get("text"))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_request_to_speak_is_the_sdks(vendor: str) -> None:
    ours = sent(vendor, spoken(vendor, SpeakCall("hello")))
    assert ours == google.theirs(vendor, "tts_stream", HEADERS, SPEECH)
    rec.valid(vendor, "GenerateContentRequest", ours.body)
    other: Any = spoken(vendor, SpeakCall("hello", voice="Puck")).json
    voice = other["generationConfig"]["speechConfig"]["voiceConfig"]
    assert voice == {"prebuiltVoiceConfig": {"voiceName": "Puck"}}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("name", "language"), [("transcribe", None), ("transcribe_language", "en")])
def test_a_request_to_a_model_that_transcribes_is_the_sdks(vendor: str, name: str, language: str | None) -> None:
    ours = sent(vendor, heard(vendor, TranscribeCall(HEARD.recording, language=language)))
    assert ours == google.theirs(vendor, name, HEADERS, SPEECH)
    # The protobuf definitions do not have audioTranscriptionConfig yet.
    if (vendor, language) != ("gemini", "en"):
        rec.valid(vendor, "GenerateContentRequest", ours.body)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_model_that_does_more_is_told_to_transcribe(vendor: str) -> None:
    ours, theirs = sent(vendor, heard(vendor, HEARD, google.MODEL)), google.theirs(vendor, "stt", HEADERS)
    rec.valid(vendor, "GenerateContentRequest", ours.body)
    for side in (ours, theirs):
        assert side.body["contents"][0]["parts"][0].pop("text").startswith("Transcribe this audio")
    assert ours == theirs
    told = heard(vendor, TranscribeCall(HEARD.recording, language="ja", prompt="Kyoto"), google.MODEL)
    assert told.json
    said = told.json["contents"][0]["parts"][0]["text"]
    assert "language ja" in said
    assert said.endswith("Kyoto")
    assert told.warnings == ()


@pytest.mark.parametrize(
    ("filename", "media_type", "told"),
    [
        ("a.mp3", "", "audio/mp3"),
        ("a.OGA", "audio/x-other", "audio/ogg"),
        ("a.m4a", "audio/mp4", "audio/mp4"),
        ("a", "audio/webm", "audio/webm"),
    ],
)
def test_a_file_is_called_what_its_ending_says(filename: str, media_type: str, told: str) -> None:
    request = heard("gemini", TranscribeCall(Recording(filename, media_type, b"x")))
    assert request.json
    assert request.json["contents"][0]["parts"][0]["inlineData"] == {"mimeType": told, "data": "eA=="}


def test_what_the_models_do_not_take_is_left_out_with_a_warning() -> None:
    (speed,) = spoken("gemini", SpeakCall("hello", speed=2)).warnings
    (prompt,) = heard("gemini", TranscribeCall(HEARD.recording, prompt="Kyoto")).warnings
    assert (speed.split()[0], prompt.split()[0]) == ("speed", "prompt")


@pytest.mark.parametrize("wanted", sorted(set(SpeechFormat) - {SpeechFormat.WAV, SpeechFormat.PCM}))
def test_a_format_that_is_more_than_samples_is_refused(wanted: SpeechFormat) -> None:
    with pytest.raises(UnsupportedFeature):
        spoken("gemini", SpeakCall("hello", format=wanted))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_recorded_transcript_is_read(vendor: str) -> None:
    assert read(vendor, replayed(vendor, "transcribe")).text == "hello"
    answer = read(vendor, replayed(vendor, "transcribe_language"))
    assert (answer.text, answer.usage.input, answer.usage.output) == ("hello and bye", 12, 3)
    told = read(vendor, replayed(vendor, "stt", "sdk_requests.json"))
    assert (told.text, told.usage.input, told.warnings) == ("hello", 12, ())


def candidate(reason: str | None, *parts: Any) -> Any:
    ending = {"finishReason": reason} if reason else {}
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, **ending}]}


def test_silence_is_an_empty_transcript_and_a_cut_one_is_warned_of() -> None:
    assert read("gemini", candidate("STOP", {})).text == ""
    cut = read("gemini", candidate("MAX_TOKENS", {"text": "hm", "thought": True}, {"text": "he\n"}))
    assert (cut.text, len(cut.warnings)) == ("he", 1)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (candidate("SAFETY", {"text": "he"}), "SAFETY"),
        (candidate("OTHER"), "OTHER"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "PROHIBITED_CONTENT"),
        ({"candidates": []}, "no candidate"),
        (None, "no candidate"),
    ],
    ids=str,
)
def test_what_is_held_back_or_missing_is_no_silence(answer: Any, detail: str) -> None:
    with pytest.raises(BadRequestUpstream, match=detail):
        read("gemini", answer)


@pytest.mark.parametrize("vendor", VENDORS)
def test_samples_are_found_however_a_recorded_stream_is_cut(vendor: str) -> None:
    raw, dice = replayed(vendor, "tts_stream"), random.Random(7)
    splits = [dice.sample(range(1, len(raw)), k=9) for _ in range(20)]
    assert {decoded(vendor, raw, cuts) for cuts in ([], None, *splits)} == {SAMPLES}


def blob(samples: bytes, media_type: str = "audio/L16;codec=pcm;rate=24000") -> Any:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(samples).decode()}}


@pytest.mark.parametrize(
    ("media_type", "rate"),
    [("audio/L16;codec=pcm;rate=24000", 24_000), ("audio/l16; rate=16000; channels=1", 16_000), ("audio/L16", 24_000)],
)
def test_speech_is_a_wav_file_at_the_rate_that_the_vendor_names(media_type: str, rate: int) -> None:
    events = google.events(candidate(None, blob(SAMPLES[:4], media_type)), candidate("STOP", blob(SAMPLES[4:])))
    with wave.open(BytesIO(decoded("gemini", events, None, SpeakCall("hello")))) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, rate)
        assert audio.readframes(3) == SAMPLES


async def through(answer: Failure, call: SpeakCall, into: list[bytes]) -> str:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(answer) as url, gateway(adapters=ADAPTERS) as subject:
        form = {**FORMS["gemini"], "google_base_url": url}
        async with subject.speak(rec.target("gemini", VOICE, form, ModelType.TEXT_TO_SPEECH), call) as speech:
            async for audio in speech.pieces:
                into.append(audio)
    return speech.media_type


@pytest.mark.parametrize(("call", "kind"), [(SpeakCall("hello"), "audio/wav"), (PCM, "audio/pcm")])
async def test_speech_comes_as_it_is_spoken(call: SpeakCall, kind: str) -> None:
    got: list[bytes] = []
    assert await through(stream(replayed("gemini", "tts_stream").encode()), call, got) == kind
    assert [piece[-4:] for piece in got] == [SAMPLES[:4], SAMPLES[4:]]


SLOW = google.refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", retryDelay="17s")
REFUSED = google.refusal(400, "INVALID_ARGUMENT", "Voice name Nobody is not supported.")
KEYLESS = google.refusal(400, "INVALID_ARGUMENT", "API key not valid.", reason="API_KEY_INVALID")
ABSENT = google.refusal(404, "NOT_FOUND", "models/x is not found for API version v1")


def told(status: int, refusal: Any) -> Failure:
    return body(json.dumps(refusal).encode(), status=status)


def events(*chunks: Any) -> Failure:
    return stream(google.events(*chunks).encode())


FAILURES: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (told(400, KEYLESS), errors.CredentialRejected, 400, "not valid"),
    (told(429, SLOW), errors.UpstreamRateLimited, 429, "quota"),
    (told(404, ABSENT), errors.ModelNotFoundUpstream, 404, "not found"),
    (told(400, REFUSED), BadRequestUpstream, 400, "Nobody"),
    (events(SLOW), errors.UpstreamRateLimited, 429, "quota"),
    (events(candidate("STOP", {"text": "I cannot."})), BadRequestUpstream, 200, "no audio"),
    (events({"promptFeedback": {"blockReason": "OTHER"}}), BadRequestUpstream, 200, "broke its answer off: OTHER"),
    (events(candidate("STOP", {"inlineData": {"data": "?"}})), BadRequestUpstream, 200, "unexpected form"),
    (events(None, [], {"candidates": 3}, candidate("STOP", 3)), BadRequestUpstream, 200, "no audio"),
    (body(b"{}"), BadRequestUpstream, 200, "where audio is due"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), FAILURES, ids=range(len(FAILURES)))
async def test_what_is_no_speech_fails_before_anything_is_heard(
    answer: Failure, kind: type[UpstreamError], status: int, detail: str
) -> None:
    got: list[bytes] = []
    with pytest.raises(kind, match=detail) as caught:
        await through(answer, PCM, got)
    assert (got, caught.value.provider, caught.value.status) == ([], "gemini", status)


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ((), StreamBroken),
        ((SLOW,), errors.UpstreamRateLimited),
        ((candidate("MAX_TOKENS"),), BadRequestUpstream),
        ((candidate("SAFETY"),), BadRequestUpstream),
    ],
    ids=["silence", "refusal", "length", "safety"],
)
async def test_speech_that_breaks_off_is_told_after_what_was_heard(rest: Any, kind: type[UpstreamError]) -> None:
    got: list[bytes] = []
    with pytest.raises(kind) as caught:
        await through(events(candidate(None, blob(SAMPLES)), *rest), PCM, got)
    assert (got, caught.value.provider, caught.value.status) == ([SAMPLES], "gemini", 200)
