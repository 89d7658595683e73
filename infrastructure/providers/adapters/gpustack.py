"""GPUStack, over OpenAI's paths. Of its modes, only chat is spoken."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers import forms
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="gpustack",
    kind=ProviderKind.HOSTED,
    form=(
        forms.server("endpoint_url"),
        forms.secret("api_key"),
        forms.own_name(),
        forms.mode(),
        forms.context(8192),
        forms.max_output(8192),
        forms.token_name(),
        *forms.abilities(),
        forms.voices("Chinese Female"),
    ),
    # Servers before 1.0 were entered with /v1-openai, which later ones keep for a part of their paths.
    base_url=forms.at("endpoint_url", drop=("/v1-openai", "/v1"), end="/v1"),
    sign=bearer("api_key"),
    **called(hosted.Chat(), hosted.Embed(texts=32), hosted.Rerank(), hosted.Transcribe(), hosted.Speak("")),
    error=USUAL,
    models=Models(),
)
