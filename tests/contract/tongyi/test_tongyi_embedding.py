"""Embeddings at Tongyi, in OpenAI's shape as its client asks for them (sdk_requests_openai.json); of models that see as
well in the vendor's own, where requests, answers and their reading are those of its SDK (sdk_requests_replies.json:
dashscope 2.0.2).
"""

from typing import Any

import pytest

from domain.errors import UpstreamError
from domain.model.calls import EmbedCall
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "tongyi"
FORM = {"dashscope_api_key": "<key>"}
REPLIES = rec.calls(ID, "sdk_requests_replies.json")
SEEN = [("embedding_multimodal", None), ("embedding_multimodal_dimension", 1024)]


def test_a_request_is_what_openais_client_sends() -> None:
    theirs = client.theirs(ID, "embeddings.create float", file="sdk_requests_openai.json")
    ours = rec.embedded(ID, FORM, theirs.body["model"], EmbedCall(("a", "b"), dimensions=256), client.HEADERS)
    assert ours == theirs
    assert ours.body.keys() == {"model", "input", "dimensions", "encoding_format"}
    own = rec.recorded(rec.calls(ID)["embedding"]).body
    ours = rec.embedded(ID, FORM, own["model"], EmbedCall(("hello", "world"), dimensions=1024))
    assert (ours.body["input"], ours.body["dimensions"]) == (own["input"]["texts"], own["parameters"]["dimension"])
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


@pytest.mark.parametrize(("name", "dimensions"), SEEN)
def test_a_model_that_sees_is_asked_as_the_vendors_sdk_asks(name: str, dimensions: int | None) -> None:
    theirs = rec.recorded(REPLIES[name]["request"])
    assert rec.embedded(ID, FORM, theirs.body["model"], EmbedCall(("a", "b"), dimensions=dimensions)) == theirs


@pytest.mark.parametrize("name", [name for name, _ in SEEN])
def test_its_vectors_are_those_that_the_sdk_reads(name: str) -> None:
    theirs = REPLIES[name]["sdk_result"]
    answer = rec.vectors(ID, REPLIES[name]["reply_replayed"]["body"], 2)
    assert [list(each) for each in answer.vectors] == [row["embedding"] for row in theirs["output"]["embeddings"]]
    assert (answer.usage.input, answer.usage.output) == (theirs["usage"]["input_tokens"], 0)


@pytest.mark.parametrize(
    "output",
    [
        None,
        {},
        {"embeddings": {}},
        {"embeddings": [{"index": 0, "embedding": [0.5]}]},
        {"embeddings": [{"index": 0, "embedding": [0.5]}] * 2},
        {"embeddings": [{"index": 0, "embedding": [0.5]}, {"index": 1, "embedding": []}]},
    ],
)
def test_an_answer_without_a_vector_for_each_text_is_a_domain_error(output: Any) -> None:
    with pytest.raises(UpstreamError):
        rec.vectors(ID, {"output": output}, 2)


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        ("text-embedding-v4", 10),
        ("text-embedding-v2", 25),
        ("qwen3.7-text-embedding", 20),
        ("qwen3-vl-embedding", 20),
        ("tongyi-embedding-vision-plus", 1),
        ("multimodal-embedding-v1", 1),
    ],
)
def test_a_request_carries_as_many_texts_as_the_model_takes(model: str, texts: int) -> None:
    assert rec.batches(ID, FORM, model) == (texts, texts)


def test_vectors_are_read_by_their_index() -> None:
    data = [{"object": "embedding", "index": at, "embedding": [float(at), 0.5]} for at in (1, 0)]
    answer = rec.vectors(ID, {"object": "list", "data": data, "usage": {"prompt_tokens": 2, "total_tokens": 2}}, 2)
    assert answer.vectors == ((0.0, 0.5), (1.0, 0.5))
    assert (answer.usage.input, answer.usage.output) == (2, 0)
