"""Xinference: requests as its own client (xinference-client 4.1.0, sdk_requests.json) sends them; answers and refusals
of a real server (4.1.0 with models made for it, recorded_real_xinference.json); audio by its OpenAPI
(request_schemas.json) and its guides, since no real model of speech was at hand.

Left out of the comparison: the client's `accept: */*`, and what it sends only to leave it unsaid (nulls, empty
`kwargs`, `stream: false`, a temperature of 0 for audio).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema
from domain.model.catalogue import Feature, FormValues, ModelRef, ModelType
from domain.model.events import Finish
from domain.model.rerank import Ranked, RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall, Transcript
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

ID = "xinference"
ADAPTER = ADAPTERS[ID]
UID = "my-model-uid"
FORM: FormValues = {**FORMS[ID], "model_uid": UID}
HEADERS = ("authorization", "content-type")
REAL = rec.exchanges(ID, "recorded_real_xinference.json")
LLM, EMBEDDING, RERANK = ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK
STT, TTS = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH
TOOL = rec.weather("Weather by city")


def theirs(name: str, without: Iterable[str] = ()) -> rec.Sent:
    return rec.recorded(rec.calls(ID)[name], without=without, headers=HEADERS)


def sent(kind: ModelType, request: Request) -> rec.Sent:
    return rec.sent(ADAPTER, rec.target(ID, "ours", FORM, kind).form, request, HEADERS)


def asked(call: ChatCall, *, stream: bool = False) -> rec.Sent:
    return rec.asked(ID, FORM, "ours", call, stream=stream, headers=HEADERS)


def test_a_chat_request_is_the_clients() -> None:
    knobs = Knobs(temperature=0.2, max_tokens=64, stop=("END",))
    assert asked(replace(rec.asking("Hello", system="Be brief."), knobs=knobs)) == theirs("chat")


def test_a_streamed_chat_asks_for_its_usage_beside() -> None:
    ours = asked(replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)), stream=True)
    assert ours.body["stream_options"] == {"include_usage": True}
    assert replace(ours, body={k: v for k, v in ours.body.items() if k != "stream_options"}) == theirs(
        "chat stream + tool"
    )


def test_images_and_schemas_travel_as_openais() -> None:
    (turn,) = asked(rec.asking("What is this?", rec.pixel())).body["messages"]
    assert turn["content"][1]["image_url"]["url"] == f"data:image/png;base64,{rec.PIXEL}"
    body = asked(replace(rec.asking("a?"), response_schema=ResponseSchema("ans", client.CLOSED))).body
    assert body["response_format"]["json_schema"]["schema"] == client.CLOSED
    rec.valid("openai", "CreateChatCompletionRequest", body)


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, REAL["chat"]["json"])
    assert (answer.text, answer.finish.unified) == ("Hello from a tiny real model.", Finish.STOP)
    assert (answer.usage.input, answer.usage.output, answer.usage.cached_input) == (53, 30, 0)


def test_a_stream_folds_to_the_whole_answer() -> None:
    whole, answer = rec.answered(ID, REAL["chat"]["json"]), rec.split_in_all_ways(ID, REAL["chat_stream_usage"]["text"])
    assert (answer.text, answer.finish) == (whole.text, whole.finish)
    assert (answer.usage.input, answer.usage.output) == (whole.usage.input, whole.usage.output)


def test_a_tool_call_is_the_same_whole_and_streamed() -> None:
    whole = rec.answered(ID, REAL["chat_tool"]["json"])
    answer = rec.split_in_all_ways(ID, REAL["chat_tool_stream"]["text"])
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert rec.without_ids(answer).tool_calls == rec.without_ids(whole).tool_calls
    assert (answer.finish, answer.finish.unified) == (whole.finish, Finish.TOOL_CALLS)


def test_an_embedding_request_is_the_clients() -> None:
    assert rec.embedded(ID, FORM, "ours", EmbedCall(("a", "b")), HEADERS) == theirs("create_embedding")


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, REAL["embed"]["json"], 2)
    assert [len(vector) for vector in answer.vectors] == [384, 384]
    assert answer.usage.output == 0


UNSAID = frozenset({"max_chunks_per_doc", "kwargs", "return_documents", "return_len"})


def test_a_ranking_is_asked_for_as_the_client_does_with_its_count_and_without_the_documents() -> None:
    assert ADAPTER.rerank
    goal = rec.target(ID, "ours", FORM, RERANK)
    ours = sent(RERANK, ADAPTER.rerank.render(goal, RerankCall("q", ("a", "b"), top_n=1)))
    assert (ours.body["return_documents"], ours.body["return_len"]) == (False, True)
    assert replace(ours, body={k: v for k, v in ours.body.items() if k not in UNSAID}) == theirs("rerank", UNSAID)


def test_a_ranking_is_read_with_its_count_where_there_is_one() -> None:
    assert ADAPTER.rerank
    plain = ADAPTER.rerank.parse(REAL["rerank_plain"]["json"], 2)
    assert plain.results == (Ranked(0, 0.4974968731403351), Ranked(1, 0.4974845349788666))
    assert plain.usage.input is None
    counted = ADAPTER.rerank.parse(REAL["rerank"]["json"], 2)
    assert (counted.results, counted.usage.input, counted.usage.output) == (plain.results, 15, 0)


def test_a_recording_is_sent_as_the_client_sends_it() -> None:
    assert ADAPTER.transcribe
    call = TranscribeCall(Recording("file", "application/octet-stream", bytes(44)), language="en", prompt="names")
    ours = sent(STT, ADAPTER.transcribe.render(rec.target(ID, "ours", FORM, STT), call))
    assert ours == theirs("transcriptions", ("temperature", "kwargs"))
    schema = "Body_create_transcriptions_v1_audio_transcriptions_post"
    rec.valid(ID, schema, {**ours.body, "file": "a string, to JSON Schema"})


def test_a_transcript_is_read() -> None:
    assert ADAPTER.transcribe
    answer: Transcript = ADAPTER.transcribe.parse({"text": "Hello."})
    assert answer.text == "Hello."


def spoken(call: SpeakCall, **form: str) -> Request:
    assert ADAPTER.speak
    return ADAPTER.speak.render(rec.target(ID, "ours", {**FORM, **form}, TTS), call)


def test_a_text_is_sent_as_the_client_sends_it() -> None:
    ours = sent(TTS, spoken(SpeakCall("Hello there", voice="alloy", speed=1.0)))
    assert ours == theirs("speech", ("stream", "kwargs"))


@pytest.mark.parametrize(("form", "voice"), [({}, ""), ({"voices": "中文女, 中文男"}, "中文女")])
def test_a_text_without_a_voice_names_one_all_the_same(form: dict[str, str], voice: str) -> None:
    body = spoken(SpeakCall("Hi"), **form).json
    assert body
    assert body["voice"] == voice


def audio(**row: Any) -> Any:
    return {"data": [{"id": "m", "model_type": "audio", **row}]}


def test_the_list_is_asked_for_as_the_client_does_and_tells_what_each_model_is() -> None:
    assert ADAPTER.models
    _, listing = rec.calls(ID)["Client(api_key).list_models"]["requests"]
    assert sent(LLM, ADAPTER.models.render()) == rec.recorded({"request": listing}, headers=HEADERS)
    page = ADAPTER.models.parse(REAL["models"]["json"])
    models = {model.name: model for model in page.models}
    assert models["tiny-real"] == ListedModel("tiny-real", LLM, 2048)
    assert models["tiny-ce"] == ListedModel("tiny-ce", RERANK)
    assert models["minilm-b"] == ListedModel("minilm-b", EMBEDDING)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (audio(model_ability=["audio2text"]), STT),
        (audio(model_ability=["text2audio", "text2audio_voice_cloning"]), TTS),
        (audio(model_family="CosyVoice"), TTS),
        (audio(model_family="whisper"), STT),
        ({"data": [{"id": "m", "model_type": "image", "model_ability": ["text2image"]}]}, None),
    ],
)
def test_a_model_of_speech_is_told_by_its_ability_or_by_its_family(body: Any, kind: ModelType | None) -> None:
    assert ADAPTER.models
    assert ADAPTER.models.parse(body).models == (ListedModel("m", kind),)


MEANINGS: list[tuple[str, type[UpstreamError]]] = [
    ("no_key", CredentialRejected),
    ("bad_key", CredentialRejected),
    ("version", CredentialRejected),
    ("unknown_model", ModelNotFoundUpstream),
    ("no_messages", BadRequestUpstream),
    ("embed_on_llm", BadRequestUpstream),
    ("rerank_on_embedder", BadRequestUpstream),
    ("validation", BadRequestUpstream),
    ("banned", UpstreamRateLimited),
    ("too_long", UpstreamUnavailable),  # it says no more than that it failed
]


@pytest.mark.parametrize(("name", "meaning"), MEANINGS, ids=[name for name, _ in MEANINGS])
def test_a_recorded_refusal_is_read_by_its_meaning(name: str, meaning: type[UpstreamError]) -> None:
    answer = REAL[name]
    failure = rec.refused(ID, answer["status"], answer.get("json", answer.get("text")))
    assert (type(failure), failure.status) == (meaning, answer["status"])
    assert failure.detail


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (429, {"detail": "Rate limit reached for the model."}, UpstreamRateLimited),
        (400, {"detail": "Only ['qwen3'] support tool calls"}, BadRequestUpstream),
        (501, {"detail": "Not implemented"}, BadRequestUpstream),
        (503, {"error": {"message": "busy", "type": "router_unavailable"}}, UpstreamUnavailable),
    ],
)
def test_a_documented_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body, {"retry-after": "30"})
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.retry_after == (30 if meaning.retryable else None)


def test_a_stream_may_fail_with_a_mere_text() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, REAL["too_long_stream"]["text"])
    assert caught.value.detail.startswith("The chat completion request failed.")


PLACES = [
    (LLM, "/v1/chat/completions"),
    (EMBEDDING, "/v1/embeddings"),
    (RERANK, "/v1/rerank"),
    (STT, "/v1/audio/transcriptions"),
    (TTS, "/v1/audio/speech"),
]


@pytest.mark.parametrize("end", ["", "/", "/v1"])
@pytest.mark.parametrize(("kind", "path"), PLACES)
def test_the_probe_calls_the_very_model_with_a_key_or_none(end: str, kind: ModelType, path: str) -> None:
    ours = client.probed(ID, {"server_url": f"http://127.0.0.1:9997{end}"}, kind)
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", path, "mine")
    assert "authorization" not in ours.headers
    assert client.probed(ID, FORM, kind).body["model"] == UID


def test_the_form_describes_the_model() -> None:
    public = {"context_length": "2048", "function_calling_type": "tool_call", "vision_support": "support"}
    row = ADAPTER.provider().hosted(ModelRef(ID, "qwen3", LLM), public)
    assert (row.context, row.features) == (2048, frozenset({Feature.TOOLS, Feature.VISION, Feature.STREAMING}))
