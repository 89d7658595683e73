"""NVIDIA NIM: requests as the documented client sends them (sdk_requests.json) and as OpenAI's OpenAPI wants them;
answers in the shape of OpenAI's reference (inferred: no bytes of a container are published); of the refusals the first
is shortened from ai-dynamo/aiperf#507, the second from free-claude-code#391, the rest inferred from vLLM.
Chats are held in ../test_openai_chats.py.
"""

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
from infrastructure.providers.registry import ADAPTERS
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "nvidia_nim"
FORM = {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"}


EXTRA = "[{'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted'}]"
LONG = "This model's maximum context length is 196608 tokens. However, your messages resulted in 199906 tokens."


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (
            400,
            {"object": "error", "message": EXTRA, "type": "BadRequestError", "code": 400},
            BadRequestUpstream,
        ),  # aiperf
        (400, {"error": {"message": LONG, "type": "Bad Request", "code": 400}}, ContextTooLong),
        (400, {"object": "error", "message": LONG, "type": "BadRequestError", "code": 400}, ContextTooLong),
        (401, {"error": "Unauthorized"}, CredentialRejected),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, ModelNotFoundUpstream),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}, BadRequestUpstream),
        (503, "", UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status) == (meaning, status)
    assert bool(failure.detail) is bool(body)


def test_the_probe_calls_the_very_model() -> None:
    ours = client.probed(ID, FORM)
    assert (ours.method, ours.path, ours.headers["authorization"]) == ("POST", "/v1/chat/completions", "Bearer <key>")
    assert (ours.body["model"], ours.body["max_tokens"]) == ("mine", 5)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1/"])
def test_a_container_without_a_proxy_needs_an_address_only(base: str) -> None:
    ours = client.probed(ID, {"endpoint_url": base})
    assert ours.path == "/v1/chat/completions"
    assert "authorization" not in ours.headers


def test_the_form_describes_the_model() -> None:
    public = {"context_size": "131072", "max_tokens_to_sample": "8192", "function_calling_type": "tool_call"}
    row = ADAPTERS[ID].provider().hosted(ModelRef(ID, "meta/llama-3.1-8b-instruct", ModelType.LLM), public)
    assert (row.context, row.max_output, row.features) == (131072, 8192, frozenset({Feature.TOOLS, Feature.STREAMING}))
