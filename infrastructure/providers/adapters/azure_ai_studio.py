"""Azure AI Studio, today Microsoft Foundry: models of many makers, each at the endpoint that its tenant was given."""

import httpx2

from domain.errors import UpstreamError, UpstreamUnavailable
from domain.model.catalogue import Feature, FormValues, ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.azure import REFUSALS, used_up
from infrastructure.providers.dialects.foundry import (
    VERSION,
    FoundryChat,
    FoundryEmbed,
    FoundryRerank,
    Surface,
    root,
    surface,
)
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.forms import address, choice, context, mode, secret, switch
from infrastructure.providers.signing.header import bearer, key_header
from infrastructure.providers.spec import Adapter, ErrorReply

_LLM, _EMBEDDING, _RERANKING = ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK
_TOKEN = bearer("jwt_token", also={"api-key": "jwt_token"})
_KEYS = {
    Surface.V1: key_header("api-key", "api_key"),
    Surface.MESSAGES: key_header(
        "x-api-key", "api_key", also={"api-key": "api_key"}, fixed={"anthropic-version": "2023-06-01"}
    ),
    # Hosts of a single model want the one, shared ones the other; the vendor's own client sends both.
    Surface.MODELS: bearer("api_key", also={"api-key": "api_key"}),
    Surface.OWN: bearer("api_key", also={"api-key": "api_key"}),
}


def sign(form: FormValues) -> httpx2.Auth | None:
    return _TOKEN(form) if "jwt_token" in form else _KEYS[surface(form)](form)


def error(provider: str, reply: ErrorReply) -> UpstreamError:
    """A 424 tells that the model behind the endpoint failed."""
    failure = REFUSALS(provider, reply)
    return UpstreamUnavailable(provider, 424, failure.detail) if reply.status == 424 else failure


ADAPTER = Adapter(
    id="azure_ai_studio",
    kind=ProviderKind.HOSTED,
    form=(
        address("endpoint", Text("Endpoint", "エンドポイント", "端点")),
        secret("api_key", only=(_LLM, _EMBEDDING)),
        secret("jwt_token", Text("JWT token", "JWT トークン", "JWT 令牌"), only=_RERANKING),
        choice(
            "api_version",
            Text("API version", "API バージョン", "API 版本"),
            VERSION,
            "2025-05-01",
            "2025-05-15-preview",
            only=(_LLM, _EMBEDDING),
        ),
        mode(),
        context(),
        switch("vision_support", Text("Vision", "画像入力", "图像输入"), Feature.VISION, "false", "true"),
        switch(
            "function_call_support", Text("Function calls", "関数呼び出し", "函数调用"), Feature.TOOLS, "false", "true"
        ),
        switch("reasoning_support", Text("Reasoning", "推論", "推理"), Feature.REASONING, "false", "true"),
        switch(
            "structured_output_support",
            Text("Structured output", "構造化出力", "结构化输出"),
            Feature.STRUCTURED_OUTPUT,
            "false",
            "true",
        ),
    ),
    base_url=root,
    sign=sign,
    **called(FoundryChat(), FoundryEmbed(), FoundryRerank()),
    error=error,
    proves=used_up,
)
