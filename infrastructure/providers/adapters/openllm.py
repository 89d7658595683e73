"""OpenLLM, over OpenAI's paths, which it has had since 0.6; what it spoke before is not spoken."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, at, context, secret, server
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="openllm",
    kind=ProviderKind.HOSTED,
    form=(
        server(),
        # The server asks for no key, but the proxies before it do.
        secret("api_key", required=False),
        context(),
        *abilities(),
    ),
    base_url=at("server_url", end="/v1"),
    sign=bearer("api_key"),
    **called(hosted.Chat(), hosted.Embed(texts=32)),
    error=USUAL,
    models=Models(),
)
