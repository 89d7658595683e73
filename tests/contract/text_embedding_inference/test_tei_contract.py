"""Text Embedding Inference by its native API, for which there is no client of its own: requests satisfy its OpenAPI
(request_schemas.json: huggingface/text-embeddings-inference at 0d124dc, version 1.9.3) and have no field that it does
not know; the one to rank is LiteLLM's (third_party_requests_litellm.json, 1.106.2), less `top_n`, which the server does
not know, `truncation_direction`, which means nothing where nothing is cut, and the texts, which we do not ask back.
Answers are those of the OpenAPI's examples, and llama.cpp's in the same shape, recorded
(../openai_api_compatible/recorded_real_llamacpp_rerank.json). Refusals are the examples of the OpenAPI, and as
router/src/http/server.rs and core/src/tokenization.rs of that repository word them.
"""

from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    InvalidRange,
    UpstreamError,
    UpstreamUnavailable,
)
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import Usage
from domain.model.rerank import Ranked, RerankCall, Reranking
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec

ID = "text_embedding_inference"
ADAPTER = ADAPTERS[ID]
FORM = {"server_url": "http://127.0.0.1:8080", "api_key": "<key>"}
HEADERS = ("authorization", "content-type", "accept")
EXPECTED = {"authorization": "Bearer <key>", "content-type": "application/json", "accept": "application/json"}
LLAMA = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_rerank.json")["rerank_tei_shape"]
EMBEDDING, RERANK = ModelType.EMBEDDING, ModelType.RERANK


def conforms(schema: str, body: Any) -> None:
    """Satisfies the schema, and has no field that it does not know."""
    rec.valid(ID, schema, body)
    known = rec.load(ID, "request_schemas.json")["components"]["schemas"][schema]["properties"]
    assert body.keys() <= known.keys()


def sent(kind: ModelType, request: Request) -> rec.Sent:
    return rec.sent(ADAPTER, rec.target(ID, "mine", FORM, kind).form, request, HEADERS)


def ranking(call: RerankCall) -> rec.Sent:
    assert ADAPTER.rerank
    return sent(RERANK, ADAPTER.rerank.render(rec.target(ID, "mine", FORM, RERANK), call))


def ranks(body: Any, count: int) -> Reranking:
    assert ADAPTER.rerank
    return ADAPTER.rerank.parse(body, count)


def test_texts_are_embedded_whole_or_not_at_all() -> None:
    ours = rec.embedded(ID, FORM, "mine", EmbedCall(("a", "b"), dimensions=256), HEADERS)
    conforms("EmbedRequest", ours.body)
    assert (ours.method, ours.path, ours.headers) == ("POST", "/embed", EXPECTED)
    assert ours.body == {"inputs": ["a", "b"], "truncate": False, "dimensions": 256}


@pytest.mark.parametrize(
    ("purpose", "prompt"), [(EmbedPurpose.QUERY, "query"), (EmbedPurpose.DOCUMENT, "passage")], ids=str
)
def test_the_form_may_name_the_prompts_of_a_model(purpose: EmbedPurpose, prompt: str) -> None:
    form = {**FORM, "query_prompt_name": "query", "document_prompt_name": "passage"}
    body = rec.embedded(ID, form, "mine", EmbedCall(("a",), purpose=purpose)).body
    conforms("EmbedRequest", body)
    assert body["prompt_name"] == prompt


def test_documents_are_ranked_as_a_third_party_asks_for_it() -> None:
    ours = ranking(RerankCall("q", ("a", "b"), top_n=1))
    theirs = rec.recorded(
        rec.calls(ID, "third_party_requests_litellm.json")["rerank"],
        without=("top_n", "truncation_direction", "return_text"),
        headers=HEADERS,
    )
    conforms("RerankRequest", ours.body)
    assert ours.body.pop("return_text") is False
    assert ours == theirs


def test_vectors_are_read_in_the_order_of_the_texts() -> None:
    body = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    rec.valid(ID, "EmbedResponse", body)
    answer = rec.vectors(ID, body, 2)
    assert (answer.vectors, answer.usage) == (((0.0, 1.0, 2.0), (3.0, 4.0, 5.0)), Usage())


@pytest.mark.parametrize("body", [None, {}, [], [[0.1]], [[0.1], []], [[0.1], ["x"]], [[0.1], [[0.1]]]], ids=str)
def test_vectors_that_do_not_fit_the_texts_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        rec.vectors(ID, body, 2)


