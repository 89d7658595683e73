"""Any server that speaks OpenAI's paths; the form says what it can do. Of its modes, only chat is spoken."""

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

_LLM, _EMBEDDING = ModelType.LLM, ModelType.EMBEDDING
_CHAT, _EMBED = HostedChat(), HostedEmbed()
_RERANK, _TRANSCRIBE, _SPEAK = HostedRerank(), HostedTranscribe(), HostedSpeak()
_TOKENS = Text("Token limit's name", "トークン上限の名前", "令牌上限参数名")
_USAGE = Text("Usage in streams", "ストリームの使用量", "流式用量")
_CHUNKS = Text("Texts per request", "一回のテキスト数", "每次请求文本数")
_ENCODING = Text("Vector encoding", "ベクトルの符号化", "向量编码")

ADAPTER = Adapter(
    id="openai_api_compatible",
    label=Text("OpenAI API-Compatible", "OpenAI API 互換", "OpenAI API 兼容"),
    kind=ProviderKind.HOSTED,
    form=(
        address("endpoint_url", Text("API endpoint URL", "API エンドポイント URL", "API 端点 URL")),
        secret("api_key", required=False),
        text("endpoint_model_name", Text("Model name there", "先方でのモデル名", "端点的模型名称")),
        choice("mode", Text("Mode", "モード", "模式"), "chat", only=_LLM),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), 4096, READING, sets="context"),
        whole(
            "max_tokens_to_sample", Text("Max tokens", "最大トークン数", "最大令牌数"), 4096, _LLM, sets="max_output"
        ),
        choice("token_param_name", _TOKENS, "auto", "max_tokens", "max_completion_tokens", only=_LLM),
        *abilities(),
        choice("stream_include_usage", _USAGE, "enabled", "disabled", only=_LLM),
        whole("max_chunks", _CHUNKS, 1, _EMBEDDING),
        choice("encoding_format", _ENCODING, "not_set", "float", only=_EMBEDDING),
        text("document_prefix", Text("Prefix of documents", "文書の接頭辞", "文档前缀"), only=_EMBEDDING),
        text("query_prefix", Text("Prefix of queries", "検索文の接頭辞", "查询前缀"), only=_EMBEDDING),
        voices("alloy"),
    ),
    base_url=at("endpoint_url"),
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
