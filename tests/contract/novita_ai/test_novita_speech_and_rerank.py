"""Speech and reranking at novita.ai: requests and answers have the fields that its reference names
(novita.ai/docs/api-reference: model-apis-glm-asr, -glm-tts, -llm-create-rerank), filled by the tests.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, CredentialRejected, UnsupportedFeature, UpstreamPaymentRequired
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ID = "novita_ai"
FORM = {"api_key": "<key>"}
STT, TTS, RERANK = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH, ModelType.RERANK
HEADERS = ("authorization", "content-type", "accept")
JSON = {"authorization": "Bearer <key>", "content-type": "application/json", "accept": "application/json"}
HEARD = TranscribeCall(Recording("a.mp3", "audio/mpeg", b"ID3fake"))


def sent(request: Request, kind: ModelType) -> rec.Sent:
    return rec.sent(ADAPTERS[ID], rec.target(ID, "x", FORM, kind).form, request, HEADERS)


heard = partial(rec.hearing, ID, FORM, "glm-asr")
spoken = partial(rec.speaking, ID, FORM, "glm-tts")


def test_a_recording_goes_in_base64_to_an_address_of_its_own() -> None:
    assert sent(heard(HEARD), STT) == rec.Sent("POST", "/v3/glm-asr", "", JSON, {"file": "SUQzZmFrZQ=="})


def test_what_came_before_helps_and_a_language_is_left_out_with_a_warning() -> None:
    request = heard(replace(HEARD, language="en", prompt="names"))
    assert (request.json or {})["prompt"] == "names"
    assert [warning.split()[0] for warning in request.warnings] == ["language"]


def test_a_transcript_is_read() -> None:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    assert dialect.parse({"text": "Hello."}) == Transcript("Hello.", Usage())
    with pytest.raises(BadRequestUpstream):
        dialect.parse({"text": ["Hello."]})


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (SpeakCall("Hi"), {"voice": "tongtong", "response_format": "wav"}),
        (
            SpeakCall("Hi", voice="jam", format=SpeechFormat.PCM, speed=1.5),
            {"voice": "jam", "response_format": "pcm", "speed": 1.5},
        ),
    ],
    ids=["usual", "chosen"],
)
def test_a_text_goes_to_an_address_of_its_own(call: SpeakCall, asked: dict[str, Any]) -> None:
    ours = sent(spoken(call), TTS)
    headers = {**JSON, "accept": "application/octet-stream"}
    assert ours == rec.Sent("POST", "/v3/glm-tts", "", headers, {"input": "Hi", **asked})


def test_speech_is_wav_or_samples() -> None:
    dialect = ADAPTERS[ID].speak
    assert dialect
    assert dialect.media_type(SpeakCall("Hi")) == "audio/wav"
    with pytest.raises(UnsupportedFeature):
        spoken(SpeakCall("Hi", format=SpeechFormat.MP3))


def test_all_documents_are_ranked_where_chats_go() -> None:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    model = "baai/bge-reranker-v2-m3"
    call = RerankCall("q", ("a", "b"), top_n=1, threshold=0.5)
    ours = sent(dialect.render(rec.target(ID, model, FORM, RERANK), call), RERANK)
    body = {"model": model, "query": "q", "documents": ["a", "b"], "top_n": 2}
    assert ours == rec.Sent("POST", "/openai/v1/rerank", "", JSON, body)


def test_ranks_are_read_best_first() -> None:
    dialect = ADAPTERS[ID].rerank
    assert dialect
    ranks = [{"document": {"text": "x"}, "index": at, "relevance_score": score} for at, score in ((0, 0.1), (1, 0.9))]
    usage = {"completion_tokens": 0, "prompt_tokens": 9, "total_tokens": 9}
    answer = dialect.parse({"id": "1", "results": ranks, "usage": usage}, 2)
    assert [(r.index, r.score) for r in answer.results] == [(1, 0.9), (0, 0.1)]
    assert (answer.usage.input, answer.usage.output) == (9, 0)


def test_refusals_of_speech_have_the_shape_of_all() -> None:
    body = {"code": 403, "reason": "NOT_ENOUGH_BALANCE", "message": "not enough balance", "metadata": {}}
    assert type(rec.refused(ID, 403, body)) is UpstreamPaymentRequired
    assert type(rec.refused(ID, 401, {**body, "reason": "FAILED_TO_AUTH"})) is CredentialRejected


def test_rows_say_what_one_request_takes() -> None:
    rows = {row.ref.name: row for row in catalogue().provider(ID).models}
    assert (rows["glm-asr"].limits.bytes, rows["glm-asr"].limits.formats) == (25 * 2**20, ("wav", "mp3"))
    assert (rows["glm-tts"].limits.characters, rows["glm-tts"].voices[0].id) == (1_024, "tongtong")
    assert (rows["baai/bge-reranker-v2-m3"].ref.type, rows["qwen/qwen3-reranker-8b"].context) == (RERANK, 32_768)