def test_a_bare_list_of_scores_is_read_best_first() -> None:
    body = [{"index": 0, "score": 0.01}, {"index": 1, "score": 0.99, "text": "b"}]
    rec.valid(ID, "RerankResponse", body)
    assert ranks(body, 2) == Reranking((Ranked(1, 0.99), Ranked(0, 0.01)), Usage())
    assert [r.index for r in ranks(LLAMA["json"], 3).results] == [0, 1, 2]


@pytest.mark.parametrize("body", [None, {"results": []}, [], LLAMA["json"][:2], [{"index": 0}] * 3], ids=str)
def test_scores_that_do_not_fit_the_documents_are_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        ranks(body, 3)


@pytest.mark.parametrize(("size", "expected"), [({}, 32), ({"max_client_batch_size": "4"}, 4)], ids=["usual", "own"])
def test_a_request_carries_what_the_server_takes(size: dict[str, str], expected: int) -> None:
    assert ADAPTER.embed
    for kind in (EMBEDDING, RERANK):
        goal = rec.target(ID, "mine", {**FORM, **size}, kind)
        assert (ADAPTER.embed.batch(goal), ADAPTER.documents(goal.form)) == (expected, expected)


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize(("kind", "path"), [(EMBEDDING, "/embed"), (RERANK, "/rerank")])
def test_the_probe_calls_the_one_model_as_what_it_is_said_to_be(end: str, kind: ModelType, path: str) -> None:
    goal = rec.target(ID, "mine", {**FORM, "server_url": FORM["server_url"] + end}, kind)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.probe(goal, goal.form), HEADERS)
    assert (ours.path, ours.headers) == (path, EXPECTED)


def test_a_chat_cannot_be_proved() -> None:
    goal = rec.target(ID, "mine", FORM)
    with pytest.raises(InvalidRange):
        ADAPTER.probe(goal, goal.form)


def test_a_server_without_a_key_is_sent_none() -> None:
    assert not rec.signed(ADAPTER, rec.target(ID, "mine", {"server_url": FORM["server_url"]}, RERANK).form)


def test_the_form_states_the_context() -> None:
    row = ADAPTER.provider().hosted(ModelRef(ID, "mine", EMBEDDING), {"max_input_length": "512"})
    assert (row.context, row.features) == (512, frozenset())


INFO = {
    "model_id": "thenlper/gte-base",
    "model_dtype": "float16",
    "served_model_name": "thenlper/gte-base",
    "max_concurrent_requests": 128,
    "max_input_length": 512,
    "max_batch_tokens": 2048,
    "max_client_batch_size": 32,
    "auto_truncate": True,
    "tokenization_workers": 4,
    "version": "1.9.3",
}
LABELS = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}


@pytest.mark.parametrize(
    ("told", "kind"),
    [({"embedding": {"pooling": "cls"}}, EMBEDDING), ({"reranker": LABELS}, RERANK), ({"classifier": LABELS}, None)],
    ids=["embedding", "reranker", "classifier"],
)
def test_a_server_lists_its_one_model(told: Any, kind: ModelType | None) -> None:
    rec.valid(ID, "Info", {**INFO, "model_type": told})
    assert ADAPTER.models
    assert ADAPTER.models.parse({**INFO, "model_type": told}).models == (ListedModel("thenlper/gte-base", kind, 512),)


@pytest.mark.parametrize("body", [None, [], {}, {"model_id": ""}], ids=str)
def test_a_server_that_names_no_model_is_not_understood(body: Any) -> None:
    assert ADAPTER.models
    with pytest.raises(BadRequestUpstream):
        ADAPTER.models.parse(body)


LONG = "Input validation error: `inputs` must have less than 512 tokens. Given: 534"


@pytest.mark.parametrize(
    ("status", "said", "kind", "meaning"),
    [
        (400, "Batch is empty", "empty", BadRequestUpstream),
        (413, "Batch size error", "validation", BadRequestUpstream),
        (422, "batch size 40 > maximum allowed batch size 32", "Validation", BadRequestUpstream),
        (422, LONG, "Validation", ContextTooLong),
        (422, "Tokenization error", "tokenizer", BadRequestUpstream),
        (424, "Inference failed", "backend", UpstreamUnavailable),
        (424, "model is not a re-ranker model", "Backend", BadRequestUpstream),
        (429, "Model is overloaded", "overloaded", UpstreamUnavailable),
        (429, "Model is overloaded", "Overloaded", UpstreamUnavailable),
        (503, "unhealthy", "Unhealthy", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, said: str, kind: str, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, {"error": said, "error_type": kind})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, said)


def test_a_bad_key_is_refused_without_a_word() -> None:
    failure = rec.refused(ID, 401, "")
    assert (type(failure), failure.detail) == (CredentialRejected, "")
