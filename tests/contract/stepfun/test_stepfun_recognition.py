"""Speech to text at StepFun: the eldest model's request equals that of OpenAI's client (sdk_requests.json), the others'
have the fields of the vendor's documentation; answers are its examples (documented_replies.json).
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import InvalidRange, StreamBroken, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.speech import Recording, SpeakCall, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body, stream
from tests.stubs.serve import serving

ID = "stepfun"
FORM = {"api_key": "sk-fake"}
MODEL, ELDEST = "stepaudio-2.5-asr", "step-asr"
STT = ModelType.SPEECH_TO_TEXT
SAID = rec.load(ID, "documented_replies.json")
CALL = TranscribeCall(Recording("a.mp3", "audio/mpeg", b"ID3fake"))
HEADERS = ("authorization", "content-type", "accept")


def rendered(model: str, call: TranscribeCall = CALL) -> Request:
    return rec.hearing(ID, FORM, model, call)


def sent(model: str, call: TranscribeCall = CALL) -> rec.Sent:
    return rec.sent(ADAPTERS[ID], rec.target(ID, model, FORM, STT).form, rendered(model, call), HEADERS)


def framed(*events: Any) -> bytes:
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


async def heard(answer: Failure, model: str = MODEL) -> Transcript:
    """Through the gateway, from a server that stands in the vendor's place."""
    async with serving(answer) as url:
        adapter = replace(ADAPTERS[ID], base_url=lambda _: f"{url}/v1")
        async with gateway(adapters={ID: adapter}) as subject:
            return await subject.transcribe(rec.target(ID, model, FORM, STT), CALL)


def test_the_eldest_model_is_asked_as_the_client_asks() -> None:
    assert sent(ELDEST) == rec.recorded(rec.calls(ID)["stt"], headers=HEADERS)
    request = rendered(ELDEST, replace(CALL, language="zh", prompt="names"))
    assert [warning.split()[0] for warning in request.warnings] == ["language", "prompt"]


@pytest.mark.parametrize("language", ["zh", None])
def test_the_others_are_asked_for_events_in_the_documented_fields(language: str | None) -> None:
    ours = sent(MODEL, replace(CALL, language=language))
    assert (ours.method, ours.path, ours.headers["accept"]) == ("POST", "/v1/audio/asr/sse", "text/event-stream")
    example = SAID["recognition_request"]["audio"]["input"]
    wanted = {"model": MODEL, "language": language} if language else {"model": MODEL}
    assert ours.body["audio"]["input"] == {"transcription": wanted, "format": {"type": "mp3"}}
    assert wanted.items() <= example["transcription"].items()
    assert ours.body["audio"]["data"] == "SUQzZmFrZQ=="


def test_a_prompt_is_left_out_with_a_warning_and_bare_samples_are_refused() -> None:
    (warning,) = rendered(MODEL, replace(CALL, prompt="names")).warnings
    assert warning.startswith("prompt")
    with pytest.raises(InvalidRange, match="wav, mp3, ogg"):
        rendered(MODEL, TranscribeCall(Recording("a.pcm", "audio/pcm", b"\0\0")))


async def test_the_documented_events_are_read() -> None:
    usage = Usage(1000, 50, raw=SAID["recognition"][1]["usage"])
    assert await heard(stream(framed(*SAID["recognition"]))) == Transcript("识别的完整文字内容", usage)
    assert await heard(stream(framed(*SAID["recognition"]) + b"data: [DONE]\n\n")) == Transcript(
        "识别的完整文字内容", usage
    )


async def test_the_documented_answer_of_the_eldest_is_read() -> None:
    assert await heard(body(json.dumps(SAID["transcription"]).encode()), ELDEST) == Transcript("测试录制音频", Usage())


BALANCE = {"error": {"message": "余额不足", "type": "quota"}}
FAILURES: list[tuple[Failure, type[UpstreamError], int, str]] = [
    (
        stream(framed(SAID["recognition"][0], SAID["recognition_error"])),
        errors.UpstreamUnavailable,
        200,
        "错误描述信息",
    ),
    (body(json.dumps(BALANCE).encode(), status=402), errors.UpstreamPaymentRequired, 402, "余额不足"),
    (body(json.dumps(BALANCE).encode(), status=401), errors.CredentialRejected, 401, "余额不足"),
    (body(b"{}", status=451), errors.ContentRefused, 451, ""),
    (stream(framed(SAID["recognition"][0])), StreamBroken, 200, ""),
    (stream(b""), StreamBroken, 200, ""),
    (stream(framed({"type": "transcript.text.done", "text": 5})), errors.BadRequestUpstream, 200, "no text"),
    (stream(b"data: no json\n\n"), errors.BadRequestUpstream, 200, "not JSON"),
    (body(b'{"texts": "x"}'), errors.BadRequestUpstream, 200, "no text"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "detail"), FAILURES, ids=range(len(FAILURES)))
async def test_a_failure_has_its_own_kind(answer: Failure, kind: type[UpstreamError], status: int, detail: str) -> None:
    with pytest.raises(kind) as caught:
        await heard(answer)
    assert (type(caught.value), caught.value.status, caught.value.provider) == (kind, status, ID)
    assert detail in caught.value.detail


def test_rows_say_what_listens_and_speaks_and_at_what_price() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    ears, mouth = rows[MODEL], rows["step-tts-mini"]
    assert ears.price
    assert (str(ears.price.input), ears.price.per, ears.limits.formats) == ("0.15", 3600, ("wav", "mp3", "ogg"))
    assert (mouth.limits.characters, mouth.voices[0].id) == (1_000, "cixingnansheng")
    SpeakCall("你好", voice="voice-tone-of-mine").check_for(mouth)
    assert rows[ELDEST].successor == MODEL
