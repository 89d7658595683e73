"""Speech at MiniMax: requests as the vendor's command line sends them (sdk_requests_mmx.json: mmx-cli 1.0.27) and as
its OpenAPI wants them (request_schemas.json); events as that OpenAPI has them (spec_answers.json), with audio of ours.

Left out of the comparison: `output_format`, which says what streams do anyway; `stream_options`, which that caller does
not know; and the bitrate, whose default is the one it names.
"""

import json
import random
import wave
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from domain import errors
from domain.errors import StreamBroken, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.speech import SpeakCall, SpeechFormat
from infrastructure.providers.dialects.hex_speech import HexSpeak
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Framing, Request
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body, stream
from tests.stubs.serve import serving

ID = "minimax"
FORM = {"minimax_api_key": "<key>"}
HEADERS = ("authorization", "content-type")
MODEL = "speech-2.6-turbo"
PIECES = (b"ID3\x04first", b"second", b"third")
CALL = SpeakCall("Hello")
TTS = ModelType.TEXT_TO_SPEECH
RECORDED = [
    ("speech synthesize --stream", replace(CALL, voice="English_expressive_narrator", format=SpeechFormat.MP3)),
    (
        "speech synthesize with a voice, a format and a speed, --stream",
        replace(CALL, format=SpeechFormat.FLAC, speed=1.5),
    ),
]


def event(audio: Any, status: int = 1, **more: Any) -> bytes:
    data = {"data": {"audio": audio, "status": status}, "base_resp": {"status_code": 0, "status_msg": ""}}
    return f"data: {json.dumps({**data, **more})}\n\n".encode()


def documented(*audio: bytes) -> bytes:
    """The stream of the specification's example, with this audio."""
    events = rec.load(ID, "spec_answers.json")["speech_stream"]
    told = zip(events, audio, strict=True)
    return b"".join(event(said.hex(), e["data"]["status"], extra_info=e.get("extra_info")) for e, said in told)


def refusing(code: int, message: str) -> Any:
    return {"base_resp": {"status_code": code, "status_msg": message}}


def dialect() -> HexSpeak:
    speak = ADAPTERS[ID].speak
    assert isinstance(speak, HexSpeak)
    return speak


def rendered(call: SpeakCall, model: str = MODEL, **form: str) -> Request:
    return rec.speaking(ID, {**FORM, **form}, model, call)


def decoded(raw: bytes, cuts: list[int] | None, call: SpeakCall = CALL) -> bytes:
    decoder = dialect().decoder(call)
    audio = b"".join(map(decoder.feed, rec.framed(raw, Framing.SSE, cuts)))
    decoder.end()
    return audio


async def heard(answer: Failure, call: SpeakCall, into: list[bytes]) -> str:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(answer) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, MODEL, {**FORM, "endpoint_url": url}, TTS)
        async with subject.speak(goal, call) as speech:
            async for audio in speech.pieces:
                into.append(audio)
    return speech.media_type


@pytest.mark.parametrize(("name", "call"), RECORDED, ids=["mp3", "flac"])
def test_a_request_is_the_vendors_own(name: str, call: SpeakCall) -> None:
    recorded = rec.calls(ID, "sdk_requests_mmx.json")[name]
    theirs = rec.recorded(recorded, without={"output_format"}, headers=HEADERS)
    theirs.body["audio_setting"].pop("bitrate")
    form = rec.target(ID, theirs.body["model"], FORM, TTS).form
    ours = rec.sent(ADAPTERS[ID], form, rendered(call, theirs.body["model"]), HEADERS)
    assert ours.body.pop("stream_options") == {"exclude_aggregated_audio": True}
    assert ours == theirs


@pytest.mark.parametrize("wanted", [None, *sorted(set(SpeechFormat) - {SpeechFormat.AAC})])
def test_a_request_satisfies_the_vendors_openapi(wanted: SpeechFormat | None) -> None:
    request = rendered(replace(CALL, format=wanted, speed=0.5))
    rec.valid(ID, "T2aV2Req", request.json)
    assert (request.json or {})["audio_setting"]["format"] == {None: "mp3", "wav": "pcm"}.get(wanted, wanted)


def test_a_format_that_the_vendor_does_not_write_is_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        rendered(replace(CALL, format=SpeechFormat.AAC))


@pytest.mark.parametrize(("group", "query"), [("", {}), ("1234", {"GroupId": "1234"})])
def test_an_account_of_old_names_its_group(group: str, query: dict[str, str]) -> None:
    assert rendered(CALL, minimax_group_id=group).query == query


