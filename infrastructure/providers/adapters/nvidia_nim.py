"""NVIDIA NIM, containers that serve one model each over OpenAI's paths. Of its modes, only chat is spoken."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_hosted import HostedChat
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, address, at, choice, secret, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_LLM = ModelType.LLM
_CHAT = HostedChat()

ADAPTER = Adapter(
    id="nvidia_nim",
    label=Text("NVIDIA NIM"),
    kind=ProviderKind.HOSTED,
    form=(
        address("endpoint_url", Text("API endpoint URL", "API エンドポイント URL", "API 端点 URL")),
        # A container asks for no key, but the proxies before it do.
        secret("api_key", required=False),
        choice("mode", Text("Mode", "モード", "模式"), "chat", only=_LLM),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), 4096, sets="context"),
        whole(
            "max_tokens_to_sample", Text("Max tokens", "最大トークン数", "最大令牌数"), 4096, _LLM, sets="max_output"
        ),
        *abilities(),
    ),
    base_url=at("endpoint_url", end="/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT, None),
    error=USUAL,
    chat=_CHAT,
    models=Models(),
)
