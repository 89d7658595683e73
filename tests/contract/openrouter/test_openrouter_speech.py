"""Recordings at OpenRouter: requests equal the recorded one (sdk_requests.json) and satisfy the vendor's OpenAPI
(request_schemas.json: OpenRouterTeam/docs at c26125a5), whose example is the answer. Spoken text has its row in
../test_audio.py, reranking in ../test_reranking.py.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, InvalidRange, UnsupportedFeature
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ID, FORM = "openrouter", {"api_key": "sk-or-v1-dummy"}
PRIVATE = {**FORM, "data_collection": "deny"}
ADAPTER = ADAPTERS[ID]
HEADERS = ("authorization", "content-type", "accept")
STT = ModelType.SPEECH_TO_TEXT
RECORDED = rec.calls(ID)["stt"]
SILENT = bytes.fromhex("524946462400000057415645666d74201000000001000100401f0000803e0000020010006461746100000000")
HEAR = TranscribeCall(Recording("a.wav", "audio/wav", SILENT), language="en")


def heard(call: TranscribeCall, form: dict[str, str] = FORM) -> Request:
    assert ADAPTER.transcribe
    return ADAPTER.transcribe.render(rec.target(ID, "openai/gpt-4o-mini-transcribe", form, STT), call)


def understood(answer: Any) -> Transcript:
    assert ADAPTER.transcribe
    return ADAPTER.transcribe.parse(answer)


def test_a_recording_is_sent_within_the_object() -> None:
    ours = rec.sent(ADAPTER, rec.target(ID, "m", FORM, STT).form, heard(HEAR), HEADERS)
    assert ours == rec.recorded(RECORDED, headers=HEADERS)
    rec.valid(ID, "STTRequest", ours.body)


def test_a_prompt_is_left_out_and_told() -> None:
    request = heard(replace(HEAR, prompt="names"))
    assert request.json == heard(HEAR).json
    assert [warning.split()[0] for warning in request.warnings] == ["prompt"]


def test_a_recording_of_no_known_format_is_not_sent() -> None:
    with pytest.raises(InvalidRange):
        heard(TranscribeCall(Recording("said", "audio/wav", SILENT)))


def test_the_answers_are_read() -> None:
    counts = {"cost": 0.000508, "input_tokens": 83, "output_tokens": 30, "seconds": 9.2, "total_tokens": 113}
    assert understood({"text": "Hello.", "usage": counts}) == Transcript(
        "Hello.", Usage(83, 30, raw=counts, audio_ms=9200), None, 9.2
    )
    answer = RECORDED["reply_replayed"]["body"]
    assert understood(answer) == Transcript("hello", Usage(raw=answer["usage"], audio_ms=1000), None, 1.0)


@pytest.mark.parametrize("body", [None, [], {}, {"text": None}, {"usage": {"seconds": 1}}], ids=str)
def test_an_answer_without_text_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        understood(body)


def test_speech_cannot_say_which_hosts_may_be_chosen_and_is_refused_where_a_form_does() -> None:
    assert ADAPTER.speak
    with pytest.raises(UnsupportedFeature):
        heard(HEAR, PRIVATE)
    with pytest.raises(UnsupportedFeature):
        ADAPTER.speak.render(rec.target(ID, "m", PRIVATE, ModelType.TEXT_TO_SPEECH), SpeakCall("Hi"))


def test_reranking_is_sent_to_hosts_that_the_form_allows() -> None:
    assert ADAPTER.rerank
    body = ADAPTER.rerank.render(rec.target(ID, "m", PRIVATE, ModelType.RERANK), RerankCall("q", ("a", "b"))).json
    assert body
    rec.valid(ID, "RerankRequest", body)
    assert body["provider"] == {"data_collection": "deny"}
