"""Speech at every vendor that hears or speaks in OpenAI's way: requests as OpenAI's client for Python (3.54.0), or the
vendor's own (groq 1.7.0, together 3.1.1), sends them to each (<id>/sdk_requests*.json), and as the vendor's OpenAPI
wants them where there is one; answers as OpenAI's OpenAPI (openai/openai-openapi at f85dbe22) has them, whose shape the
others document, those that the client accepted, and Groq's, recorded in vercel/ai at ed857f50
(packages/groq/src/groq-transcription-model.test.ts). Audio is that which the client accepted.

Left out of the comparison: `temperature`, which our vocabulary has not; `response_format`, which SiliconFlow's
reference does not know and which we choose for ourselves; the media type that Groq's client accepts, which is that of
the one format; and OpenAI's project header, which the form has no field for.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, UnsupportedFeature
from domain.model.catalogue import ModelType
from domain.model.events import Usage
from domain.model.speech import Recording, SpeakCall, SpeechFormat, TranscribeCall, Transcript
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS
from tests.contract.listening import listened
from tests.stubs.misbehaviour import body

STT, TTS = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH
HEADERS = ("authorization", "content-type", "accept", "openai-organization", "api-key")
WAV = Recording("a.wav", "audio/wav", bytes(44))


@dataclass(frozen=True)
class Case:
    provider: str
    name: str
    call: Any
    schema: tuple[str, str]
    without: frozenset[str] = frozenset()
    file: str = "sdk_requests.json"


OPENAI_STT, OPENAI_TTS = ("openai", "CreateTranscriptionRequest"), ("openai", "CreateSpeechRequest")
FORMAT = frozenset({"response_format"})
TEMPERATURE = frozenset({"temperature"})
NAMED = TranscribeCall(WAV, language="en", prompt="names")
SAID = SpeakCall("Hello there", voice="alloy", speed=1.0)
HEARING = [
    Case("openai", "stt", TranscribeCall(WAV, language="en"), OPENAI_STT, FORMAT),
    Case(
        "azure_openai",
        "stt",
        TranscribeCall(WAV, language="en"),
        ("azure_openai", "createTranscriptionRequest"),
        FORMAT,
    ),
    Case("openai_api_compatible", "audio.transcriptions.create", NAMED, OPENAI_STT, TEMPERATURE),
    Case("gpustack", "audio.transcriptions.create", NAMED, OPENAI_STT, TEMPERATURE),
    Case("localai", "audio.transcriptions.create", NAMED, OPENAI_STT, TEMPERATURE),
    Case("ollama", "audio.transcriptions.create", NAMED, OPENAI_STT, TEMPERATURE, "sdk_requests_openai.json"),
    Case(
        "siliconflow",
        "stt",
        TranscribeCall(Recording("a.mp3", "audio/mpeg", b"ID3fake")),
        ("siliconflow", "AudioRequest"),
        FORMAT,
    ),
    Case("cohere", "stt", TranscribeCall(WAV, language="en"), ("cohere", "TranscriptionRequest")),
    Case("groqcloud", "stt", TranscribeCall(WAV, language="en"), ("groqcloud", "CreateTranscriptionRequest"), FORMAT),
    Case(
        "together_ai", "stt", TranscribeCall(WAV, language="en"), ("together_ai", "AudioTranscriptionRequest"), FORMAT
    ),
]
SPEAKING = [
    Case("openai", "tts", SpeakCall("Hello"), OPENAI_TTS),
    Case("azure_openai", "tts", SpeakCall("Hello"), ("azure_openai", "createSpeechRequest")),
    Case("openai_api_compatible", "audio.speech.create", SAID, OPENAI_TTS),
    Case("gpustack", "audio.speech.create", SAID, OPENAI_TTS),
    Case("localai", "audio.speech.create", SAID, ("localai", "schema.TTSRequest")),
    Case("siliconflow", "tts", SpeakCall("hello"), ("siliconflow", "CreateSpeechRequest")),
    Case("groqcloud", "tts", SpeakCall("Hello"), ("groqcloud", "CreateSpeechRequest"), frozenset({"accept"})),
    Case("together_ai", "tts", SpeakCall("Hello"), ("together_ai", "AudioSpeechRequest")),
    Case("openrouter", "tts", SpeakCall("Hello", voice="alloy"), ("openrouter", "SpeechRequest")),
    Case("stepfun", "tts", SpeakCall("hello"), OPENAI_TTS),
]
REPLAYED = ["openai", "azure_openai", "groqcloud", "together_ai", "openrouter"]
WRITTEN = {
    "siliconflow": frozenset(SpeechFormat) - {SpeechFormat.AAC, SpeechFormat.FLAC},
    "stepfun": frozenset(SpeechFormat) - {SpeechFormat.AAC},
    "groqcloud": frozenset({SpeechFormat.WAV}),
    "together_ai": frozenset({SpeechFormat.MP3, SpeechFormat.WAV, SpeechFormat.PCM}),
    "openrouter": frozenset({SpeechFormat.MP3, SpeechFormat.PCM}),
}
"""The formats of vendors that do not write all."""


def heard(provider: str, model: str, call: TranscribeCall) -> Request:
    return rec.hearing(provider, FORMS[provider], model, call)


def spoken(provider: str, model: str, call: SpeakCall, **form: str) -> Request:
    return rec.speaking(provider, {**FORMS[provider], **form}, model, call)


def sent(provider: str, kind: ModelType, request: Request, headers: Iterable[str] = HEADERS) -> rec.Sent:
    return rec.sent(ADAPTERS[provider], rec.target(provider, "x", FORMS[provider], kind).form, request, headers)


@pytest.mark.parametrize("case", HEARING, ids=lambda case: case.provider)
def test_a_recording_is_sent_as_the_client_sends_it(case: Case) -> None:
    theirs = rec.recorded(rec.calls(case.provider, case.file)[case.name], without=case.without, headers=HEADERS)
    ours = rec.like(sent(case.provider, STT, heard(case.provider, theirs.body["model"], case.call)), theirs)
    assert replace(ours, body={k: v for k, v in ours.body.items() if k not in case.without}) == theirs
    rec.valid(*case.schema, {**ours.body, "file": "a string, to JSON Schema"})


@pytest.mark.parametrize("case", SPEAKING, ids=lambda case: case.provider)
def test_a_text_is_sent_as_the_client_sends_it(case: Case) -> None:
    headers = [name for name in HEADERS if name not in case.without]
    theirs = rec.recorded(rec.calls(case.provider, case.file)[case.name], headers=headers)
    ours = sent(case.provider, TTS, spoken(case.provider, theirs.body["model"], case.call), headers)
    assert ours == theirs
    rec.valid(*case.schema, ours.body)


@pytest.mark.parametrize("case", HEARING, ids=lambda case: case.provider)
def test_the_file_comes_last_and_keeps_its_name(case: Case) -> None:
    *_, last = heard(case.provider, "m", case.call).parts
    assert (last.name, last.filename) == ("file", case.call.recording.filename)


def test_what_a_vendor_does_not_know_is_left_out_and_told() -> None:
    request = heard("siliconflow", "FunAudioLLM/SenseVoiceSmall", NAMED)
    assert [part.name for part in request.parts] == ["model", "file"]
    assert [warning.split()[0] for warning in request.warnings] == ["language", "prompt"]


def test_the_model_that_tells_speakers_apart_is_asked_in_its_own_way() -> None:
    """As the OpenAPI says of gpt-4o-transcribe-diarize."""
    request = heard("openai", "gpt-4o-transcribe-diarize", NAMED)
    body = sent("openai", STT, request).body
    assert (body["response_format"], body["chunking_strategy"]) == ("diarized_json", "auto")
    assert "prompt" not in body
    assert len(request.warnings) == 1


TOKENS = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
ANSWERS: list[tuple[Any, Transcript]] = [
    (
        rec.calls("openai")["stt"]["reply_replayed"]["body"],
        Transcript("hello", Usage(raw={"type": "duration", "seconds": 1}, audio_ms=1000), None, 1.0),
    ),
    ({"text": "Hi.", "usage": TOKENS}, Transcript("Hi.", Usage(14, 45, raw=TOKENS))),
    ({"text": "Hi.", "languages": [{"code": "en"}]}, Transcript("Hi.", Usage(), "en")),
    (
        {"task": "transcribe", "language": "english", "duration": 8.4701, "text": "Hi.", "segments": []},
        Transcript("Hi.", Usage(audio_ms=8471), "english", 8.4701),
    ),
    (
        {"task": "transcribe", "language": "English", "duration": 2.5, "text": "Hi.", "x_groq": {"id": "req_01"}},
        Transcript("Hi.", Usage(audio_ms=2500), "English", 2.5),
    ),
    ({"text": "Hi.", "duration": "2.5"}, Transcript("Hi.", Usage(audio_ms=2500), None, 2.5)),
    ({"text": ""}, Transcript("", Usage())),
    ({"text": "x", "duration": True, "usage": []}, Transcript("x", Usage())),
    ({"text": "x", "duration": -1, "language": 5, "usage": None}, Transcript("x", Usage())),
]


@pytest.mark.parametrize("provider", [*(case.provider for case in HEARING), "lepton_ai", "xinference"])
@pytest.mark.parametrize(("body", "transcript"), ANSWERS, ids=lambda value: str(value)[:40])
def test_a_transcript_is_read(provider: str, body: Any, transcript: Transcript) -> None:
    dialect = ADAPTERS[provider].transcribe
    assert dialect
    assert dialect.parse(body) == transcript


@pytest.mark.parametrize("body", [None, [], "text", {}, {"text": None}, {"text": 5}, {"segments": []}], ids=str)
def test_an_answer_without_text_is_the_vendors_fault(body: Any) -> None:
    dialect = ADAPTERS["openai"].transcribe
    assert dialect
    with pytest.raises(BadRequestUpstream):
        dialect.parse(body)


@pytest.mark.parametrize("wanted", SpeechFormat)
@pytest.mark.parametrize("provider", [case.provider for case in SPEAKING])
def test_a_format_is_asked_for_or_refused(provider: str, wanted: SpeechFormat) -> None:
    call = SpeakCall("Hi", format=wanted)
    if wanted not in WRITTEN.get(provider, frozenset(SpeechFormat)):
        with pytest.raises(UnsupportedFeature):
            spoken(provider, "m", call)
        return
    body = spoken(provider, "m", call).json
    assert body
    raw = provider == "together_ai" and wanted is SpeechFormat.PCM
    assert body["response_format"] == ("raw" if raw else wanted.value)
    assert body.get("response_encoding") == ("pcm_s16le" if raw else None)


@pytest.mark.parametrize("provider", [case.provider for case in SPEAKING])
def test_speech_is_mp3_unless_the_vendor_writes_none(provider: str) -> None:
    dialect, call = ADAPTERS[provider].speak, SpeakCall("Hi")
    assert dialect
    usual = ("wav", "audio/wav") if provider == "groqcloud" else ("mp3", "audio/mpeg")
    body = spoken(provider, "m", call).json
    assert body
    assert (body["response_format"], dialect.media_type(call)) == usual


@pytest.mark.parametrize("provider", REPLAYED)
async def test_audio_that_the_client_was_answered_comes_through_the_gateway(provider: str) -> None:
    reply = rec.calls(provider)["tts"]["reply_replayed"]
    audio, got = base64.b64decode(reply["base64"]), list[bytes]()
    assert await listened(provider, body(audio, reply["content_type"]), SpeakCall("Hi"), got) == reply["content_type"]
    assert b"".join(got) == audio


def test_a_speed_that_a_vendor_does_not_know_is_left_out_and_told() -> None:
    request = spoken("together_ai", "canopylabs/orpheus-3b-0.1-ft", SAID)
    assert request.json
    assert "speed" not in request.json
    assert [warning.split()[0] for warning in request.warnings] == ["speed"]


@pytest.mark.parametrize(
    ("provider", "form", "voice"),
    [
        ("openai", {}, "alloy"),
        ("azure_openai", {}, "alloy"),
        ("openai_api_compatible", {}, "alloy"),
        ("openai_api_compatible", {"voices": "nova, onyx"}, "nova"),
        ("gpustack", {}, "Chinese Female"),
        ("localai", {}, None),
        ("localai", {"voices": "en-us-kathleen"}, "en-us-kathleen"),
        ("siliconflow", {}, "m:alex"),
        ("groqcloud", {}, "hannah"),
        ("openrouter", {}, None),
        ("together_ai", {"voices": "zoe, leo"}, "zoe"),
        ("stepfun", {}, "cixingnansheng"),
    ],
)
def test_a_text_without_a_voice_gets_the_models_own(provider: str, form: dict[str, str], voice: str | None) -> None:
    body = spoken(provider, "m", SpeakCall("Hi"), **form).json
    assert body
    assert body.get("voice") == voice
    chosen = spoken(provider, "m", SpeakCall("Hi", voice="sage"), **form).json
    assert chosen
    assert chosen["voice"] == "sage"


@pytest.mark.parametrize(
    ("model", "voice"),
    [("canopylabs/orpheus-3b-0.1-ft", "tara"), ("hexgrad/Kokoro-82M", "af_alloy"), ("mine", None)],
)
def test_a_line_of_models_at_together_has_a_voice_of_its_own(model: str, voice: str | None) -> None:
    body = spoken("together_ai", model, SpeakCall("Hi")).json
    assert body
    assert body.get("voice") == voice


@pytest.mark.parametrize("language", [None, "ja"])
def test_together_finds_out_the_language_that_nobody_told(language: str | None) -> None:
    """It takes any recording for English else, as its OpenAPI says."""
    body = sent("together_ai", STT, heard("together_ai", "m", TranscribeCall(WAV, language=language))).body
    assert body["language"] == (language or "auto")


HOSTED = ["openai_api_compatible", "gpustack", "localai", "together_ai"]


DEPLOYED = [("azure_openai", "/openai/deployments/mine/audio")]


@pytest.mark.parametrize(("provider", "place"), [*((name, "/v1/audio") for name in HOSTED), *DEPLOYED])
@pytest.mark.parametrize(("kind", "end"), [(STT, "/transcriptions"), (TTS, "/speech")])
def test_the_probe_calls_the_very_model(provider: str, place: str, kind: ModelType, end: str) -> None:
    goal = rec.target(provider, "mine", FORMS[provider], kind)
    ours = sent(provider, kind, ADAPTERS[provider].probe(goal, goal.form))
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", place + end, "mine")
    assert ours.body.get("input", "ping") == "ping"
    if kind is STT:
        assert ours.body["file"] == {"filename": "silence.wav", "content_type": "audio/wav", "bytes": 32_044}


@pytest.mark.parametrize("provider", ["openai_api_compatible", "gpustack"])
def test_the_form_may_name_the_model_in_its_own_way(provider: str) -> None:
    form = {**FORMS[provider], "endpoint_model_name": "theirs"}
    adapter = ADAPTERS[provider]
    assert adapter.transcribe
    (model, *_) = adapter.transcribe.render(rec.target(provider, "mine", form, STT), NAMED).parts
    assert model.content == "theirs"
    body = spoken(provider, "mine", SAID, endpoint_model_name="theirs").json
    assert body
    assert body["model"] == "theirs"


def test_a_server_that_does_not_speak_says_so() -> None:
    """llama.cpp, recorded."""
    answer = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_chat.json")["speech_unknown"]
    failure = rec.refused("openai_api_compatible", answer["status"], answer["json"])
    assert (type(failure), failure.status, failure.detail) == (BadRequestUpstream, 404, "File Not Found")
