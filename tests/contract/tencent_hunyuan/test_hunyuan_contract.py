"""Tencent Hunyuan through TokenHub, whose guide (cloud.tencent.com/document/product/1823/132252) names OpenAI's client:
our requests are what that client sends there (sdk_requests.json; chats in ../test_openai_chats.py) and satisfy OpenAI's
OpenAPI; answers have OpenAI's shape, refusals the statuses and words that the guide names.
"""

from typing import Any

import pytest

from domain import errors
from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, ToolCall
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import Finish
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec

ID = "tencent_hunyuan"
FORM = {"api_key": "sk-fake"}
KEYED = {"api_key": "<key>"}
HEADERS = ("authorization",)


@pytest.mark.parametrize("call", client.CHATS.values(), ids=client.CHATS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_request_has_openais_shape(call: ChatCall, stream: bool) -> None:
    ours = rec.asked(ID, FORM, "hy3", call, stream=stream, headers=HEADERS)
    assert (ours.method, ours.path, ours.headers) == (
        "POST",
        "/v1/chat/completions",
        {"authorization": "Bearer sk-fake"},
    )
    assert ours.body["model"] == "hy3"
    assert ours.body.get("stream_options") == ({"include_usage": True} if stream else None)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("embeddings.create float", EmbedCall(("a", "b"), dimensions=256)),
        ("embeddings.create float, plain", EmbedCall(("a", "b"))),
    ],
)
def test_an_embedding_request_is_the_clients(name: str, call: EmbedCall) -> None:
    ours = client.embed(ID, name, KEYED, call)
    assert ours == client.theirs(ID, name)
    rec.valid("openai", "CreateEmbeddingRequest", ours.body)


def test_vectors_are_read() -> None:
    answer = rec.vectors(ID, {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 1}}, 1)
    assert (answer.vectors, answer.usage.input) == (((0.5,),), 1)


def test_the_probe_is_the_clients_list_of_models() -> None:
    theirs = rec.recorded(rec.calls(ID)["models.list"], headers=client.HEADERS)
    assert rec.probed(ID, KEYED, client.HEADERS) == theirs


@pytest.mark.parametrize(
    ("entered", "url"),
    [
        ("", "https://tokenhub.tencentmaas.com/v1"),
        ("https://tokenhub-intl.tencentcloudmaas.com", "https://tokenhub-intl.tencentcloudmaas.com/v1"),
    ],
)
def test_the_form_says_which_site(entered: str, url: str) -> None:
    assert ADAPTERS[ID].base_url(rec.target(ID, "x", {**FORM, "base_url": entered}).form) == url


def test_a_stream_folds_to_the_whole_answer() -> None:
    answer = client.told(ID, {**client.CALLING, "reasoning_content": "Hm.", "content": "See:"}, "tool_calls")
    assert (answer.text, answer.reasoning, answer.finish.unified) == ("See:", "Hm.", Finish.TOOL_CALLS)
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Tokyo"}'),)
    assert (answer.usage.input, answer.usage.output) == (9, 20)


def refusal(message: str) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "code": None}}


@pytest.mark.parametrize(
    ("status", "message", "meaning"),
    [
        (401, "Incorrect API key provided", errors.CredentialRejected),
        (402, "The model is not activated or the balance does not suffice", errors.UpstreamPaymentRequired),
        (404, "The model or service ID x does not exist", errors.ModelNotFoundUpstream),
        (400, "This model's maximum context length is 262144 tokens", errors.ContextTooLong),
        (400, "temperature is out of range", errors.BadRequestUpstream),
        (429, "Too many requests", errors.UpstreamRateLimited),
        (503, "Busy", errors.UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_status_and_words(status: int, message: str, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, refusal(message), {"retry-after": "3"})
    assert (type(failure), failure.status, failure.detail) == (meaning, status, message)
    assert failure.retry_after == (3.0 if meaning.retryable else None)


def test_a_failure_inside_a_stream_is_no_answer() -> None:
    with pytest.raises(errors.UpstreamRateLimited):
        rec.streamed(ID, rec.events({"error": {"message": "Too fast.", "code": "rate_limit_exceeded"}}))


def test_models_of_the_closed_platform_lead_to_those_of_today() -> None:
    offered = catalogue()
    for gone, heir in (("hunyuan-pro", "hy3"), ("hunyuan-lite", "hy3"), ("hunyuan-vision", "glm-5.3-flash")):
        ref = ModelRef(ID, gone, ModelType.LLM)
        assert [each.name for each in offered.successors(ref)] == [gone, heir]
        row = offered.model(ref)
        assert row
        assert row.deprecated