@pytest.mark.parametrize("last", [b"", b"".join(PIECES), b"the end"], ids=["nothing", "all again", "the last piece"])
def test_audio_is_heard_once_however_the_stream_is_cut(last: bytes) -> None:
    raw, dice = documented(*PIECES, last), random.Random(7)
    splits = [dice.sample(range(1, len(raw)), k=9) for _ in range(20)]
    tail = b"" if last == b"".join(PIECES) else last
    assert {decoded(raw, cuts) for cuts in ([], None, *splits)} == {b"".join(PIECES) + tail}


def test_a_short_text_may_be_said_in_the_last_event_alone() -> None:
    assert decoded(event("616263", 2) + b"data: [DONE]\n\n", []) == b"abc"


async def test_speech_comes_as_it_is_spoken() -> None:
    got: list[bytes] = []
    assert await heard(stream(documented(*PIECES, b"".join(PIECES))), CALL, got) == "audio/mpeg"
    assert got == list(PIECES)


async def test_a_wav_file_is_made_of_samples() -> None:
    got: list[bytes] = []
    spoken = stream(event("01000200"), event("0300"), event("", 2))
    assert await heard(spoken, replace(CALL, format=SpeechFormat.WAV), got) == "audio/wav"
    with wave.open(BytesIO(b"".join(got))) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 32_000)
        assert audio.readframes(3) == bytes.fromhex("010002000300")


LOGIN, VOICE = refusing(1004, "login fail"), refusing(20132, "invalid samples or voice_id")
FAILURES: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (body(json.dumps(LOGIN).encode()), errors.CredentialRejected, 401, "login fail"),
    (body(json.dumps(refusing(1008, "insufficient balance")).encode()), errors.UpstreamPaymentRequired, 402, "balance"),
    (stream(f"data: {json.dumps(refusing(1002, 'rate limit'))}\n\n".encode()), errors.UpstreamRateLimited, 429, "rate"),
    (stream(f"data: {json.dumps(VOICE)}\n\n".encode()), errors.BadRequestUpstream, 400, "voice_id"),
    (body(json.dumps(refusing(1042, "invisible characters")).encode()), errors.BadRequestUpstream, 400, "invisible"),
    (body(json.dumps(refusing(2061, "your plan")).encode()), errors.ModelNotFoundUpstream, 403, "plan"),
    (stream(event("", 2)), errors.BadRequestUpstream, 200, "no audio"),
    (stream(event("no hex")), errors.BadRequestUpstream, 200, "unexpected form"),
    (stream(b"data: [1]\n\n"), StreamBroken, 200, "broke off"),
    (stream(b"data: no json\n\n"), errors.BadRequestUpstream, 200, "not JSON"),
    (body(b"ID3", "audio/mpeg"), errors.BadRequestUpstream, 200, "of some other type"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), FAILURES, ids=range(len(FAILURES)))
async def test_what_is_no_speech_fails_before_anything_is_heard(
    answer: Failure, kind: type[UpstreamError], status: int, detail: str
) -> None:
    got: list[bytes] = []
    with pytest.raises(kind, match=detail) as caught:
        await heard(answer, CALL, got)
    assert (got, caught.value.provider, caught.value.status) == ([], ID, status)


@pytest.mark.parametrize("rest", [b"", f"data: {json.dumps(refusing(1002, 'rate limit'))}\n\n".encode()])
async def test_speech_that_breaks_off_is_told_after_what_was_heard(rest: bytes) -> None:
    got: list[bytes] = []
    with pytest.raises(errors.UpstreamRateLimited if rest else StreamBroken):
        await heard(stream(event(PIECES[0].hex()), rest), CALL, got)
    assert got == [PIECES[0]]


def test_rows_say_how_much_is_spoken_at_once_and_leave_an_account_its_own_voices() -> None:
    rows = [row for row in catalogue().provider(ID).models if row.ref.type is TTS]
    assert rows[0].ref.name == "speech-2.8-hd"
    assert {row.limits.characters for row in rows} == {9_999}
    assert {row.voices[0].id for row in rows} == {dialect().voice}
    replace(CALL, voice="moss_audio_of_mine").check_for(rows[0])
    assert all(row.price and row.price.currency == "CNY" for row in rows)
    named = rec.load(ID, "request_schemas.json")["components"]["schemas"]["T2aV2Req"]["properties"]["model"]["enum"]
    assert {row.ref.name for row in rows} == set(named)
