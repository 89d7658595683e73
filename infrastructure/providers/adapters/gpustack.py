"""GPUStack, over OpenAI's paths. Of its modes, only chat is spoken."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_hosted import (
    HostedChat,
    HostedEmbed,
    HostedRerank,
    HostedSpeak,
    HostedTranscribe,
)
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import READING, abilities, address, at, choice, secret, text, voices, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_LLM = ModelType.LLM
_CHAT, _EMBED = HostedChat(), HostedEmbed(texts=32)
_RERANK, _TRANSCRIBE, _SPEAK = HostedRerank(), HostedTranscribe(), HostedSpeak("")
_TOKENS = Text("Token limit's name", "トークン上限の名前", "令牌上限参数名")

ADAPTER = Adapter(
    id="gpustack",
    label=Text("GPUStack"),
    kind=ProviderKind.HOSTED,
    form=(
        address("endpoint_url", Text("Server URL", "サーバー URL", "服务器 URL")),
        secret("api_key"),
        text("endpoint_model_name", Text("Model name there", "先方でのモデル名", "端点的模型名称")),
        choice("mode", Text("Mode", "モード", "模式"), "chat", only=_LLM),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), 8192, READING, sets="context"),
        whole(
            "max_tokens_to_sample", Text("Max tokens", "最大トークン数", "最大令牌数"), 8192, _LLM, sets="max_output"
        ),
        choice("token_param_name", _TOKENS, "auto", "max_tokens", "max_completion_tokens", only=_LLM),
        *abilities(),
        voices("Chinese Female"),
    ),
    # Servers before 1.0 were entered with /v1-openai, which later ones keep for a part of their paths.
    base_url=at("endpoint_url", drop=("/v1-openai", "/v1"), end="/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT, _EMBED, _RERANK, _TRANSCRIBE, _SPEAK),
    error=USUAL,
    chat=_CHAT,
    embed=_EMBED,
    rerank=_RERANK,
    transcribe=_TRANSCRIBE,
    speak=_SPEAK,
    models=Models(),
)
