"""Lepton AI, now NVIDIA DGX Cloud Lepton: an endpoint of the tenant's own, over OpenAI's paths.

The models that it hosted itself, each at an address of its own, were gone by 2026-07-31.
"""

from domain.model.catalogue import ModelType, ProviderKind
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, at, context, endpoint, own_name, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="lepton_ai",
    kind=ProviderKind.HOSTED,
    form=(
        secret("api_key"),
        endpoint(),
        own_name(),
        context(None, ModelType.LLM),
        *abilities(),
    ),
    base_url=at("endpoint_url", end="/v1"),
    sign=bearer("api_key"),
    **called(hosted.Chat(), transcribe=hosted.Transcribe()),
    error=USUAL,
    models=Models(),
)
