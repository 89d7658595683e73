"""LocalAI, over OpenAI's paths. Of its completion types, only chat is spoken."""

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
from infrastructure.providers.forms import abilities, address, at, choice, secret, voices, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_LLM = ModelType.LLM
_CHAT, _EMBED = HostedChat(), HostedEmbed(texts=32)
# Its OpenAPI knows no switch for documents in the answer, and a model's own settings may name its voice.
_RERANK, _TRANSCRIBE, _SPEAK = HostedRerank(returns=None), HostedTranscribe(), HostedSpeak("")
_TYPE = Text("Completion type", "補完の種類", "补全类型")

ADAPTER = Adapter(
    id="localai",
    label=Text("LocalAI"),
    kind=ProviderKind.HOSTED,
    form=(
        address("server_url", Text("Server URL", "サーバー URL", "服务器 URL")),
        secret("api_key", required=False),
        choice("completion_type", _TYPE, "chat_completion", only=_LLM),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), None, _LLM, sets="context"),
        *abilities(),
        voices(None),
    ),
    base_url=at("server_url", end="/v1"),
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
