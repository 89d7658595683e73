"""Recordings at Tongyi: requests as the vendor's SDK sends them (sdk_requests.json: dashscope 2.0.2); the answer
is one that it accepted (sdk_requests_replies.json), the example of docs.qwencloud.com/api-reference/speech-recognition
(qwen-asr/dashscope).
"""

import json
from typing import Any

import pytest

from domain import errors
from domain.errors import BadRequestUpstream
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import Usage
from domain.model.speech import Recording, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import Failure, body
from tests.stubs.serve import serving

ID, MODEL, STT = "tongyi", "qwen3-asr-flash", ModelType.SPEECH_TO_TEXT
FORM = {"dashscope_api_key": "sk-fake"}
HEADERS = ("authorization",)
REPLY = rec.calls(ID, "sdk_requests_replies.json")["stt"]
WAV = Recording("a.wav", "audio/wav", b"RIFF0000WAVE")
COUNTED = {"input_tokens_details": {"text_tokens": 0}, "output_tokens_details": {"text_tokens": 6}, "seconds": 1}
HEARD = {"language": "zh", "type": "audio_info", "emotion": "neutral"}


def answer(content: Any, usage: Any = None, annotations: Any = (HEARD,)) -> Any:
    message = {"annotations": list(annotations), "content": content, "role": "assistant"}
    output = {"choices": [{"finish_reason": "stop", "message": message}]}
    return {"request_id": "568e2bf0-d6f2-97f8-9f15-a57b11dc6977", "output": output, "usage": usage or COUNTED}


def parse(said: Any) -> Transcript:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    return dialect.parse(said)


async def transcribed(reply: Failure) -> Transcript:
    """Through the gateway, from a server that stands at the form's address."""
    async with serving(reply) as url, gateway(adapters=ADAPTERS) as subject:
        return await subject.transcribe(rec.target(ID, MODEL, {**FORM, "base_url": url}, STT), TranscribeCall(WAV))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("stt_data_url", TranscribeCall(WAV)),
        ("stt_data_url_language_context", TranscribeCall(WAV, language="EN", prompt="Portunus, Oslo")),
    ],
)
def test_a_recording_is_sent_as_the_sdk_sends_it(name: str, call: TranscribeCall) -> None:
    theirs = rec.recorded(rec.calls(ID)[name], headers=HEADERS)
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    goal = rec.target(ID, theirs.body["model"], FORM, STT)
    request = dialect.render(goal, call)
    assert rec.sent(ADAPTERS[ID], goal.form, request, HEADERS) == theirs
    assert request.warnings == ()


async def test_the_answer_that_the_sdk_accepted_is_read() -> None:
    found = await transcribed(body(json.dumps(REPLY["reply_replayed"]["body"]).encode()))
    theirs = REPLY["sdk_result"]["output"]["choices"][0]["message"]
    assert (found.text, found.language) == (theirs["content"][0]["text"], theirs["annotations"][0]["language"])
    assert (found.seconds, found.usage) == (1.0, Usage(raw=COUNTED, audio_ms=1000))


@pytest.mark.parametrize(
    ("said", "transcript"),
    [
        (answer([]), Transcript("", Usage(raw=COUNTED, audio_ms=1000), "zh", 1.0)),
        (answer([{"text": "a"}, {"text": "b"}], {"seconds": -1}), Transcript("ab", Usage(raw={"seconds": -1}), "zh")),
        (answer([{"text": "a"}], {"seconds": True}, ()), Transcript("a", Usage(raw={"seconds": True}))),
        (answer([{"text": "a"}], [9], [None]), Transcript("a", Usage())),
        (answer([{"text": "a"}], {"seconds": 1e300}, [7]), Transcript("a", Usage(raw={"seconds": 1e300}))),
    ],
    ids=["silence", "negative", "truth", "lists", "huge"],
)
def test_odd_counts_and_languages_are_unknown(said: Any, transcript: Transcript) -> None:
    assert parse(said) == transcript


BAD: list[Any] = [
    None,
    [],
    {},
    {"output": None},
    {"output": {"choices": []}},
    answer(None),
    answer("text"),
    answer([1]),
]
BAD += [answer([{"audio": "x"}]), answer([{"text": None}]), answer([{"text": 5}])]


@pytest.mark.parametrize("said", BAD, ids=lambda said: str(said)[:60])
def test_an_answer_without_text_is_the_vendors_fault(said: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        parse(said)


async def test_a_refusal_is_read() -> None:
    refusal = {"code": "InvalidParameter", "message": "The audio is too long", "request_id": "r1"}
    with pytest.raises(BadRequestUpstream, match="too long") as caught:
        await transcribed(body(json.dumps(refusal).encode(), status=400))
    assert (caught.value.provider, caught.value.status) == (ID, 400)


def test_the_row_knows_what_fits() -> None:
    row = catalogue().model(ModelRef(ID, MODEL, STT))
    assert row
    TranscribeCall(WAV).check_for(row)
    for file in (Recording("a.txt", "text/plain", b"x"), Recording("a.wav", "audio/wav", bytes(10_485_761))):
        with pytest.raises(errors.InvalidRange):
            TranscribeCall(file).check_for(row)
