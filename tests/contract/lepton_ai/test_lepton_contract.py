"""Lepton AI: requests as the client that it documented sends them (sdk_requests.json, sdk_requests_audio.json) and
OpenAI's OpenAPI has them; answers have OpenAI's shape, which the containers have that its successor runs, and refusals
that of vLLM, one of them (ErrorResponse in vllm/entrypoints/openai/engine/protocol.py at d7e5252). Dead hosts answer as
langgenius/dify-official-plugins#3530 reports. Chats are held in ../test_openai_chats.py.

Left out of the comparison: `temperature` of a recording, which our vocabulary has not.
"""

from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.speech import Recording, TranscribeCall
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

ID = "lepton_ai"
FORM = FORMS[ID]
STT = ModelType.SPEECH_TO_TEXT


def error(message: str, code: str | None = None) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


def vllm(code: int, kind: str, message: str) -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, error("Unauthorized"), errors.CredentialRejected),
        (404, vllm(404, "NotFoundError", "The model `x` does not exist."), errors.ModelNotFoundUpstream),
        (400, vllm(400, "BadRequestError", "top_p must be in (0, 1], got 2.0."), errors.BadRequestUpstream),
        (400, error("This model's maximum context length is 8192 tokens."), errors.ContextTooLong),
        (404, error("The model x does not exist", "model_not_found"), errors.ModelNotFoundUpstream),
        (429, error("Slow down"), errors.UpstreamRateLimited),
        (503, "no healthy upstream", errors.UpstreamUnavailable),  # an endpoint that is scaled to zero
        (530, "error code: 1016", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.detail == (body if isinstance(body, str) else body["error"]["message"])


def test_a_refusal_inside_a_stream_is_no_answer() -> None:
    with pytest.raises(errors.UpstreamRateLimited):
        rec.streamed(ID, rec.events(error("Slow down", "rate_limit_exceeded")))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://llama3-1-8b.lepton.run/api/v1/", "/api/v1/chat/completions"),
        ("https://mine.example", "/v1/chat/completions"),
        ("https://mine.example/v1", "/v1/chat/completions"),
    ],
)
def test_the_probe_calls_the_model_at_the_tenants_endpoint(url: str, path: str) -> None:
    ours = client.probed(ID, {**FORM, "endpoint_url": url, "endpoint_model_name": "owner/mine"})
    assert (ours.method, ours.path, ours.body["model"], ours.body["max_tokens"]) == ("POST", path, "owner/mine", 5)


def heard(name: str, call: TranscribeCall, **form: str) -> rec.Sent:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    goal = rec.target(ID, name, {**FORM, **form}, STT)
    return rec.sent(ADAPTERS[ID], goal.form, dialect.render(goal, call), client.HEADERS)


def test_a_recording_is_sent_as_the_client_sends_it() -> None:
    call = rec.calls(ID, "sdk_requests_audio.json")["audio.transcriptions.create"]
    theirs = rec.recorded(call, without={"temperature"}, headers=client.HEADERS)
    file = Recording("a.wav", "audio/wav", bytes(44))
    ours = heard("mine", TranscribeCall(file, language="en", prompt="names"), endpoint_model_name="whisper")
    assert ours == theirs
    rec.valid("openai", "CreateTranscriptionRequest", {**ours.body, "file": "a string, to JSON Schema"})


def test_a_transcript_is_read_and_a_model_that_hears_is_proved_with_silence() -> None:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    assert dialect.parse({"text": "Hi."}).text == "Hi."
    with pytest.raises(errors.BadRequestUpstream):
        dialect.parse({"object": "transcription"})
    probe = client.probed(ID, FORM, STT)
    assert (probe.path, probe.body["file"]["filename"]) == ("/api/v1/audio/transcriptions", "silence.wav")


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "8192", "vision_support": "support"}
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "mine", ModelType.LLM), public)
    assert (row.context, row.features) == (8192, frozenset({Feature.VISION, Feature.STREAMING}))
