"""Azure OpenAI: requests as OpenAI's client for Python (3.54.0, AzureOpenAI; OpenAI for v1) sends them
(sdk_requests.json) and as Microsoft's copies of the specifications want them (Azure-Samples/AI-Gateway at 561d7199);
answers that the client accepted, and a stream that was recorded in vercel/ai at ed857f50 (recorded_answers.json); more
of the content filter's chunks and the refusals as the vendor's guides write them.

Left out of the comparison: `tool_choice: "auto"`, which is the default and not sent; on v1 the client's bearer, in
whose place the specification also takes `api-key`.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    BadRequestUpstream,
    ContentRefused,
    ContextTooLong,
    CredentialRejected,
    InvalidForm,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema, ToolCall
from domain.model.catalogue import Feature, FormValues, Model, ModelRef, ModelType
from domain.model.events import Finish
from domain.model.speech import SpeakCall
from infrastructure.providers.adapters import azure_openai
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

ID = "azure_openai"
ADAPTER = ADAPTERS[ID]
FORM = FORMS[ID]
V1: FormValues = {**FORM, "openai_api_version": "v1"}
HEADERS = ("api-key", "content-type", "accept")
DEPLOYMENT = "my-gpt-deployment"
TOOL = rec.weather("Current weather of a city")
CHAT = rec.asking("Hello", system="Be brief.")
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CASES: list[tuple[str, ChatCall, bool, set[str]]] = [
    ("chat_stream_tool", replace(rec.asking("Weather in Paris?"), tools=(TOOL,)), True, {"tool_choice"}),
    ("chat_tool_result", rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, "call_1"), False, set()),
    ("chat_vision", rec.asking("What is this?", rec.pixel()), False, set()),
    ("chat_json_schema", replace(CHAT, response_schema=ResponseSchema("r", CLOSED)), False, set()),
    ("error_401", CHAT, False, set()),
]


def asked(call: ChatCall, form: FormValues = FORM, *, stream: bool = False) -> rec.Sent:
    return rec.asked(ID, form, DEPLOYMENT, call, stream=stream, headers=HEADERS)


def theirs(name: str, without: set[str] | None = None) -> rec.Sent:
    return rec.recorded(rec.calls(ID)[name], without=without or (), headers=HEADERS)


@pytest.mark.parametrize(("name", "call", "stream", "without"), CASES, ids=[case[0] for case in CASES])
def test_a_chat_request_is_the_sdks(name: str, call: ChatCall, stream: bool, without: set[str]) -> None:
    ours = asked(call, stream=stream)
    assert ours == theirs(name, without)
    rec.valid(ID, "createChatCompletionRequest", ours.body)


def test_knobs_go_by_the_base_model_and_not_by_the_deployments_name() -> None:
    call = replace(CHAT, knobs=Knobs(temperature=0.2, max_tokens=64))
    ours = asked(call, {**FORM, "base_model_name": "gpt-5.4-mini"})
    assert ours == theirs("chat", {"temperature"})
    rec.valid(ID, "createChatCompletionRequest", ours.body)
    plain = asked(call, {**FORM, "base_model_name": "gpt-35-turbo"}).body
    assert (plain["max_tokens"], plain["temperature"]) == (64, 0.2)
    silent = asked(replace(call, tools=(TOOL,)), {**FORM, "base_model_name": "gpt-6-luna"}).body
    assert (silent["reasoning_effort"], silent["temperature"]) == ("none", 0.2)


def test_on_v1_the_deployment_is_named_in_the_body_alone() -> None:
    ours = asked(CHAT, V1)
    assert replace(ours, headers={}) == replace(theirs("v1_chat"), headers={})
    assert ours.headers["api-key"] == "dummy"
    for _, call, stream, _ in CASES:
        rec.valid("azure_ai_studio", "AzureCreateChatCompletionRequest", asked(call, V1, stream=stream).body)


@pytest.mark.parametrize(
    ("name", "call", "without"),
    [
        ("embedding", EmbedCall(("hello",)), set()),
        ("embedding_float", EmbedCall(("hello",), dimensions=3), {"encoding_format"}),
    ],
)
def test_an_embedding_request_is_the_sdks(name: str, call: EmbedCall, without: set[str]) -> None:
    ours = rec.embedded(ID, FORM, "my-embedding", call, HEADERS)
    assert replace(ours, body={k: v for k, v in ours.body.items() if k not in without}) == theirs(name, without)
    rec.valid(ID, "createEmbeddingRequest", ours.body)
    on_v1 = rec.embedded(ID, V1, "my-embedding", call)
    assert (on_v1.path, on_v1.query) == ("/openai/v1/embeddings", "")
    rec.valid("azure_ai_studio", "AzureCreateEmbeddingRequest", on_v1.body)


@pytest.mark.parametrize(("form", "query"), [(FORM, "api-version=2024-10-21"), (V1, "api-version=2025-04-01-preview")])
def test_audio_stays_on_a_dated_version(form: FormValues, query: str) -> None:
    assert ADAPTER.speak
    goal = rec.target(ID, "my tts/1", form, ModelType.TEXT_TO_SPEECH)
    ours = rec.sent(ADAPTER, goal.form, ADAPTER.speak.render(goal, SpeakCall("Hi")))
    assert (ours.path, ours.query) == ("/openai/deployments/my%20tts%2F1/audio/speech", query)
    assert ADAPTER.speak.render(goal, SpeakCall("Hi")).path == "deployments/my%20tts%2F1/audio/speech"


@pytest.mark.parametrize("host", ["https://r.openai.azure.com", "https://openai.r.example/x"])
@pytest.mark.parametrize(
    "end", ["", "/", "/openai", "/openai/", "/openai/deployments/d/chat/completions?api-version=2024-10-21"]
)
def test_any_address_in_the_resource_will_do(host: str, end: str) -> None:
    form = rec.target(ID, "d", {**FORM, "openai_api_base": host + end}).form
    assert ADAPTER.base_url(form) == f"{host}/openai"
    assert asked(CHAT, form).query == "api-version=2024-10-21"


@pytest.mark.parametrize("end", ["/openai/v1", "/openai/v1/", "/openai/v1/chat/completions"])
def test_an_address_in_v1_has_the_last_word(end: str) -> None:
    ours = asked(CHAT, {**FORM, "openai_api_base": f"https://r.services.ai.azure.com{end}"})
    assert (ours.path, ours.query) == ("/openai/v1/chat/completions", "")


def test_a_whole_answer_is_read() -> None:
    answer = rec.answered(ID, rec.calls(ID)["chat"]["reply_replayed"]["body"])
    assert (answer.text, answer.finish.unified) == ("Hi.", Finish.STOP)
    assert (answer.usage.input, answer.usage.output) == (12, 3)


FILTER = {"hate": {"filtered": False, "severity": "safe"}}
PROMPT = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTER}]}
ASYNCHRONOUS = {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": FILTER}]}


def test_a_streamed_tool_call_is_read_between_the_filters_chunks() -> None:
    stream = rec.calls(ID)["chat_stream_tool"]["reply_replayed"]["text"]
    between = f"data: {json.dumps(PROMPT)}\n\ndata: {json.dumps(ASYNCHRONOUS)}\n\n{stream}"
    answer = rec.split_in_all_ways(ID, between)
    assert answer == rec.split_in_all_ways(ID, stream)
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Paris"}'),)
    assert answer.finish.unified is Finish.TOOL_CALLS


def test_a_recorded_stream_counts_the_thoughts_that_it_keeps() -> None:
    answer = rec.split_in_all_ways(ID, rec.events(*rec.load(ID, "recorded_answers.json")["reasoning_stream"]))
    assert (answer.text, answer.reasoning, answer.finish.unified) == ("Capital of Denmark.", "", Finish.STOP)
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (15, 78, 64)


def test_an_answer_that_was_cut_by_the_filter_says_so() -> None:
    answer = client.told(ID, {"content": "Once"}, "content_filter")
    assert (answer.text, answer.finish.unified) == ("Once", Finish.CONTENT_FILTER)


def test_vectors_are_read_as_numbers_or_packed() -> None:
    def reply(vector: Any) -> Any:
        return {"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 1, "total_tokens": 1}}

    assert rec.vectors(ID, reply([0.5, 0.25]), 1) == rec.vectors(ID, reply("AAAAPwAAgD4="), 1)


def error(code: str, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, "param": None, "type": None, **more}}


DENIED = error("401", "Access denied due to invalid subscription key or wrong API endpoint.")
POLICY = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTER}
BUSY = error("429", "Requests have exceeded the call rate limit of your current pricing tier.")


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, rec.calls(ID)["error_401"]["reply_replayed"]["body"], CredentialRejected),
        (401, DENIED, CredentialRejected),
        (401, error("PermissionDenied", "The principal lacks the required data action."), CredentialRejected),
        (403, error("AccessDenied", "Access denied due to Virtual Network/Firewall rules."), CredentialRejected),
        (404, error("DeploymentNotFound", "The API deployment does not exist."), ModelNotFoundUpstream),
        (404, error("404", "Resource not found"), BadRequestUpstream),
        (400, error("content_filter", "The response was filtered.", innererror=POLICY), ContentRefused),
        (400, error("context_length_exceeded", "This model's maximum context length is 9."), ContextTooLong),
        (400, error("OperationNotSupported", "The operation does not work with it."), BadRequestUpstream),
        (429, rec.calls(ID)["error_429"]["reply_replayed"]["body"], UpstreamPaymentRequired),
        (429, BUSY, UpstreamRateLimited),
        (408, error("Timeout", "The operation was timeout."), UpstreamUnavailable),
        (503, error("InternalServerError", "Backend is busy."), UpstreamUnavailable),
    ],
)
def test_a_refusal_is_read_by_its_meaning(status: int, body: Any, meaning: type[UpstreamError]) -> None:
    failure = rec.refused(ID, status, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, body["error"]["message"])


def test_a_wait_is_told_to_the_millisecond() -> None:
    headers = {"retry-after": "2", "retry-after-ms": "1500", "x-ratelimit-remaining-tokens": "0"}
    assert rec.refused(ID, 429, BUSY, headers).retry_after == 1.5


def test_a_refusal_inside_a_stream_has_the_status_that_it_names() -> None:
    with pytest.raises(UpstreamRateLimited) as caught:
        rec.streamed(ID, f"data: {json.dumps(BUSY)}\n\n")
    assert caught.value.status == 429


@pytest.mark.parametrize(("kind", "path"), [(ModelType.LLM, "chat/completions"), (ModelType.EMBEDDING, "embeddings")])
def test_the_probe_calls_the_very_deployment(kind: ModelType, path: str) -> None:
    ours = client.probed(ID, FORM, kind)
    assert (ours.method, ours.path) == ("POST", f"/openai/deployments/mine/{path}")


def test_a_model_that_thinks_too_long_for_the_probe_proves_the_key() -> None:
    said = "Could not finish the message because max_tokens or model output limit was reached."
    assert ADAPTER.proves(rec.refused(ID, 400, error("invalid_request_error", said)))
    assert not ADAPTER.proves(rec.refused(ID, 400, error("OperationNotSupported", "no")))


def features(**form: str) -> frozenset[Feature]:
    return ADAPTER.provider().hosted(ModelRef(ID, "d", ModelType.LLM), form).features


UNCALLED = {"gpt-6-astra", "gpt-6.1-sol"}
"""They call tools only at /responses, since they cannot switch reasoning off."""
LINES = [row for row in catalogue().current("openai", ModelType.LLM) if row.ref.name != "chat-latest"]


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.ref.name)
def test_a_base_model_can_do_what_it_can_at_openai(row: Model) -> None:
    uncalled = {Feature.TOOLS} if row.ref.name in UNCALLED else set()
    assert features(base_model_name=row.ref.name) == row.features - uncalled


@pytest.mark.parametrize(
    ("base", "can"),
    [
        ("gpt-35-turbo", {Feature.TOOLS}),
        ("o1", {Feature.TOOLS, Feature.VISION, Feature.STRUCTURED_OUTPUT, Feature.REASONING}),
        ("o3-mini", {Feature.TOOLS, Feature.STRUCTURED_OUTPUT, Feature.REASONING}),
        ("o1-mini", {Feature.REASONING}),
        ("DeepSeek-V4-Pro", set()),
    ],
)
def test_names_of_azures_own_are_known_too(base: str, can: set[Feature]) -> None:
    assert features(base_model_name=base) == {*can, Feature.STREAMING}


def test_the_form_may_say_what_another_makers_model_can_do() -> None:
    told = features(base_model_name="grok-4.6", function_calling_type="tool_call", vision_support="support")
    assert told == {Feature.TOOLS, Feature.VISION, Feature.STREAMING}


PRINCIPAL = {
    "openai_api_base": "https://r.openai.azure.com",
    "auth_method": "entra_id_service_principal",
    "azure_client_id": "client",
    "azure_tenant_id": "tenant",
    "azure_client_secret": "dummy",
}


def test_a_principal_needs_all_its_parts_and_no_key() -> None:
    assert rec.target(ID, "d", PRINCIPAL).form
    for part in ("azure_client_id", "azure_tenant_id", "azure_client_secret"):
        with pytest.raises(InvalidForm):
            rec.target(ID, "d", {**PRINCIPAL, part: ""})
    with pytest.raises(InvalidForm):
        rec.target(ID, "d", {**PRINCIPAL, "openai_api_key": "dummy"})


@pytest.mark.parametrize(
    ("host", "sign_in", "scope"),
    [
        ("r.openai.azure.com", "login.microsoftonline.com", "https://cognitiveservices.azure.com/.default"),
        ("r.openai.azure.us", "login.microsoftonline.us", "https://cognitiveservices.azure.us/.default"),
        ("r.openai.azure.cn", "login.chinacloudapi.cn", "https://cognitiveservices.azure.cn/.default"),
        ("azure.us.example", "login.microsoftonline.com", "https://cognitiveservices.azure.com/.default"),
    ],
)
def test_a_principal_signs_in_to_its_own_cloud_and_nowhere_else(host: str, sign_in: str, scope: str) -> None:
    form = {**PRINCIPAL, "openai_api_base": f"https://{host}/openai/v1", "azure_tenant_id": "a/../b"}
    grant = azure_openai.grant(rec.target(ID, "d", form).form)
    assert (grant.url, grant.scope) == (f"https://{sign_in}/a%2F..%2Fb/oauth2/v2.0/token", scope)
    assert (grant.client_id, grant.secret.reveal()) == ("client", "dummy")
