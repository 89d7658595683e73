"""OpenLLM, over OpenAI's paths, which it has had since 0.6; what it spoke before is not spoken."""

from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_hosted import HostedChat, HostedEmbed
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import READING, abilities, address, at, secret, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_CHAT, _EMBED = HostedChat(), HostedEmbed(texts=32)

ADAPTER = Adapter(
    id="openllm",
    label=Text("OpenLLM"),
    kind=ProviderKind.HOSTED,
    form=(
        address("server_url", Text("Server URL", "サーバー URL", "服务器 URL")),
        # The server asks for no key, but the proxies before it do.
        secret("api_key", required=False),
        whole("context_size", Text("Context size", "コンテキスト長", "上下文长度"), None, READING, sets="context"),
        *abilities(),
    ),
    base_url=at("server_url", end="/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT, _EMBED),
    error=USUAL,
    chat=_CHAT,
    embed=_EMBED,
    models=Models(),
)
