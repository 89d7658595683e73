"""Speech and reranking at Zhipu AI: requests for speech equal those of its SDK (sdk_requests.json: zai-sdk 0.2.3),
which does not rerank, and all satisfy the vendor's OpenAPI (request_schemas.json), by which answers have their shapes;
the ranks are those of its example (docs.bigmodel.cn, rerank).

Left out of the comparison: nulls; `volume` and `stream`, whose defaults that client names; the charset of the content
type; and the media type that is accepted, which is that of JSON even for audio.
"""

from functools import partial
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, CredentialRejected, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.misbehaviour import body
from tests.stubs.serve import serving

ID = "zhipu_ai"
FORM = {"api_key": "fakeid.fakesecret"}
STT, TTS, RERANK = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH, ModelType.RERANK
WAV = Recording("a.wav", "audio/x-wav", b"RIFF0000WAVE")
HELLO = SpeakCall("hello", speed=1.0)
RANKED: dict[str, Any] = {
    "created": 1732083164,
    "id": "20241120141244890ab4ee4af84acf",
    "request_id": "1111111111",
    "results": [
        {"document": "Washington, D.C. is the capital.", "index": 1, "relevance_score": 0.99866986},
        {"document": "Carson City is the capital city.", "index": 0, "relevance_score": 0.001294368},
    ],
    "usage": {"prompt_tokens": 72, "total_tokens": 72},
}


def sent(request: Request, kind: ModelType) -> rec.Sent:
    return rec.sent(ADAPTERS[ID], rec.target(ID, "x", FORM, kind).form, request, ("authorization",))


heard = partial(rec.hearing, ID, FORM, "glm-asr-2512")
spoken = partial(rec.speaking, ID, FORM, "glm-tts")


def test_a_recording_is_sent_as_the_sdk_sends_it() -> None:
    ours = sent(heard(TranscribeCall(WAV)), STT)
    assert ours == rec.recorded(rec.calls(ID)["stt"], headers=("authorization",))
    rec.valid(ID, "AudioTranscriptionRequest", {**ours.body, "file": "a string, to JSON Schema"})


def test_what_came_before_helps_and_a_language_is_left_out_with_a_warning() -> None:
    request = heard(TranscribeCall(WAV, language="zh", prompt="names"))
    assert [part.name for part in request.parts] == ["model", "prompt", "file"]
    assert [warning.split()[0] for warning in request.warnings] == ["language"]


def test_a_transcript_is_read() -> None:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    answer = {"id": "1", "created": 1, "request_id": "1", "model": "glm-asr-2512", "text": "你好"}
    rec.valid(ID, "AudioTranscriptionResponse", answer)
    assert dialect.parse(answer) == Transcript("你好", Usage())
    with pytest.raises(BadRequestUpstream):
        dialect.parse({**answer, "text": None})


def test_a_text_is_sent_as_the_sdk_sends_it() -> None:
    ours = sent(spoken(HELLO), TTS)
    without = {"encode_format", "request_id", "user_id", "volume", "stream"}
    assert ours == rec.recorded(rec.calls(ID)["tts"], without=without, headers=("authorization",))
    rec.valid(ID, "AudioSpeechRequest", ours.body)


@pytest.mark.parametrize("wanted", SpeechFormat)
def test_speech_is_wav_or_samples(wanted: SpeechFormat) -> None:
    call = SpeakCall("hello", format=wanted)
    if wanted not in (SpeechFormat.WAV, SpeechFormat.PCM):
        with pytest.raises(UnsupportedFeature):
            spoken(call)
        return
    assert (spoken(call).json or {})["response_format"] == wanted


@pytest.mark.parametrize("media_type", ["audio/wav", "application/octet-stream"])
async def test_the_answers_bytes_are_the_audio(media_type: str) -> None:
    async with serving(body(b"RIFFaudio", media_type)) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, "glm-tts", {**FORM, "base_url": url}, TTS)
        async with subject.speak(goal, SpeakCall("hello")) as speech:
            assert b"".join([piece async for piece in speech.pieces]) == b"RIFFaudio"
    assert speech.media_type == "audio/wav"


def test_a_reranking_request_satisfies_the_openapi_and_asks_for_all() -> None:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    call = RerankCall("q", ("a", "b"), top_n=1, threshold=0.5)
    ours = sent(dialect.render(rec.target(ID, "rerank", FORM, RERANK), call), RERANK)
    assert (ours.method, ours.path) == ("POST", "/api/paas/v4/rerank")
    assert ours.body == {
        "model": "rerank",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 2,
        "return_documents": False,
    }
    rec.valid(ID, "RerankRequest", ours.body)


def test_more_documents_than_one_request_takes_are_dealt_out() -> None:
    assert ADAPTERS[ID].documents(FORM) == 128


def test_the_documented_ranks_are_read_best_first() -> None:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    rec.valid(ID, "RerankResponse", RANKED)
    answer = dialect.parse(RANKED, 2)
    assert [(r.index, r.score) for r in answer.results] == [(1, 0.99866986), (0, 0.001294368)]
    assert (answer.usage.input, answer.usage.output) == (72, 0)
    with pytest.raises(BadRequestUpstream):
        dialect.parse(RANKED, 3)


@pytest.mark.parametrize(
    ("code", "kind"), [("1002", CredentialRejected), ("1214", BadRequestUpstream)], ids=["bad key", "refused input"]
)
async def test_a_refusal_in_place_of_speech_is_told(code: str, kind: type[UpstreamError]) -> None:
    refused = f'{{"error":{{"code":"{code}","message":"no"}}}}'.encode()
    async with serving(body(refused)) as url, gateway(adapters=ADAPTERS) as subject:
        goal = rec.target(ID, "glm-tts", {**FORM, "base_url": url}, TTS)
        with pytest.raises(kind):
            async with subject.speak(goal, SpeakCall("hello")):
                pass


def test_rows_say_what_one_request_takes_and_leave_an_account_its_own_voices() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    ears, mouth = rows["glm-asr-2512"], rows["glm-tts"]
    assert (ears.limits.bytes, ears.limits.formats) == (25 * 2**20, ("wav", "mp3"))
    named = rec.load(ID, "request_schemas.json")["components"]["schemas"]["AudioSpeechRequest"]["properties"]
    assert [voice.id for voice in mouth.voices] == named["voice"]["enum"]
    assert mouth.limits.characters == named["input"]["maxLength"]
    SpeakCall("hello", voice="voice_clone_20240315_143052_001").check_for(mouth)
    assert rows["rerank"].ref.type is RERANK
