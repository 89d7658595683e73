"""Lepton AI, now NVIDIA DGX Cloud Lepton: an endpoint of the tenant's own, over OpenAI's paths.

The models that it hosted itself, each at an address of its own, were gone by 2026-07-31.
"""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_hosted import HostedChat
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, address, at, secret, text, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_CHAT = HostedChat()

ADAPTER = Adapter(
    id="lepton_ai",
    label=Text("Lepton AI"),
    kind=ProviderKind.HOSTED,
    form=(
        secret("api_key"),
        address("endpoint_url", Text("API endpoint URL", "API エンドポイント URL", "API 端点 URL")),
        text("endpoint_model_name", Text("Model name there", "先方でのモデル名", "端点的模型名称")),
        whole(
            "context_size",
            Text("Context size", "コンテキスト長", "上下文长度"),
            None,
            ModelType.LLM,
            sets="context",
        ),
        *abilities(),
    ),
    base_url=at("endpoint_url", end="/v1"),
    sign=bearer("api_key"),
    probe=calling(_CHAT),
    error=USUAL,
    key_page="https://docs.nvidia.com/dgx-cloud/lepton/",
    chat=_CHAT,
    models=Models(),
)
