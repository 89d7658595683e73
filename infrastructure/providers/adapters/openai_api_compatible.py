"""Any server that speaks OpenAI's paths; the form says what it can do. Of its modes, only chat is spoken."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers import forms
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="openai_api_compatible",
    kind=ProviderKind.HOSTED,
    form=(
        forms.endpoint(),
        forms.secret("api_key", required=False),
        forms.own_name(),
        forms.mode(),
        forms.context(4096),
        forms.max_output(4096),
        forms.token_name(),
        *forms.abilities(),
        forms.stream_usage(),
        *forms.embedding_knobs(),
        forms.voices("alloy"),
    ),
    base_url=forms.at("endpoint_url"),
    sign=bearer("api_key"),
    **called(hosted.Chat(), hosted.Embed(), hosted.Rerank(), hosted.Transcribe(), hosted.Speak()),
    error=USUAL,
    models=Models(),
)
