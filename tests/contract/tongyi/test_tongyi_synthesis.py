"""CosyVoice at Tongyi: requests as the vendor's SDK streams them (sdk_requests.json: dashscope 2.0.2,
tts_cosyvoice_http_stream_*); events that it accepted (sdk_requests_replies.json), as the vendor documents them
(platform.qianwenai.com/docs, Qwen-Audio-TTS/CosyVoice HTTP API), with bytes of our own for the audio, which the example
leaves out.
"""

import base64
import json
import random
import wave
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest

from domain import errors
from domain.errors import InvalidRange, StreamBroken, UnsupportedFeature
from domain.model.catalogue import ModelRef, ModelType
from domain.model.speech import SpeakCall, SpeechFormat
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Framing, Request
from infrastructure.providers.wire.digging import dig, text
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, stream
from tests.stubs.serve import serving

ID, MODEL = "tongyi", "cosyvoice-v3-flash"
FORM = {"dashscope_api_key": "sk-fake"}
HEADERS = ("authorization", "accept", "x-dashscope-sse")
TTS = ModelType.TEXT_TO_SPEECH
SAID = (b"\x01\x00\x02\x00", b"\x03\x00")
NAMED = {"id": "audio_8ac1cd04-06af-9a63-b031-xxxxxxxxxxxx", "expires_at": 1772698611}


def event(number: int, audio: Mapping[str, Any], reason: str = "null", **output: Any) -> bytes:
    body = {
        "request_id": "8ac1cd04-06af-9a63-b031-xxxxxxxxxxxx",
        "output": {"finish_reason": reason, **output, "audio": {**audio, **NAMED}},
        "usage": {"characters": 15},
    }
    return f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{json.dumps(body, ensure_ascii=False)}\n\n".encode()


def spoken(*pieces: bytes) -> list[bytes]:
    """One sentence: its begin, its pieces and its end, then the end of all."""
    at: Mapping[str, Any] = {"sentence": {"index": 0, "words": []}}
    begin = event(1, {"data": ""}, type="sentence-begin", original_text="我家的后面有一个很大的花园。", **at)
    data = [{"data": base64.b64encode(piece).decode()} for piece in pieces]
    middle = [event(2 + place, piece, type="sentence-synthesis", **at) for place, piece in enumerate(data)]
    end = event(8, {"data": ""}, type="sentence-end", **at)
    return [begin, *middle, end, event(9, {"data": "", "url": "http://vendor.example/x.wav?xxxxxxx"}, "stop")]


def rendered(call: SpeakCall, model: str = MODEL) -> Request:
    dialect = ADAPTERS[ID].speak
    assert dialect
    return dialect.render(rec.target(ID, model, FORM, TTS), call)


async def heard(answer: Failure, call: SpeakCall, model: str = MODEL) -> tuple[str, bytes]:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(answer) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, model, {**FORM, "base_url": url}, TTS)
        async with subject.speak(goal, call) as speech:
            return speech.media_type, b"".join([piece async for piece in speech.pieces])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("mp3", SpeakCall("hello", format=SpeechFormat.MP3)),
        ("pcm", SpeakCall("hello", format=SpeechFormat.PCM)),
        ("pcm", SpeakCall("hello")),
        ("rate", SpeakCall("hello", format=SpeechFormat.MP3, speed=1.5, voice="longanyang")),
    ],
    ids=["mp3", "pcm", "wav", "speed"],
)
def test_a_request_is_the_sdks(name: str, call: SpeakCall) -> None:
    theirs = rec.recorded(rec.calls(ID)[f"tts_cosyvoice_http_stream_{name}"], headers=HEADERS)
    request = rendered(call)
    assert rec.sent(ADAPTERS[ID], rec.target(ID, MODEL, FORM, TTS).form, request, HEADERS) == theirs
    assert request.warnings == ()


@pytest.mark.parametrize(
    ("model", "voice"),
    [
        ("cosyvoice-v3-flash", "longanyang"),
        ("cosyvoice-v3-plus", "longanyang"),
        ("cosyvoice-v2", "longxiaochun_v2"),
        ("qwen-audio-3.0-tts-flash", "longanhuan_v3.6"),
    ],
)
def test_a_text_without_a_voice_gets_the_familys_own(model: str, voice: str) -> None:
    body = rendered(SpeakCall("hello"), model).json
    assert body
    assert (body["model"], body["input"]["voice"]) == (model, voice)


