"""Our requests to any OpenAI-shaped server equal those of the official client (sdk_requests.json: openai for Python
3.54.0, recorded on loopback), and satisfy OpenAI's own OpenAPI (../openai/request_schemas.json).

Left out of the comparison, beside what openai_client leaves out: the client's own wish for base64, which not every
server knows: the form says otherwise.
"""

from dataclasses import replace

import pytest

from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs
from domain.model.catalogue import Feature, FormValues, ModelRef, ModelType
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "openai_api_compatible"
ADAPTER = ADAPTERS[ID]
FORM = {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"}


def chat(call: ChatCall, values: FormValues | None = None, *, stream: bool = False) -> rec.Sent:
    assert ADAPTER.chat
    goal = rec.target(ID, "my-model", {**FORM, **(values or {})})
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.chat.render(goal, call, stream=stream), client.HEADERS)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)
    return ours


def embed(call: EmbedCall, **values: str) -> rec.Sent:
    assert ADAPTER.embed
    goal = rec.target(ID, "my-embed", {**FORM, **values}, ModelType.EMBEDDING)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.embed.render(goal, call), client.HEADERS)
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)
    return ours


def test_an_embedding_request_is_the_clients() -> None:
    floats = client.theirs(ID, "embeddings.create float")
    assert embed(EmbedCall(("a", "b"), dimensions=256), encoding_format="float") == floats
    assert embed(EmbedCall(("a", "b"))) == client.theirs(ID, client.PLAIN, frozenset({"encoding_format"}))


def test_without_a_key_there_is_no_header_at_all() -> None:
    form = rec.target(ID, "x", {"endpoint_url": "http://127.0.0.1:8000/v1"}).form
    assert ADAPTER.sign(form) is None
    assert list(rec.signed(ADAPTER, form)) == []


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/"])
def test_paths_are_joined_with_one_slash(base: str) -> None:
    assert chat(rec.asking("x"), {"endpoint_url": base}).path == "/v1/chat/completions"


def test_the_server_may_know_the_model_by_another_name() -> None:
    assert chat(rec.asking("x"), {"endpoint_model_name": "theirs"}).body["model"] == "theirs"
    assert embed(EmbedCall(("x",)), endpoint_model_name="theirs").body["model"] == "theirs"


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ({}, "max_tokens"),
        ({"endpoint_model_name": "openai/gpt-5-mini"}, "max_completion_tokens"),
        ({"endpoint_model_name": "gpt-5-mini", "token_param_name": "max_tokens"}, "max_tokens"),
        ({"token_param_name": "max_completion_tokens"}, "max_completion_tokens"),
    ],
)
def test_the_output_limit_has_the_name_that_the_form_says(values: dict[str, str], limit: str) -> None:
    body = chat(replace(rec.asking("x"), knobs=Knobs(max_tokens=9, temperature=0.5)), values).body
    assert body[limit] == 9
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1
    assert body["temperature"] == 0.5


def test_a_server_that_knows_no_stream_options_gets_none() -> None:
    assert "stream_options" not in chat(rec.asking("x"), {"stream_include_usage": "disabled"}, stream=True).body


def test_the_form_says_how_texts_are_embedded() -> None:
    assert ADAPTER.embed
    prefixes = {"query_prefix": "query:", "document_prefix": "passage:"}
    assert embed(EmbedCall(("a",)), **prefixes).body["input"] == ["passage: a"]
    assert embed(EmbedCall(("a",), purpose=EmbedPurpose.QUERY), **prefixes).body["input"] == ["query: a"]
    assert ADAPTER.embed.batch(rec.target(ID, "x", FORM, ModelType.EMBEDDING)) == 1
    many = rec.target(ID, "x", {**FORM, "max_chunks": "32"}, ModelType.EMBEDDING)
    assert ADAPTER.embed.batch(many) == 32


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "2048", "max_tokens_to_sample": "64", "function_calling_type": "tool_call"}
    public |= {"vision_support": "no_support", "structured_output_support": "supported"}
    row = ADAPTER.provider().hosted(ModelRef(ID, "mine", ModelType.LLM), public)
    assert (row.context, row.max_output) == (2048, 64)
    assert row.features == {Feature.TOOLS, Feature.STRUCTURED_OUTPUT, Feature.STREAMING}


@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(kind: ModelType, path: str) -> None:
    goal = rec.target(ID, "mine", FORM, kind)
    request = ADAPTER.probe(goal, goal.form)
    assert request.json
    assert (request.path, request.json["model"]) == (path, "mine")
    assert request.json.get("max_tokens") == (5 if kind is ModelType.LLM else None)
