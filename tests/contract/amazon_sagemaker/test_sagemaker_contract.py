"""Amazon SageMaker: requests equal those of botocore 1.44.5 and 1.44.8, whose accepted replies are read
(sdk_requests.json, sdk_requests_more.json, recorded on loopback). Bodies of Dify's containers are those of its plugin
(dify-official-plugins at 7af22831). The transcript is the one that aws/sagemaker-huggingface-inference-toolkit at
69bc5ef expects of a real endpoint.

Left out of the comparison: `stream: false`, which is the default and not sent; and `accept`, which we always send.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    InvalidForm,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature, FormValues, ModelRef, ModelType, public_part
from domain.model.events import Finish, FinishReason
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, TranscribeCall
from domain.ports import Target
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import amazon
from tests.contract import recordings as rec

ID = "amazon_sagemaker"
ADAPTER = ADAPTERS[ID]
LLM, EMBEDDING, RERANK, STT = ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK, ModelType.SPEECH_TO_TEXT
MORE = "sdk_requests_more.json"
FILE = Recording("a.wav", "audio/wav", b"RIFF" + bytes(40))
TOOL = rec.weather("Weather by city")
HELLO = replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(temperature=0.2, max_tokens=64))
TEI = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_rerank.json")["rerank_tei_shape"]["json"]


def target(kind: ModelType = LLM, name: str = "mine", **form: str) -> Target:
    return rec.target(ID, name, {**amazon.PAIR, "sagemaker_endpoint": "my-endpoint", **form}, kind)


def chat(call: ChatCall, *, stream: bool = False, **form: str) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(target(LLM, "mine", **form), call, stream=stream)


def embed(call: EmbedCall, shape: str, name: str = "mine") -> Request:
    assert ADAPTER.embed
    return ADAPTER.embed.render(target(EMBEDDING, name, sagemaker_endpoint="my-embed", embedding_format=shape), call)


def rerank(shape: str) -> Request:
    assert ADAPTER.rerank
    return ADAPTER.rerank.render(target(RERANK, rerank_format=shape), RerankCall("q", ("a", "b"), top_n=1))


def form_of(kind: ModelType = LLM) -> FormValues:
    return target(kind).form


@pytest.mark.parametrize(("name", "stream"), [("chat", False), ("chat_stream", True)])
def test_a_chat_is_the_sdks(name: str, stream: bool) -> None:
    without = () if stream else ("stream",)
    theirs = amazon.theirs(ID, name, *without)
    request = chat(HELLO, stream=stream, model_id=theirs.body["model"], stream_include_usage="disabled")
    assert amazon.ours(ID, form_of(), request) == theirs
    rec.valid("openai", "CreateChatCompletionRequest", request.json)


def test_a_stream_counts_its_tokens_unless_the_container_cannot() -> None:
    asked = chat(HELLO, stream=True).json
    assert asked
    assert asked["stream_options"] == {"include_usage": True}


def test_tools_images_and_schemas_are_openais() -> None:
    schema = ResponseSchema("r", {"type": "object", "properties": {}, "required": [], "additionalProperties": False})
    for call in (
        rec.after_tool("W?", "Tokyo", "sunny", TOOL, "call_1"),
        rec.asking("What is this?", rec.pixel()),
        replace(rec.asking("x"), response_schema=schema),
    ):
        rec.valid("openai", "CreateChatCompletionRequest", chat(call).json)


def test_a_component_of_an_endpoint_is_named_in_a_signed_header() -> None:
    theirs = amazon.theirs(ID, "inference_component")
    ours = amazon.ours(ID, form_of(), chat(HELLO, inference_component="ic-1"))
    assert ours.path == theirs.path
    component = "x-amzn-sagemaker-inference-component"
    assert ours.headers[component] == theirs.headers[component] == "ic-1"
    assert component in ours.headers["authorization"]


def test_an_endpoint_has_the_models_name_when_the_form_gives_none() -> None:
    assert ADAPTER.chat
    goal = rec.target(ID, "my model/1", amazon.PAIR)
    request = ADAPTER.chat.render(goal, HELLO, stream=False)
    assert request.path == "endpoints/my%20model%2F1/invocations"
    assert request.json
    assert request.json["model"] == "my model/1"


@pytest.mark.parametrize(
    ("region", "base"),
    [
        ("", "https://runtime.sagemaker.us-east-1.amazonaws.com"),
        ("ap-northeast-1", "https://runtime.sagemaker.ap-northeast-1.amazonaws.com"),
        ("cn-north-1", "https://runtime.sagemaker.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_calls_go_to_the_forms_region(region: str, base: str) -> None:
    assert ADAPTER.base_url(target(aws_region=region).form) == base


def test_the_hosts_own_keys_are_never_used() -> None:
    with pytest.raises(InvalidForm) as caught:
        rec.target(ID, "mine", {"sagemaker_endpoint": "e"})
    assert [p.field for p in caught.value.problems] == ["aws_access_key_id", "aws_secret_access_key"]


def test_texts_in_openais_form_are_the_sdks() -> None:
    request = embed(EmbedCall(("hello",)), "openai_compatible", "m")
    assert amazon.ours(ID, form_of(EMBEDDING), request) == amazon.theirs(ID, "embedding")
    rec.valid("openai", "CreateEmbeddingRequest", request.json)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("dify", {"inputs": ["a", "b"], "parameters": {}, "is_query": True, "instruction": ""}),
        ("tei", {"inputs": ["a", "b"]}),
    ],
)
def test_texts_in_another_containers_form(shape: str, body: Mapping[str, Any]) -> None:
    request = embed(EmbedCall(("a", "b"), dimensions=256, purpose=EmbedPurpose.QUERY), shape)
    assert (request.path, request.json, len(request.warnings)) == ("endpoints/my-embed/invocations", body, 1)
    assert ADAPTER.embed
    assert ADAPTER.embed.batch(target(EMBEDDING)) == 20


@pytest.mark.parametrize(
    ("shape", "body"),
    [("dify", {"inputs": ["q", "q"], "docs": ["a", "b"]}), ("tei", {"query": "q", "texts": ["a", "b"]})],
)
def test_documents_in_a_containers_form(shape: str, body: Mapping[str, Any]) -> None:
    assert (rerank(shape).path, rerank(shape).json) == ("endpoints/my-endpoint/invocations", body)


def test_a_query_and_texts_in_teis_form_are_the_sdks() -> None:
    ours = amazon.ours(ID, form_of(RERANK), replace(rerank("tei"), path="endpoints/my-ranker/invocations"))
    assert ours == amazon.theirs(ID, "rerank_tei", file=MORE)
    rec.valid("text_embedding_inference", "RerankRequest", ours.body)


def test_a_recording_is_sent_as_it_is() -> None:
    assert ADAPTER.transcribe
    request = ADAPTER.transcribe.render(target(STT, sagemaker_endpoint="my-whisper"), TranscribeCall(FILE))
    ours = amazon.ours(ID, form_of(STT), request)
    assert ours.body == FILE.data
    assert replace(ours, body=None) == amazon.theirs(ID, "transcription", file=MORE)
    assert request.warnings == ()


def test_what_cannot_go_with_a_recording_is_left_out_and_told() -> None:
    assert ADAPTER.transcribe
    request = ADAPTER.transcribe.render(target(STT), TranscribeCall(FILE, language="en", prompt="names"))
    assert [warning.split()[0] for warning in request.warnings] == ["language", "prompt"]


def test_a_transcript_is_read() -> None:
    body = rec.calls(ID, MORE)["transcription"]["reply_replayed"]["body"]
    assert ADAPTER.transcribe
    transcript = ADAPTER.transcribe.parse(body)
    assert transcript.text.startswith("GOING ALONG SLUSHY COUNTRY ROADS")
    with pytest.raises(BadRequestUpstream):
        ADAPTER.transcribe.parse({"s3_presign_url": "https://x.example"})


@pytest.mark.parametrize("kind", [LLM, EMBEDDING, RERANK, STT])
def test_the_probe_calls_the_very_endpoint(kind: ModelType) -> None:
    goal = target(kind)
    request = ADAPTER.probe(goal, goal.form)
    assert request.path == "endpoints/my-endpoint/invocations"


def test_the_form_describes_the_model() -> None:
    form = public_part(target(context_length="2048", function_calling_type="tool_call", vision_support="support").form)
    row = ADAPTER.provider().hosted(ModelRef(ID, "mine", LLM), form)
    assert row.features == {Feature.TOOLS, Feature.VISION, Feature.STREAMING}
    assert row.context == 2048


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, rec.calls(ID)["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish, answer.usage.output) == ("Hi.", FinishReason(Finish.STOP, "stop"), 3)


def test_a_recorded_stream_is_put_together_from_any_pieces() -> None:
    answer = rec.split_in_all_ways(ID, amazon.replayed(ID, "chat_stream"))
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    assert (answer.usage.input, answer.usage.output) == (30, 9)


def test_the_thoughts_of_a_containers_model_are_kept_apart_whole_and_streamed() -> None:
    recorded = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_reasoning.json")
    whole = rec.answered(ID, recorded["thinking"]["json"])
    events = recorded["thinking_stream"]["text"].encode()
    head = amazon.written({":message-type": "event", ":event-type": "PayloadPart"})
    parts = (amazon.packed(head, events[at : at + 700]) for at in range(0, len(events), 700))
    streamed = rec.streamed(ID, b"".join(parts), ())
    assert (whole.reasoning, whole.text) == ("It is a greeting.\n", "Hello!")
    assert (streamed.reasoning.strip(), streamed.text) == ("It is a greeting.", "Hello!")


@pytest.mark.parametrize("fault", ["ModelStreamError", "InternalStreamFailure"])
def test_a_fault_ends_the_stream(fault: str) -> None:
    broken = amazon.message("exception", fault, {"Message": "boom", "ErrorCode": "ModelInvocationTimeExceeded"})
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, amazon.message("event", "PayloadPart", {}) + broken, ())
    assert caught.value.detail == "boom"


@pytest.mark.parametrize(
    "body",
    [
        rec.calls(ID)["embedding"]["reply_replayed"]["body"],
        {"embeddings": [[0.1, 0.2]]},
        [[0.1, 0.2]],
    ],
    ids=["openai", "dify", "tei"],
)
def test_vectors_of_every_container_are_read(body: Any) -> None:
    assert rec.vectors(ID, body, 1).vectors == ((0.1, 0.2),)


@pytest.mark.parametrize("body", [None, {}, [], [[1]], [[1], None], {"embeddings": [[1]]}, {"data": []}], ids=str)
def test_vectors_that_do_not_fit_the_texts_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, body, 2)


@pytest.mark.parametrize(
    ("body", "ranks"),
    [
        ({"scores": [-1.5, 2.5]}, [(1, 2.5), (0, -1.5)]),
        ([{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}], [(1, 0.9), (0, 0.1)]),
        (TEI, [(row["index"], row["score"]) for row in TEI]),
    ],
    ids=["dify", "tei", "recorded"],
)
def test_scores_of_every_container_are_read_best_first(body: Any, ranks: list[tuple[int, float]]) -> None:
    assert ADAPTER.rerank
    assert [(r.index, r.score) for r in ADAPTER.rerank.parse(body, len(ranks)).results] == ranks


@pytest.mark.parametrize(
    "body", [None, {}, {"scores": [1]}, {"scores": [1, None]}, [{"index": 0, "score": 1}]], ids=str
)
def test_scores_that_do_not_fit_the_documents_are_refused(body: Any) -> None:
    assert ADAPTER.rerank
    with pytest.raises(BadRequestUpstream):
        ADAPTER.rerank.parse(body, 2)


@pytest.mark.parametrize(
    ("name", "meaning", "status", "said"),
    [
        (
            "error_ValidationError",
            ModelNotFoundUpstream,
            400,
            "Endpoint my-endpoint of account 123456789012 not found.",
        ),
        ("error_ModelError", UpstreamUnavailable, 500, "boom"),
        ("error_AccessDeniedException", CredentialRejected, 403, "not authorized to perform: sagemaker:InvokeEndpoint"),
    ],
)
def test_a_recorded_refusal_is_read(name: str, meaning: type[UpstreamError], status: int, said: str) -> None:
    reply = rec.calls(ID)[name]["reply_replayed"]
    failure = rec.refused(ID, reply["status"], reply["body"], {"x-amzn-ErrorType": name.removeprefix("error_")})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_what_the_container_refuses_is_read_from_its_own_words() -> None:
    inner = {"error": {"message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError"}}
    body = {"Message": "Received client error (400)", "OriginalStatusCode": 400, "OriginalMessage": json.dumps(inner)}
    failure = rec.refused(ID, 424, body, {"x-amzn-ErrorType": "ModelError"})
    assert (type(failure), failure.status) == (ContextTooLong, 400)
    silent = rec.refused(ID, 424, {**body, "OriginalStatusCode": 503, "OriginalMessage": ""})
    assert (type(silent), silent.detail) == (UpstreamUnavailable, "Received client error (400)")


@pytest.mark.parametrize(
    ("status", "kind", "meaning", "proof"),
    [
        (403, "UnrecognizedClientException", CredentialRejected, False),
        (403, "ExpiredTokenException", CredentialRejected, False),
        (429, "ThrottlingException", UpstreamRateLimited, False),
        (429, "ModelNotReadyException", UpstreamUnavailable, True),
        (500, "InternalFailure", UpstreamUnavailable, False),
        (503, "ServiceUnavailable", UpstreamUnavailable, False),
        (530, "InternalDependencyException", UpstreamUnavailable, False),
        (400, "ValidationError", BadRequestUpstream, False),
    ],
)
def test_a_refusal_is_read_by_its_type(status: int, kind: str, meaning: type[UpstreamError], proof: bool) -> None:
    failure = rec.refused(ID, status, {"Message": "x"}, {"x-amzn-ErrorType": kind})
    assert (type(failure), failure.status) == (meaning, status)
    assert ADAPTER.proves(failure) is proof
