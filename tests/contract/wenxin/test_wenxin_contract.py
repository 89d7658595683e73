"""Our requests to Qianfan equal those of its SDK (sdk_requests.json: qianfan 0.4.12.3, its calls of version 2) and of
OpenAI's client, which its guides use (sdk_requests_openai.json), and have the shape of OpenAI's OpenAPI; answers are
those that the SDK accepted (sdk_requests_replies.json), and they and errors have the shapes that
cloud.baidu.com/doc/qianfan-api documents (3m7of64lb, Fm7u3ropn, rmwbl43x7, 2m7u4zt74). Vectors and rankings are those
of the SDK as its repository has it (sdk_requests_repository.json). The rows of the list of models are inferred from
what clients of /v2/models read.

Left out of the comparison: `extra_parameters`, in which the SDK tells its version, `stream: false` and, of its calls,
`stream_options`, without which a stream tells no counts, and `endpoint`, which is null; `encoding_format: "float"`,
which is the default. The SDK reranks at /v2/rerankers, the vendor's later page at /v2/rerank.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, Knobs, ToolCall
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish, FinishReason, Usage
from domain.model.rerank import RerankCall
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Page
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "wenxin"
KEY = "bce-v3/ALTAK-fake/faketoken"
FORM = {"api_key": KEY}
HEADERS = ("authorization", "content-type")
SIGNED = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
MODEL = "ernie-4.5-turbo-32k"
TOOL = rec.weather("Current weather of a city")
PING = rec.asking("ping", system="You are terse.")
CLIENT, KEYED = "sdk_requests_openai.json", {"api_key": "<key>"}
CHAT, STREAM = "v2 IAM -> bearer token: chat", "v2 IAM -> bearer token: chat stream with tool"
OWN = {"extra_parameters", "stream_options"}
ADDED = {"extra_parameters", "stream", "endpoint"}
REPOSITORY = rec.calls(ID, "sdk_requests_repository.json")
COUNTS = {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8}


def theirs(label: str) -> rec.Sent:
    """The call itself, which the one for a token comes before."""
    (call,) = [r for r in rec.load(ID, "sdk_requests.json")["requests"] if (r["label"], r["method"]) == (label, "POST")]
    return rec.recorded(call, without=OWN, headers=HEADERS)


@pytest.mark.parametrize(
    ("label", "call"), [(CHAT, PING), (STREAM, replace(PING, tools=(TOOL,)))], ids=["whole", "tool"]
)
def test_a_chat_request_is_the_sdks(label: str, call: ChatCall) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=label == STREAM, headers=HEADERS)
    body = {"stream": False} | {key: value for key, value in ours.body.items() if key not in OWN}
    assert replace(ours, body=body) == theirs(label)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize("name", [name for name in client.CHATS if name in rec.calls(ID, CLIENT)])
def test_a_chat_request_is_openais_clients_too(name: str) -> None:
    asked = client.theirs(ID, name, file=CLIENT)
    model, streamed = asked.body["model"], "stream" in name
    assert rec.asked(ID, KEYED, model, client.CHATS[name], stream=streamed, headers=client.HEADERS) == asked


def test_an_embedding_request_is_openais_clients() -> None:
    asked = client.theirs(ID, "embeddings.create float, plain", frozenset({"encoding_format"}), CLIENT)
    assert rec.embedded(ID, KEYED, asked.body["model"], EmbedCall(("a", "b")), client.HEADERS) == asked


@pytest.mark.parametrize("call", client.CHATS.values(), ids=client.CHATS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_chat_has_openais_shape(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, MODEL, call, stream=stream, headers=HEADERS)
    assert (ours.method, ours.path, ours.headers) == ("POST", "/v2/chat/completions", SIGNED)
    assert ours.body.get("stream_options") == ({"include_usage": True} if stream else None)
    assert ours.body.get("max_completion_tokens") == call.knobs.max_tokens
    assert "max_tokens" not in ours.body
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize(
    ("model", "dropped"),
    [(MODEL, set()), ("ernie-x1-turbo-32k", {"presence_penalty", "frequency_penalty"})],
)
def test_a_model_gets_the_knobs_that_it_takes(model: str, dropped: set[str]) -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    call = replace(PING, knobs=Knobs(0.5, 0.9, 64, ("END",), 7, 0.1, 0.2))
    request = dialect.render(rec.target(ID, model, FORM), call, stream=False)
    assert {warning.split()[0] for warning in request.warnings} == dropped
    assert {"temperature", "top_p", "stop", "seed"} <= (request.json or {}).keys()


def test_the_forms_application_goes_into_a_header() -> None:
    ours = rec.asked(ID, {**FORM, "appid": "app-1"}, MODEL, PING, headers=("appid",))
    assert ours.headers == {"appid": "app-1"}


def test_an_embedding_request_is_the_sdks_and_its_vectors_are_read_as_it_reads_them() -> None:
    theirs = REPOSITORY["embedding"]
    ours = rec.embedded(ID, FORM, "embedding-v1", EmbedCall(("a", "b")), HEADERS)
    assert ours == rec.recorded(theirs["request"], without=ADDED, headers=HEADERS)
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)
    answer = rec.vectors(ID, theirs["reply_replayed"]["body"], 2)
    assert [list(each) for each in answer.vectors] == [row["embedding"] for row in theirs["sdk_result"]["data"]]
    assert answer.usage.input == theirs["sdk_result"]["usage"]["prompt_tokens"]


@pytest.mark.parametrize(("model", "texts"), [("embedding-v1", 16), ("bge-large-zh", 16), ("tao-8k", 1)])
def test_a_request_carries_as_many_texts_as_the_model_takes(model: str, texts: int) -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    assert dialect.batch(rec.target(ID, model, FORM, ModelType.EMBEDDING)) == texts


def test_vectors_are_read_by_their_index() -> None:
    rows = [{"object": "embedding", "index": at, "embedding": [0.5, float(at)]} for at in (1, 0)]
    answer = rec.vectors(ID, {"id": "as-1", "data": rows, "usage": {"prompt_tokens": 4, "total_tokens": 4}}, 2)
    assert answer.vectors == ((0.5, 0.0), (0.5, 1.0))
    assert (answer.usage.input, answer.usage.output) == (4, 0)


def test_a_ranking_is_asked_for_as_the_sdk_asks_and_read_as_it_reads() -> None:
    adapter, theirs = ADAPTERS[ID], REPOSITORY["rerank"]
    asked = rec.recorded(theirs["request"], without=ADDED, headers=HEADERS)
    assert adapter.rerank
    goal = rec.target(ID, asked.body["model"], FORM, ModelType.RERANK)
    call = RerankCall(asked.body["query"], tuple(asked.body["documents"]), top_n=1)
    assert rec.sent(adapter, goal.form, adapter.rerank.render(goal, call), HEADERS) == replace(asked, path="/v2/rerank")
    assert adapter.documents(goal.form) == 64
    answer = adapter.rerank.parse(theirs["reply_replayed"]["body"], 2)
    results = [(row["index"], row["relevance_score"]) for row in theirs["sdk_result"]["results"]]
    assert [(ranked.index, ranked.score) for ranked in answer.results] == results
    assert answer.usage.input == theirs["sdk_result"]["usage"]["prompt_tokens"]


def test_the_probe_is_a_word_to_a_small_model() -> None:
    ours = rec.probed(ID, FORM, HEADERS)
    recorded = theirs(CHAT)
    assert (ours.method, ours.path, ours.headers) == (recorded.method, recorded.path, recorded.headers)
    assert (ours.body["model"], ours.body["max_completion_tokens"]) == (recorded.body["model"], 5)


def test_a_key_that_may_not_use_the_probes_model_is_good() -> None:
    proves = ADAPTERS[ID].proves
    body = {"error": {"code": "invalid_model", "message": "No permission.", "type": "invalid_request_error"}}
    assert proves(rec.refused(ID, 401, body))
    assert not proves(rec.refused(ID, 400, body))
    assert not proves(rec.refused(ID, 401, {"error": {"code": "invalid_iam_token", "message": "No."}}))


def test_the_list_of_models_is_read_for_type_and_context() -> None:
    adapter = ADAPTERS[ID]
    assert adapter.models
    ours = rec.sent(adapter, rec.target(ID, MODEL, KEYED).form, adapter.models.render(), client.HEADERS)
    assert ours == rec.recorded(rec.calls(ID, CLIENT)["models.list"], headers=client.HEADERS)
    row = {"id": "m", "object": "model", "type": "chat", "context_length": 163_840, "max_tokens": 32_768}
    assert adapter.models.parse({"object": "list", "data": [row]}) == Page((ListedModel("m", ModelType.LLM, 163_840),))


def test_replies_that_the_sdk_accepted_are_read_alike_whole_and_streamed() -> None:
    replies = rec.calls(ID, "sdk_requests_replies.json")
    whole = rec.answered(ID, replies["chat_tool"]["reply_replayed"]["body"])
    read = replies["chat_tool"]["sdk_result"]["choices"][0]["message"]
    assert (whole.text, whole.reasoning) == (read["content"], read["reasoning_content"])
    assert whole.finish == FinishReason(Finish.TOOL_CALLS, "tool_calls")
    called = [(call.id, call.name, call.arguments) for call in whole.tool_calls]
    assert called == [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in read["tool_calls"]]
    chunks = replies["chat_stream_tool"]["reply_replayed"]["chunks"]
    assert rec.split_in_all_ways(ID, rec.events(*chunks)) == whole


def test_an_answer_is_read_as_the_guide_has_it() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop", "flag": 0}
    answer = rec.answered(ID, {"id": "as-x", "object": "chat.completion", "choices": [choice], "usage": COUNTS})
    assert (answer.text, answer.reasoning, answer.tool_calls) == ("pong", "", ())
    assert answer.finish == FinishReason(Finish.STOP, "stop")
    assert answer.usage == Usage(6, 2, raw=COUNTS)


def test_a_stream_folds_to_the_whole_answer_with_its_thoughts_apart() -> None:
    answer = client.told(ID, {"reasoning_content": "Hm, wait.", **client.CALLING, "content": "See:"}, "tool_calls")
    assert (answer.text, answer.reasoning, answer.finish.unified) == ("See:", "Hm, wait.", Finish.TOOL_CALLS)
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Tokyo"}'),)
    assert (answer.usage.input, answer.usage.output) == (9, 20)


def test_counts_may_grow_with_every_chunk() -> None:
    counts = [COUNTS | {"completion_tokens": tokens} for tokens in (1, 2)]
    deltas: list[Any] = [{"role": "assistant", "content": "po"}, {"content": "ng"}]
    chunks = [
        {"choices": [{"index": 0, "delta": d, "flag": 0}], "usage": c} for d, c in zip(deltas, counts, strict=True)
    ]
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "normal"}]}
    answer = rec.split_in_all_ways(ID, rec.events(*chunks, last))
    assert (answer.text, answer.usage.output) == ("pong", 2)
    assert answer.finish == FinishReason(Finish.STOP, "normal")


@pytest.mark.parametrize(("raw", "meaning"), [("length", Finish.LENGTH), ("content_filter", Finish.CONTENT_FILTER)])
def test_a_reason_to_end_is_named(raw: str, meaning: Finish) -> None:
    assert client.told(ID, {"content": "pong"}, raw).finish == FinishReason(meaning, raw)


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "malformed_json", errors.BadRequestUpstream),
        (400, "invalid_messages", errors.BadRequestUpstream),
        (400, "invalid_model", errors.ModelNotFoundUpstream),
        (400, "characters_too_long", errors.ContextTooLong),
        (400, "tokens_too_long", errors.ContextTooLong),
        (401, "invalid_iam_token", errors.CredentialRejected),
        (401, "invalid_appid", errors.CredentialRejected),
        (401, "no_parameter_permission", errors.CredentialRejected),
        (403, "account_overdue", errors.UpstreamPaymentRequired),
        (403, "system_unsafe", errors.ContentRefused),
        (403, "functions_unsafe", errors.ContentRefused),
        (403, "unsafe_request", errors.ContentRefused),
        (429, "tpm_rate_limit_exceeded", errors.UpstreamRateLimited),
        (429, "cluster_rpm_rate_limit_exceeded", errors.UpstreamRateLimited),
        (500, "internal_error", errors.UpstreamUnavailable),
        (500, "dispatch_internal_error", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_code_whole_or_in_a_stream(
    status: int, code: str, meaning: type[UpstreamError]
) -> None:
    body = {"error": {"code": code, "message": "It said no.", "type": ""}, "id": "as-x"}
    failure = rec.refused(ID, status, body, {"retry-after": "2"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, "It said no.")
    assert failure.retry_after == (2.0 if meaning.retryable else None)
    with pytest.raises(meaning) as inside:
        rec.streamed(ID, rec.events(body))
    assert inside.value.status == status


REPORTED: list[tuple[int, str, str, str, type[UpstreamError]]] = [
    (429, "rpm_rate_limit_exceeded", "rate_limit_exceeded", "Rate limit reached for RPM", errors.UpstreamRateLimited),
    (
        429,
        "token_quota_exceeded",
        "quota_exceeded",
        "Token Plan Person monthly quota limit exceeded",
        errors.UpstreamPaymentRequired,
    ),
    (
        400,
        "invalid_argument",
        "invalid_request_error",
        "parameter check failed, max_tokens range is [1, 4096]",
        errors.BadRequestUpstream,
    ),
]


@pytest.mark.parametrize(("status", "code", "kind", "said", "meaning"), REPORTED, ids=[case[1] for case in REPORTED])
def test_a_refusal_that_users_have_reported_is_read(
    status: int, code: str, kind: str, said: str, meaning: type[UpstreamError]
) -> None:
    failure = rec.refused(ID, status, {"error": {"code": code, "message": said, "type": kind}, "id": "as-x"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_models_of_the_first_version_lead_to_those_of_the_second() -> None:
    offered = catalogue()
    for gone, heir in (("ernie-bot", "ernie-3.5-8k"), ("ernie-bot-4", "ernie-4.0-8k")):
        assert [ref.name for ref in offered.successors(ModelRef(ID, gone, ModelType.LLM))] == [gone, heir]
    rows = {row.ref.name: row for row in offered.provider(ID).models}
    assert Feature.VISION in rows["ernie-4.5-turbo-vl-32k"].features
    assert Feature.REASONING in rows["ernie-x1-turbo-32k"].features
    assert not any(Feature.STRUCTURED_OUTPUT in row.features for row in rows.values())
    assert {row.price.currency for row in rows.values() if row.price} == {"CNY"}
