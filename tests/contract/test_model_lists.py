"""The vendors' own lists of models: requests as each client sends them (<id>/sdk_requests.json), answers that these
accepted, recorded ones of llama.cpp and infinity, and the examples of the OpenAPIs of Anthropic, Mistral, Moonshot,
Ollama, OpenRouter and Together, of vLLM (max_model_len) and of Groq (context_window).
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import BadRequestUpstream, CredentialRejected, ModelNotFoundUpstream, UpstreamUnavailable
from domain.model.catalogue import ModelType
from domain.ports import ListedModel
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import JSON, Page
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

HEADERS = ("authorization", "accept", "openai-organization")
NAMES = {
    "ollama": "list",
    "hugging_face": "list router models (GET /v1/models)",
    "nvidia_triton": "get_model_repository_index",
}
UNRECORDED = {
    "openrouter": ("/api/v1/models", "output_modalities=all"),
    "together_ai": ("/v1/models", ""),
    "jina_ai": ("/v1/models", ""),
    "replicate": ("/v1/collections/language-models", ""),
    "text_embedding_inference": ("/info", ""),
    "xinference": ("/v1/models", ""),
    "tongyi": ("/compatible-mode/v1/models", ""),
}
UNLISTED = {
    "amazon_sagemaker",
    "azure_ai_studio",
    "azure_openai",
    "google_cloud",
    "spark",
    "tencent_cloud",
    "volcengine",
    "yi_01ai",
    "zhinao_360",
    "zhipu_ai",
}


def page(provider: str, body: Any) -> Page:
    dialect = ADAPTERS[provider].models
    assert dialect
    return dialect.parse(body)


def sent(provider: str, following: str | None = None) -> rec.Sent:
    dialect = ADAPTERS[provider].models
    assert dialect
    form = rec.target(provider, "x", FORMS[provider]).form
    return rec.sent(ADAPTERS[provider], form, dialect.render(following), HEADERS)


def test_only_vendors_whose_list_is_not_known_or_not_of_what_can_be_called_have_none() -> None:
    assert {name for name, adapter in ADAPTERS.items() if adapter.models is None} == UNLISTED
    assert all(a.provider().lists_models is (a.models is not None) for a in ADAPTERS.values())


@pytest.mark.parametrize("provider", sorted({name for name in FORMS if ADAPTERS[name].models} - UNRECORDED.keys()))
def test_the_list_is_asked_for_as_the_client_does(provider: str) -> None:
    calls = rec.calls(provider)
    name = NAMES.get(provider) or next(name for name in ("models", "models.list") if name in calls)
    theirs = rec.recorded(calls[name], headers=HEADERS)
    theirs = replace(theirs, headers={k: v.replace("*/*", JSON) for k, v in theirs.headers.items()})
    assert replace(rec.like(sent(provider), theirs), query="") == replace(theirs, query="")


@pytest.mark.parametrize("provider", UNRECORDED)
def test_a_list_that_no_client_was_recorded_with_is_where_the_openapi_has_it(provider: str) -> None:
    ours = sent(provider)
    assert (ours.method, ours.path, ours.query) == ("GET", *UNRECORDED[provider])


LLM, EMBEDDING, RERANK = ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK
STT, TTS = ModelType.SPEECH_TO_TEXT, ModelType.TEXT_TO_SPEECH
LLAMA = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_chat.json")["models"]["json"]
INFINITY = rec.exchanges("openai_api_compatible", "recorded_real_infinity.json")["models"]["json"]


def replayed(provider: str) -> Any:
    return rec.calls(provider)["models"]["reply_replayed"]["body"]


def one(**row: Any) -> Any:
    return {"object": "list", "data": [{"id": "m", "object": "model", **row}]}


def made(*modalities: str) -> Any:
    return one(architecture={"input_modalities": ["text"], "output_modalities": list(modalities)}, context_length=8192)


ANSWERS: list[tuple[str, Any, ListedModel]] = [
    ("openai", replayed("openai"), ListedModel("gpt-5.4-mini")),
    ("anthropic", replayed("anthropic"), ListedModel("claude-sonnet-4-6", LLM)),
    ("groqcloud", replayed("groqcloud"), ListedModel("openai/gpt-oss-20b", None, 131_072)),
    ("mistral_ai", replayed("mistral_ai"), ListedModel("mistral-small-latest", LLM)),
    ("mistral_ai", one(capabilities={"audio_transcription": True}, max_context_length=9), ListedModel("m", STT, 9)),
    ("deepseek", replayed("deepseek"), ListedModel("deepseek-flash")),
    ("moonshot_ai", one(context_length=262_144, supports_image_in=True), ListedModel("m", None, 262_144)),
    ("nvidia_nim", one(max_model_len=4096), ListedModel("m", None, 4096)),
    ("baichuan", one(max_input_length=10_240, max_tokens=32_768), ListedModel("m", None, 10_240)),
    ("openai_api_compatible", LLAMA, ListedModel("tiny", None, 2048)),
    ("openai_api_compatible", INFINITY, ListedModel("minilm", EMBEDDING)),
    ("openrouter", made("text"), ListedModel("m", LLM, 8192)),
    ("openrouter", made("text", "image"), ListedModel("m", LLM, 8192)),
    ("openrouter", made("embeddings"), ListedModel("m", EMBEDDING, 8192)),
    ("openrouter", made("rerank"), ListedModel("m", RERANK, 8192)),
    ("openrouter", made("transcription"), ListedModel("m", STT, 8192)),
    ("openrouter", made("speech"), ListedModel("m", TTS, 8192)),
    ("openrouter", made("image"), ListedModel("m", None, 8192)),
    ("together_ai", [{"id": "t", "type": "rerank", "context_length": 0}], ListedModel("t", RERANK)),
    ("together_ai", [{"id": "t", "type": "moderation", "context_length": None}], ListedModel("t")),
    ("ollama", {"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "size": 1}]}, ListedModel("qwen3:8b")),
    ("ollama", {"models": [{"name": "e", "capabilities": ["embedding"]}]}, ListedModel("e", EMBEDDING)),
]


@pytest.mark.parametrize(("provider", "body", "model"), ANSWERS, ids=range(len(ANSWERS)))
def test_a_list_is_read_for_what_it_tells(provider: str, body: Any, model: ListedModel) -> None:
    assert page(provider, body) == Page((model,))


def test_rows_without_a_name_are_passed_over() -> None:
    body = {"data": [None, {}, {"id": ""}, {"id": 5}, {"id": " m "}]}
    assert page("openai", body).models == (ListedModel("m"),)


@pytest.mark.parametrize("body", [None, "x", {}, {"data": None}, {"models": []}], ids=str)
def test_an_answer_that_is_no_list_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(BadRequestUpstream):
        page("openai", body)


def test_anthropics_list_goes_on_after_the_last_id() -> None:
    first = {"data": [{"id": "a", "max_input_tokens": 200_000}], "has_more": True, "last_id": "a"}
    assert page("anthropic", first) == Page((ListedModel("a", LLM, 200_000),), "a")
    assert sent("anthropic").query == "limit=1000"
    assert sent("anthropic", "a").query == "limit=1000&after_id=a"
    assert page("anthropic", {**first, "has_more": False}).following is None


def openai_error(message: str) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


SCOPES = openai_error(
    "You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have the "
    "correct role in your organization, and if you're using a restricted API key, that it has the necessary scopes."
)
DENIED = {"code": 403, "reason": "model_access_denied", "message": "Access denied."}
NOT_OPEN = {
    "error": {
        "code": "ModelNotOpen",
        "message": "Your account 2100000000 has not activated the model doubao-seed-2-0-lite-260428. Please activate "
        "the model service in the Ark Console.",
        "type": "Not Found",
    }
}
NO_FUNCTION = {"status": 404, "title": "Not Found", "detail": "Function 'x': Not found for account 'y'"}


@pytest.mark.parametrize(
    ("provider", "status", "body", "proof"),
    [
        ("openai", 403, SCOPES, True),
        ("openai", 401, SCOPES, True),  # microsoft/PowerToys#32989
        ("openai", 403, {"error": {"code": "model_not_found", "message": "Project x has no access to model y"}}, True),
        ("openai", 404, {"error": {"code": "model_not_found", "message": "The model y does not exist"}}, False),
        ("openai", 401, openai_error("Incorrect API key provided"), False),
        ("openai", 403, openai_error("Country, region, or territory not supported"), False),
        ("openai", 429, openai_error("You exceeded your current quota"), False),
        ("openai", 500, openai_error("Missing scopes"), False),
        ("novita_ai", 403, DENIED, True),
        ("novita_ai", 403, {"code": 403, "reason": "INVALID_API_KEY", "message": "Invalid key."}, False),
        ("nvidia_api_catalog", 404, NO_FUNCTION, True),
        ("nvidia_api_catalog", 404, {"detail": "Function 'x' is gone"}, False),
        ("nvidia_api_catalog", 403, {"status": 403, "title": "Forbidden", "detail": "Authorization failed"}, False),
        ("anthropic", 401, {"error": {"type": "authentication_error", "message": "invalid x-api-key"}}, False),
        ("deepseek", 403, openai_error("Forbidden"), False),
        ("volcengine", 404, NOT_OPEN, True),
        ("volcengine", 404, {"error": {"code": "InvalidEndpointOrModel.NotFound", "message": "No such model."}}, False),
    ],
)
def test_a_refusal_that_only_a_good_key_gets_proves_it(provider: str, status: int, body: Any, proof: bool) -> None:
    failure = rec.refused(provider, status, body)
    assert ADAPTERS[provider].proves(failure) is proof
    assert isinstance(failure, CredentialRejected | ModelNotFoundUpstream | UpstreamUnavailable) or not proof
