"""Speech at Tongyi: requests as the vendor's SDK sends them (sdk_requests.json: dashscope 2.0.2, tts_qwen_stream);
events as help.aliyun.com/zh/model-studio/qwen-tts documents them, with samples of our own.
"""

import base64
import json
import random
import wave
from io import BytesIO
from typing import Any

import pytest

from domain import errors
from domain.errors import StreamBroken, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.speech import SpeakCall, SpeechFormat
from infrastructure.providers.dialects.dashscope_speech import DashScopeSpeak
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Framing, Request
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body, stream
from tests.stubs.serve import serving

ID = "tongyi"
FORM = {"dashscope_api_key": "sk-fake"}
MODEL = "qwen3-tts-flash"
HEADERS = ("authorization", "accept", "x-dashscope-sse")
SAMPLES = (b"\x01\x00\x02\x00", b"\x03\x00")
PCM = SpeakCall("hello", format=SpeechFormat.PCM)


def event(audio: Any, reason: str | None, name: str = "result") -> bytes:
    output = {"finish_reason": reason, "audio": audio, "choices": None, "text": None}
    return framed({"output": output, "usage": {"characters": 5}, "request_id": "r1"}, name)


def framed(value: Any, name: str, status: int = 200) -> bytes:
    return f"id:1\nevent:{name}\n:HTTP_STATUS/{status}\ndata:{json.dumps(value)}\n\n".encode()


def piece(samples: bytes) -> bytes:
    return event({"data": base64.b64encode(samples).decode(), "expires_at": 1757403955, "id": "audio_1"}, "null")


LAST = event({"data": "", "expires_at": 1757403955, "id": "audio_1", "url": "http://vendor.example/a.wav"}, "stop")
SPOKEN = (*map(piece, SAMPLES), LAST)


def dialect() -> DashScopeSpeak:
    speak = ADAPTERS[ID].speak
    assert isinstance(speak, DashScopeSpeak)
    return speak


def rendered(call: SpeakCall) -> Request:
    return dialect().render(rec.target(ID, MODEL, FORM, ModelType.TEXT_TO_SPEECH), call)


def decoded(raw: bytes, cuts: list[int] | None, call: SpeakCall = PCM) -> bytes:
    decoder = dialect().decoder(call)
    audio = b"".join(map(decoder.feed, rec.framed(raw, Framing.SSE, cuts)))
    decoder.end()
    return audio


async def heard(answer: Failure, call: SpeakCall, into: list[bytes]) -> str:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(answer) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, MODEL, {**FORM, "base_url": url}, ModelType.TEXT_TO_SPEECH)
        async with subject.speak(goal, call) as speech:
            async for audio in speech.pieces:
                into.append(audio)
    return speech.media_type


def test_a_request_is_the_sdks() -> None:
    form = rec.target(ID, MODEL, FORM, ModelType.TEXT_TO_SPEECH).form
    ours = rec.sent(ADAPTERS[ID], form, rendered(SpeakCall("hello")), HEADERS)
    theirs = rec.recorded(rec.calls(ID)["tts_qwen_stream"], headers=HEADERS)
    assert ours == theirs
    assert rendered(SpeakCall("hello", voice="Ethan")).json == {
        **theirs.body,
        "input": {"text": "hello", "voice": "Ethan"},
    }


@pytest.mark.parametrize("wanted", sorted(set(SpeechFormat) - {SpeechFormat.WAV, SpeechFormat.PCM}))
def test_a_format_that_the_vendor_does_not_stream_is_refused(wanted: SpeechFormat) -> None:
    with pytest.raises(UnsupportedFeature):
        rendered(SpeakCall("hello", format=wanted))


def test_a_speed_is_left_out_with_a_warning() -> None:
    (warning,) = rendered(SpeakCall("hello", speed=2)).warnings
    assert warning.startswith("speed")


def test_samples_are_found_however_the_stream_is_cut() -> None:
    raw, dice = b"".join(SPOKEN), random.Random(7)
    splits = [dice.sample(range(1, len(raw)), k=9) for _ in range(20)]
    assert {decoded(raw, cuts) for cuts in ([], None, *splits)} == {b"".join(SAMPLES)}


@pytest.mark.parametrize("wanted", [None, SpeechFormat.WAV])
async def test_speech_is_a_wav_file_that_can_be_played(wanted: SpeechFormat | None) -> None:
    got: list[bytes] = []
    assert await heard(stream(*SPOKEN), SpeakCall("hello", format=wanted), got) == "audio/wav"
    with wave.open(BytesIO(b"".join(got))) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 24_000)
        assert audio.readframes(3) == b"".join(SAMPLES)


async def test_bare_samples_come_as_they_are_spoken() -> None:
    got: list[bytes] = []
    assert await heard(stream(*SPOKEN), PCM, got) == "audio/pcm"
    assert got == list(SAMPLES)


REFUSED = {"code": "InvalidParameter", "message": "Voice x is not supported.", "request_id": "r1"}
THROTTLED = {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded.", "request_id": "r1"}
FAILURES: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (stream(framed(REFUSED, "error", 400)), errors.BadRequestUpstream, 400, "Voice x"),
    (stream(framed(THROTTLED, "error", 429)), errors.UpstreamRateLimited, 429, "rate limit"),
    (body(json.dumps(REFUSED).encode(), status=400), errors.BadRequestUpstream, 400, "Voice x"),
    (body(json.dumps({**REFUSED, "code": "InvalidApiKey"}).encode(), status=401), errors.CredentialRejected, 401, "x"),
    (body(b"RIFF", "audio/wav"), errors.BadRequestUpstream, 200, "of some other type"),
    (stream(LAST), errors.BadRequestUpstream, 200, "no audio"),
    (stream(b"data:no json\n\n"), errors.BadRequestUpstream, 200, "not JSON"),
    (stream(event({"data": "?"}, "null")), errors.BadRequestUpstream, 200, "unexpected form"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), FAILURES, ids=range(len(FAILURES)))
async def test_what_is_no_speech_fails_before_anything_is_heard(
    answer: Failure, kind: type[UpstreamError], status: int, detail: str
) -> None:
    got: list[bytes] = []
    with pytest.raises(kind, match=detail) as caught:
        await heard(answer, PCM, got)
    assert (got, caught.value.provider, caught.value.status) == ([], ID, status)


@pytest.mark.parametrize("rest", [b"", framed(THROTTLED, "error", 429)], ids=["silence", "refusal"])
async def test_speech_that_breaks_off_is_told_after_what_was_heard(rest: bytes) -> None:
    got: list[bytes] = []
    with pytest.raises(errors.UpstreamRateLimited if rest else StreamBroken) as caught:
        await heard(stream(piece(SAMPLES[0]), rest), PCM, got)
    assert (got, caught.value.provider, caught.value.status) == ([SAMPLES[0]], ID, 200)
