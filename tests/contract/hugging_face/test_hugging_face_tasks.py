"""Hugging Face's tasks besides chat and vectors: requests equal those of its own client (sdk_requests_tasks.json:
huggingface_hub for Python 2.4.0) and satisfy the schemas of its tasks (request_schemas.json, of
huggingface/huggingface.js). Pairs for a reranker behind the router are those of the vendor's guide
(huggingface/hub-docs at 9fe4b36, docs/api-inference/tasks/text-classification.md); an endpoint that reranks runs
text-embeddings-inference, whose OpenAPI is in ../text_embedding_inference. A transcript is what the vendor's own tests
of its containers expect (huggingface/huggingface-inference-toolkit at 833b5a2, tests/integ/config.py); that speech
comes in the format that is accepted, from tests/test_routes.py of huggingface/api-inference-community at 2fd0029.

Left out of the comparison: the client's `accept: */*`.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, InvalidRange, UnsupportedFeature
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import BYTES, Request
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs import asgi
from tests.stubs.asgi import Receive, Scope, Send
from tests.stubs.serve import serving

ID = "hugging_face"
ADAPTER = ADAPTERS[ID]
HUB = {"huggingfacehub_api_token": "<key>"}
OWN = {**HUB, "huggingfacehub_api_type": "inference_endpoints", "huggingfacehub_endpoint_url": "https://x.example"}
STT, TTS, RERANK = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH, ModelType.RERANK
HEADERS = ("authorization", "content-type")
CALLS = rec.calls(ID, "sdk_requests_tasks.json")
AUDIO = b"RIFF" + bytes(40)
HEARD = "GOING ALONG SLUSHY COUNTRY ROADS AND SPEAKING TO DAMP OAUDIENCES"
PAIRS = RerankCall("q", ("a", "b"))


def heard(form: dict[str, str], call: TranscribeCall, model: str = "openai/whisper-large-v3") -> Request:
    assert ADAPTER.transcribe
    return ADAPTER.transcribe.render(rec.target(ID, model, form, STT), call)


def spoken(form: dict[str, str], call: SpeakCall, model: str = "hexgrad/Kokoro-82M") -> Request:
    assert ADAPTER.speak
    return ADAPTER.speak.render(rec.target(ID, model, form, TTS), call)


def ranking(form: dict[str, str], model: str = "BAAI/bge-reranker-v2-m3") -> Request:
    assert ADAPTER.rerank
    return ADAPTER.rerank.render(rec.target(ID, model, form, RERANK), PAIRS)


def sent(form: dict[str, str], kind: ModelType, request: Request) -> rec.Sent:
    return rec.sent(ADAPTER, rec.target(ID, "x", form, kind).form, request, HEADERS)


@pytest.mark.parametrize(
    ("name", "form", "file"),
    [
        *(
            (f"automatic_speech_recognition of {f} at an endpoint", OWN, f)
            for f in ("a.wav", "a.mp3", "a.flac", "a.ogg")
        ),
        ("automatic_speech_recognition of a.wav behind the router", HUB, "a.wav"),
    ],
)
def test_a_recording_is_sent_as_the_client_sends_it(name: str, form: dict[str, str], file: str) -> None:
    ours = sent(form, STT, heard(form, TranscribeCall(Recording(file, "application/octet-stream", AUDIO))))
    assert ours.body == AUDIO
    assert replace(ours, body=None) == rec.recorded(CALLS[name], headers=HEADERS)
    assert CALLS[name]["requests"][0]["body_bytes"] == len(AUDIO)


def test_a_file_of_any_other_kind_is_some_audio() -> None:
    for name in ("speech", "a.b\r\nx: y", "a.xyz"):
        call = TranscribeCall(Recording(name, "text/plain\r\nx: y", AUDIO))
        assert sent(OWN, STT, heard(OWN, call)).headers["content-type"] == "audio/x-audio"


def test_what_cannot_go_with_a_recording_is_left_out_and_told() -> None:
    request = heard(OWN, TranscribeCall(Recording("a.wav", "", AUDIO), language="en", prompt="names"))
    assert [warning.split()[0] for warning in request.warnings] == ["language", "prompt"]


@pytest.mark.parametrize(
    ("name", "form"), [("text_to_speech behind the router", HUB), ("text_to_speech at an endpoint", OWN)]
)
def test_a_text_is_sent_as_the_client_sends_it(name: str, form: dict[str, str]) -> None:
    ours = sent(form, TTS, spoken(form, SpeakCall("Hello there")))
    assert ours == rec.recorded(CALLS[name], headers=HEADERS)
    rec.valid(ID, "TextToSpeechInput", ours.body)


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        (None, "audio/mp3"),
        (SpeechFormat.MP3, "audio/mp3"),
        (SpeechFormat.WAV, "audio/wav"),
        (SpeechFormat.FLAC, "audio/flac"),
        (SpeechFormat.AAC, "audio/aac"),
    ],
)
def test_the_format_is_the_one_that_is_accepted(wanted: SpeechFormat | None, accepted: str) -> None:
    call = SpeakCall("Hi", format=wanted)
    request = spoken(HUB, call)
    assert rec.sent(ADAPTER, HUB, request, ("accept",)).headers == {"accept": accepted}
    assert request.accept == BYTES
    assert ADAPTER.speak
    assert (ADAPTER.speak.media_type(call), ADAPTER.speak.decoder(call)) == (accepted, None)


@pytest.mark.parametrize("wanted", [SpeechFormat.OPUS, SpeechFormat.PCM])
def test_a_format_that_is_not_written_is_refused(wanted: SpeechFormat) -> None:
    with pytest.raises(UnsupportedFeature):
        spoken(HUB, SpeakCall("Hi", format=wanted))


def test_a_model_has_one_voice_and_one_pace() -> None:
    request = spoken(HUB, SpeakCall("Hi", voice="nova", speed=2.0))
    assert [warning.split()[0] for warning in request.warnings] == ["voice", "speed"]
    assert request.json == {"inputs": "Hi", "parameters": {}}


def test_the_router_gets_pairs_as_the_client_sends_them() -> None:
    theirs = rec.recorded(CALLS["text_classification of pairs behind the router"], headers=HEADERS)
    assert sent(HUB, RERANK, ranking(HUB)) == theirs


def test_an_endpoint_gets_a_query_and_texts() -> None:
    ours = sent(OWN, RERANK, ranking(OWN, "mine"))
    assert ours.path == "/rerank"
    rec.valid("text_embedding_inference", "RerankRequest", ours.body)
    assert ADAPTER.documents(rec.target(ID, "x", OWN, RERANK).form) == 32


@pytest.mark.parametrize("name", ["../../v1", "a/b/c", "a/b?c", ""])
def test_no_name_of_a_model_leads_out_of_its_task(name: str) -> None:
    with pytest.raises(InvalidRange):
        heard(HUB, TranscribeCall(Recording("a.wav", "", AUDIO)), name)
    with pytest.raises(InvalidRange):
        spoken(HUB, SpeakCall("Hi"), name)
    with pytest.raises(InvalidRange):
        ranking(HUB, name)


@pytest.mark.parametrize("kind", [STT, TTS, RERANK])
def test_the_probe_calls_the_very_model(kind: ModelType) -> None:
    paths = []
    for form in (HUB, OWN):
        goal = rec.target(ID, "owner/mine", form, kind)
        paths.append(rec.sent(ADAPTER, goal.form, ADAPTER.probe(goal, goal.form)).path)
    assert paths == ["/hf-inference/models/owner/mine", "/rerank" if kind is RERANK else "/"]


def test_a_transcript_is_read() -> None:
    body = {"text": HEARD}
    rec.valid(ID, "AutomaticSpeechRecognitionOutput", body)
    assert ADAPTER.transcribe
    transcript = ADAPTER.transcribe.parse(body)
    assert (transcript.text, transcript.usage, transcript.seconds) == (HEARD, Usage(), None)


@pytest.mark.parametrize("body", [None, [], {}, {"text": None}, [{"text": "x"}]], ids=str)
def test_an_answer_without_text_is_the_vendors_fault(body: Any) -> None:
    assert ADAPTER.transcribe
    with pytest.raises(BadRequestUpstream):
        ADAPTER.transcribe.parse(body)


LOW, HIGH = {"label": "LABEL_0", "score": 0.1}, {"label": "LABEL_0", "score": 0.9}


@pytest.mark.parametrize("body", [[LOW, HIGH], [[LOW, HIGH]], [[LOW], [HIGH]]], ids=["bare", "in a list", "in lists"])
def test_scores_of_pairs_are_read_best_first(body: Any) -> None:
    rec.valid(ID, "TextClassificationOutput", [LOW, HIGH])
    assert ADAPTER.rerank
    assert [(r.index, r.score) for r in ADAPTER.rerank.parse(body, 2).results] == [(1, 0.9), (0, 0.1)]


def test_scores_of_an_endpoint_are_read() -> None:
    body = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_rerank.json")["rerank_tei_shape"]["json"]
    assert ADAPTER.rerank
    ranked = ADAPTER.rerank.parse(body, len(body)).results
    assert [(r.index, r.score) for r in ranked] == [(row["index"], row["score"]) for row in body]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        [],
        [LOW],
        [LOW, HIGH, LOW],
        [[LOW, {**LOW, "label": "LABEL_1"}], [HIGH, {**LOW, "label": "LABEL_1"}]],
        [LOW, {**HIGH, "label": "LABEL_1"}],
        [LOW, {"label": "LABEL_0"}],
        [LOW, {"label": ["LABEL_0"], "score": 1}],
        [[], []],
        [LOW, {**LOW, "score": float("nan")}],
        [{"index": 0, "score": 1}],
        ["a", "b"],
    ],
    ids=str,
)
def test_scores_that_do_not_fit_the_documents_are_refused(body: Any) -> None:
    assert ADAPTER.rerank
    with pytest.raises(BadRequestUpstream):
        ADAPTER.rerank.parse(body, 2)


async def test_a_recording_travels_as_it_is_and_speech_comes_back_as_it_is() -> None:
    came: list[tuple[str, str, bytes]] = []

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        came.append((headers[b"content-type"].decode(), headers[b"accept"].decode(), await asgi.read(receive)))
        if came[-1][1] == "application/json":
            await asgi.json(send, 200, {"text": HEARD})
        else:
            await asgi.whole(send, 200, b"fLaC\0", "audio/flac")

    async with serving(endpoint) as url, gateway(adapters=ADAPTERS) as subject:
        form = {**OWN, "huggingfacehub_endpoint_url": url}
        file = Recording("a.mp3", "audio/mpeg", AUDIO)
        assert (await subject.transcribe(rec.target(ID, "x", form, STT), TranscribeCall(file))).text == HEARD
        call = SpeakCall("Hi", format=SpeechFormat.FLAC)
        async with subject.speak(rec.target(ID, "x", form, TTS), call) as speech:
            assert (speech.media_type, b"".join([piece async for piece in speech.pieces])) == ("audio/flac", b"fLaC\0")
    assert came[0] == ("audio/mpeg", "application/json", AUDIO)
    assert came[1][1] == "audio/flac"
