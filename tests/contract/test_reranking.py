"""Reranking at every vendor that does it. Requests have the documented fields of each (shared by Jina, Cohere and their
imitations), equal the recorded ones of its client less the switch for documents, and satisfy the vendor's OpenAPI where
there is one, or Jina's; NVIDIA's has the body of its own client and the path that a third party's takes. Answers are
llama.cpp's, recorded; Together AI's, recorded in vercel/ai at ed857f50
(packages/togetherai/src/reranking/__fixtures__); the shapes of SiliconFlow's and LocalAI's OpenAPI; and the examples of
OpenRouter's OpenAPI, GPUStack's guide (docs/integrations/inference-apis.md) and NVIDIA's reference
(nvidia-llama-3_2-nv-rerankqa-1b-v2-infer).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall, Reranking
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

RERANK = ModelType.RERANK
HEADERS = ("authorization", "content-type", "accept")
CALL = RerankCall("q", ("a", "b"), top_n=1, threshold=0.5)
JINA = ["openai_api_compatible", "gpustack", "localai", "siliconflow", "together_ai"]
SWITCHED = {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2, "return_documents": False}
LLAMA = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_rerank.json")
INFINITY = rec.exchanges("openai_api_compatible", "recorded_real_infinity.json")


def render(provider: str, model: str = "m", call: RerankCall = CALL, **form: str) -> Request:
    dialect = ADAPTERS[provider].rerank
    assert dialect
    return dialect.render(rec.target(provider, model, {**FORMS[provider], **form}, RERANK), call)


def parse(provider: str, body: Any, count: int) -> Reranking:
    dialect = ADAPTERS[provider].rerank
    assert dialect
    return dialect.parse(body, count)


def sent(provider: str, request: Request) -> rec.Sent:
    form = rec.target(provider, "m", FORMS[provider], RERANK).form
    return rec.sent(ADAPTERS[provider], form, request, HEADERS)


@pytest.mark.parametrize("provider", JINA)
def test_all_documents_are_asked_for_and_none_is_sent_back(provider: str) -> None:
    ours = sent(provider, render(provider))
    assert (ours.method, ours.path) == ("POST", "/v1/rerank")
    assert ours.body == {k: v for k, v in SWITCHED.items() if (provider, k) != ("localai", "return_documents")}
    assert ours.headers["authorization"].startswith("Bearer ")
    assert (ours.headers["content-type"], ours.headers["accept"]) == ("application/json", "application/json")


@pytest.mark.parametrize(
    ("provider", "schema"),
    [
        ("siliconflow", "RerankRequest"),
        ("localai", "schema.JINARerankRequest"),
        ("together_ai", "RerankRequest"),
        ("openrouter", "RerankRequest"),
    ],
)
def test_a_request_satisfies_the_vendors_openapi(provider: str, schema: str) -> None:
    body = render(provider).json
    assert body
    rec.valid(provider, schema, body)
    known = rec.load(provider, "request_schemas.json")["components"]["schemas"][schema]["properties"]
    assert body.keys() <= known.keys()


@pytest.mark.parametrize("provider", ["together_ai", "openrouter"])
def test_a_request_is_the_clients(provider: str) -> None:
    call = rec.calls(provider)["rerank"]
    theirs = rec.recorded(call, without={"return_documents"}, headers=HEADERS)
    ours = sent(provider, render(provider, theirs.body["model"]))
    assert replace(ours, body={k: v for k, v in ours.body.items() if k != "return_documents"}) == theirs
    answer = parse(provider, call["reply_replayed"]["body"], 2)
    assert [(r.index, r.score) for r in answer.results] == [(1, 0.9), (0, 0.1)]


@pytest.mark.parametrize("provider", ["openai_api_compatible", "gpustack"])
def test_a_request_to_an_imitation_satisfies_jinas_openapi(provider: str) -> None:
    body = render(provider, "jina-reranker-v2-base-multilingual").json
    assert body
    rec.valid("jina_ai", "TextRerankerRequest", body)
    known = rec.load("jina_ai", "request_schemas.json")["components"]["schemas"]["TextRerankerRequest"]["properties"]
    assert body.keys() <= known.keys()


def test_nvidias_request_has_the_body_of_its_client_and_an_address_by_model() -> None:
    theirs = rec.calls("nvidia_api_catalog", "sdk_requests_langchain_nvidia.json")["NVIDIARerank.compress_documents"]
    body = rec.recorded(theirs).body
    assert render("nvidia_api_catalog", body["model"]).json == body
    elsewhere = rec.calls("nvidia_api_catalog", "third_party_requests_litellm.json")["rerank"]
    ours = sent("nvidia_api_catalog", render("nvidia_api_catalog", "nvidia/llama-3.2-nv-rerankqa-1b-v2"))
    assert ours.path == rec.recorded(elsewhere).path
    assert ours.headers == rec.recorded(elsewhere, headers=HEADERS).headers


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("nvidia/llama-nemotron-rerank-1b-v2", "nvidia/llama-nemotron-rerank-1b-v2/reranking"),
        ("nv-rerank-qa-mistral-4b:1", "nvidia/reranking"),
        ("x/../../../v2?y#z", "x/__/__/__/v2%3Fy%23z/reranking"),
    ],
)
def test_no_name_of_a_model_leads_out_of_nvidias_reranking(model: str, path: str) -> None:
    request = render("nvidia_api_catalog", model)
    assert (request.base, request.path) == ("https://ai.api.nvidia.com/v1/retrieval", path)


@pytest.mark.parametrize("provider", ["nvidia_api_catalog", "nvidia_nim"])
def test_nvidia_ranks_as_many_passages_at_once_as_its_reference_allows(provider: str) -> None:
    assert ADAPTERS[provider].documents(FORMS[provider]) == 512


def jina(*results: tuple[Any, Any], **more: Any) -> Any:
    return {"results": [{"index": i, "relevance_score": s, "document": {"text": "x"}} for i, s in results], **more}


NVIDIA = {
    "rankings": [
        {"index": 2, "logit": 0.226318359375},
        {"index": 1, "logit": -1.171875},
        {"index": 0, "logit": -6.3125},
    ]
}
# Of six documents; renumbered, as if the two had been all.
TOGETHER = {
    "id": "oGs6Zt9-62bZhn-99529372487b1b0a",
    "object": "rerank",
    "model": "Salesforce/Llama-Rank-v1",
    "results": [
        {"index": 0, "relevance_score": 0.6475887154399037, "document": {}},
        {"index": 1, "relevance_score": 0.6323295373206566, "document": {}},
    ],
    "usage": {"prompt_tokens": 2966, "completion_tokens": 0, "total_tokens": 2966},
}
ANSWERS: list[tuple[str, Any, list[tuple[int, float]], int | None]] = [
    ("openai_api_compatible", LLAMA["rerank"]["json"], [(0, 1.0), (1, 1.0)], 44),
    ("openai_api_compatible", jina((0, 0.1), (1, 0.9)), [(1, 0.9), (0, 0.1)], None),
    ("siliconflow", jina((1, 0.9), (0, 0.1), tokens={"input_tokens": 6, "output_tokens": 0}), [(1, 0.9), (0, 0.1)], 6),
    ("siliconflow", jina((0, 1), (1, 0), meta={"tokens": {"input_tokens": 7}}), [(0, 1.0), (1, 0.0)], 7),
    ("localai", jina((0, 0.2), (1, 0.3), usage={"total_tokens": 9, "prompt_tokens": 8}), [(1, 0.3), (0, 0.2)], 8),
    ("together_ai", TOGETHER, [(0, 0.6475887154399037), (1, 0.6323295373206566)], 2966),
    ("openrouter", jina((0, 0.98), usage={"search_units": 1, "total_tokens": 150}), [(0, 0.98)], 150),
    ("openrouter", jina((0, 0.98), usage={"search_units": 1, "cost": 0.001}), [(0, 0.98)], None),
    ("gpustack", LLAMA["rerank"]["json"], [(0, 1.0), (1, 1.0)], 44),
    ("localai", LLAMA["rerank"]["json"], [(0, 1.0), (1, 1.0)], 44),
    ("gpustack", jina((0, 1.95), (1, -3.73), (2, -6.16)), [(0, 1.95), (1, -3.73), (2, -6.16)], None),
    ("nvidia_api_catalog", NVIDIA, [(2, 0.226318359375), (1, -1.171875), (0, -6.3125)], None),
    ("nvidia_nim", NVIDIA, [(2, 0.226318359375), (1, -1.171875), (0, -6.3125)], None),
]


@pytest.mark.parametrize(("provider", "body", "ranks", "tokens"), ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_is_read_best_first(
    provider: str, body: Any, ranks: list[tuple[int, float]], tokens: int | None
) -> None:
    answer = parse(provider, body, len(ranks))
    assert [(r.index, r.score) for r in answer.results] == ranks
    assert (answer.usage.input, answer.usage.output) == (tokens, None if tokens is None else 0)


BAD: list[Any] = [
    None,
    [],
    {"results": None},
    LLAMA["rerank_tei_shape"]["json"],
    jina((0, 1.0)),
    jina((0, 1.0), (0, 1.0)),
    jina((0, 1.0), (2, 1.0)),
    jina((0, 1.0), (-1, 1.0)),
    jina((0, 1.0), (1, 1.0), (1, 1.0)),
    jina((0, 1.0), (1, 1.0), (None, 1.0)),
    jina((0, 1.0), ("1", 1.0)),
    jina((False, 1.0), (True, 1.0)),
    jina((0, 1.0), (1, None)),
    jina((0, 1.0), (1, True)),
    jina((0, 1.0), (1, "0.5")),
    jina((0, 1.0), (1, float("nan"))),
    jina((0, 1.0), (1, float("inf"))),
]


@pytest.mark.parametrize("body", BAD, ids=lambda body: str(body)[:60])
def test_an_answer_that_does_not_rank_each_document_once_is_refused(body: Any) -> None:
    with pytest.raises(BadRequestUpstream) as caught:
        parse("openai_api_compatible", body, 2)
    assert caught.value.status == 200


def test_a_server_that_was_asked_for_two_of_three_keeps_the_third_to_itself() -> None:
    """llama.cpp, recorded: why all are asked for."""
    with pytest.raises(BadRequestUpstream):
        parse("openai_api_compatible", LLAMA["rerank"]["json"], 3)


@pytest.mark.parametrize("answer", [LLAMA["rerank_missing"], INFINITY["rerank_wrong_model"]], ids=["llama", "infinity"])
def test_a_recorded_refusal_is_read(answer: Any) -> None:
    failure = rec.refused("openai_api_compatible", answer["status"], answer["json"])
    assert (type(failure), failure.status) == (BadRequestUpstream, 400)
    assert failure.detail == answer["json"]["error"]["message"]


@pytest.mark.parametrize("provider", ["openai_api_compatible", "gpustack", "localai", "together_ai"])
def test_the_probe_ranks_one_document_with_the_very_model(provider: str) -> None:
    goal = rec.target(provider, "mine", FORMS[provider], RERANK)
    ours = sent(provider, ADAPTERS[provider].probe(goal, goal.form))
    assert (ours.path, ours.body["model"], ours.body["top_n"]) == ("/v1/rerank", "mine", 1)


@pytest.mark.parametrize("provider", ["openai_api_compatible", "gpustack"])
def test_the_form_may_name_the_model_in_its_own_way(provider: str) -> None:
    body = render(provider, "mine", endpoint_model_name="theirs").json
    assert body
    assert body["model"] == "theirs"
