"""GPUStack: requests as the documented client sends them (sdk_requests.json) and as OpenAI's OpenAPI wants them;
answers of a llama.cpp backend, which it passes on unchanged (../openai_api_compatible/recorded_real_llamacpp_*.json);
its own refusals in the shapes of gpustack/gpustack at 25cb879, gpustack/api/exceptions.py.
"""

import json
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamUnavailable,
)
from domain.model.catalogue import Feature, ModelRef, ModelType
from domain.model.events import Finish
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "gpustack"
FORM = {"endpoint_url": "http://127.0.0.1:8000", "api_key": "<key>"}
CHAT = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_chat.json")
EMBED = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_embeddings.json")


@pytest.mark.parametrize("name", client.EMBEDS)
def test_an_embedding_request_is_the_clients_but_for_its_encoding(name: str) -> None:
    ours = client.embed(ID, name, FORM)
    assert ours == client.theirs(ID, name, frozenset({"encoding_format"}))
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_a_tool_call_is_the_same_whole_and_streamed() -> None:
    dialect = ADAPTERS[ID].chat
    assert dialect
    whole = dialect.parse(CHAT["chat_tool"]["json"])
    answer = rec.split_in_all_ways(ID, CHAT["chat_tool_stream"]["text"])
    assert [(c.name, c.arguments) for c in answer.tool_calls] == [("get_weather", '{"city": "Tokyo"}')]
    assert rec.without_ids(answer).tool_calls == rec.without_ids(whole).tool_calls
    assert (answer.finish, answer.finish.unified) == (whole.finish, Finish.TOOL_CALLS)
    assert (answer.usage.input, answer.usage.output) == (whole.usage.input, whole.usage.output)


def test_vectors_are_read() -> None:
    dialect = ADAPTERS[ID].embed
    assert dialect
    answer = dialect.parse(EMBED["embed_two"]["json"], 2)
    assert [len(vector) for vector in answer.vectors] == [64, 64]
    assert (answer.usage.input, answer.usage.output) == (5, 0)


def inference(code: int, kind: str, message: str) -> Any:
    return {"error": {"message": message, "code": code, "type": kind}}


def other(code: int, reason: str, message: str) -> Any:
    return {"code": code, "reason": reason, "message": message}


BUSY = inference(503, "ServiceUnavailable", "No running instances available")


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, other(401, "Unauthorized", "Invalid authentication credentials"), CredentialRejected),
        (403, other(403, "Forbidden", "Forbidden"), CredentialRejected),
        (400, inference(400, "BadRequest", "Missing 'model' field"), BadRequestUpstream),
        (404, inference(404, "NotFound", "Model not found"), ModelNotFoundUpstream),
        (422, other(422, "Invalid", "1 validation errors"), BadRequestUpstream),
        (503, BUSY, UpstreamUnavailable),
        (504, inference(504, "GatewayTimeout", "Gateway timeout"), UpstreamUnavailable),
        (400, CHAT["error_context"]["json"], ContextTooLong),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert failure.detail == body.get("message", body.get("error", {}).get("message"))


def test_a_refusal_inside_a_stream_has_the_status_that_it_names() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        rec.streamed(ID, f"data: {json.dumps(BUSY)}\n\n")
    assert caught.value.status == 503


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1-openai", "/v1-openai/"])
@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_model(end: str, kind: ModelType, path: str) -> None:
    ours = client.probed(ID, {**FORM, "endpoint_url": f"http://127.0.0.1:8000{end}"}, kind)
    assert (ours.method, ours.path, ours.body["model"]) == ("POST", f"/v1/{path}", "mine")
    assert ours.headers["authorization"] == "Bearer <key>"


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "32768", "function_calling_type": "tool_call", "vision_support": "support"}
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "qwen3", ModelType.LLM), public)
    assert (row.context, row.features) == (32768, frozenset({Feature.TOOLS, Feature.VISION, Feature.STREAMING}))
    assert client.probed(ID, {**FORM, "endpoint_model_name": "owner/qwen3"}).body["model"] == "owner/qwen3"