def test_a_model_whose_voices_are_all_made_by_tenants_must_be_told_one() -> None:
    with pytest.raises(InvalidRange, match="voice"):
        rendered(SpeakCall("hello"), "cosyvoice-v3.5-flash")
    body = rendered(SpeakCall("hello", voice="cosyvoice-v3.5-flash-mine-1"), "cosyvoice-v3.5-flash").json
    assert body
    assert body["input"]["voice"] == "cosyvoice-v3.5-flash-mine-1"


@pytest.mark.parametrize("wanted", SpeechFormat)
@pytest.mark.parametrize("model", ["qwen3-tts-flash", "cosyvoice-v3-flash", "cosyvoice-v3-plus"])
def test_a_format_is_written_or_refused_as_the_row_says(model: str, wanted: SpeechFormat) -> None:
    row = catalogue().model(ModelRef(ID, model, TTS))
    assert row
    call = SpeakCall("hello", format=wanted)
    if wanted.value in row.limits.formats:
        assert rendered(call, model).json
        return
    with pytest.raises(UnsupportedFeature):
        rendered(call, model)


@pytest.mark.parametrize("model", ["cosyvoice-v3-flash", "cosyvoice-v3-plus"])
def test_the_familys_own_voice_is_the_first_of_the_row(model: str) -> None:
    row = catalogue().model(ModelRef(ID, model, TTS))
    body = rendered(SpeakCall("hello"), model).json
    assert row
    assert body
    assert body["input"]["voice"] == row.voices[0].id


@pytest.mark.parametrize(("wanted", "media_type"), [(SpeechFormat.MP3, "audio/mpeg"), (SpeechFormat.OPUS, "audio/ogg")])
async def test_encoded_audio_comes_as_it_was_spoken(wanted: SpeechFormat, media_type: str) -> None:
    answer = stream(*spoken(b"ID3", b"\xff\xfb"))
    assert await heard(answer, SpeakCall("hello", format=wanted)) == (media_type, b"ID3\xff\xfb")


async def test_samples_come_as_a_wav_file_that_can_be_played() -> None:
    media_type, data = await heard(stream(*spoken(*SAID)), SpeakCall("hello"))
    assert media_type == "audio/wav"
    with wave.open(BytesIO(data)) as audio:
        assert (audio.getframerate(), audio.readframes(3)) == (24_000, b"".join(SAID))


@pytest.mark.parametrize(("name", "model"), [("tts_cosyvoice", MODEL), ("tts_qwen", "qwen3-tts-flash")])
async def test_events_that_the_sdk_accepted_are_read_as_it_reads_them(name: str, model: str) -> None:
    reply = rec.calls(ID, "sdk_requests_replies.json")[name]
    theirs = [text(dig(event, "output", "audio", "data")) for event in reply["sdk_result"]]
    answer = stream(reply["reply_replayed"]["text"].encode())
    call = SpeakCall("hello", format=SpeechFormat.PCM)
    assert await heard(answer, call, model) == ("audio/pcm", b"".join(map(base64.b64decode, theirs)))


def test_audio_is_found_however_the_stream_is_cut() -> None:
    raw, dice = b"".join(spoken(*SAID)), random.Random(7)
    for cuts in ([], None, *(dice.sample(range(1, len(raw)), k=9) for _ in range(20))):
        dialect = ADAPTERS[ID].speak
        assert dialect
        decoder = dialect.decoder(SpeakCall("hello", format=SpeechFormat.PCM))
        assert decoder
        assert b"".join(map(decoder.feed, rec.framed(raw, Framing.SSE, cuts))) == b"".join(SAID)
        decoder.end()


async def test_speech_whose_end_never_came_is_broken() -> None:
    with pytest.raises(StreamBroken):
        await heard(stream(*spoken(*SAID)[:-1]), SpeakCall("hello"))


async def test_a_refusal_in_the_stream_is_read() -> None:
    said = {"code": "InvalidParameter", "message": "voice not found", "request_id": "r1"}
    raw = f"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{json.dumps(said)}\n\n".encode()
    with pytest.raises(errors.BadRequestUpstream, match="voice not found") as caught:
        await heard(stream(raw), SpeakCall("hello"))
    assert (caught.value.provider, caught.value.status) == (ID, 400)
