"""NVIDIA NIM: containers that serve one model each, over OpenAI's paths or those of NVIDIA's retriever.

Of its modes, only chat is spoken.
"""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects import openai_hosted as hosted
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.dialects.retriever import PASSAGES, Ranking, Retrieval
from infrastructure.providers.forms import abilities, at, context, endpoint, max_output, mode, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

ADAPTER = Adapter(
    id="nvidia_nim",
    kind=ProviderKind.HOSTED,
    form=(
        endpoint(),
        # A container asks for no key, but the proxies before it do.
        secret("api_key", required=False),
        mode(),
        context(4096),
        max_output(4096),
        *abilities(),
    ),
    base_url=at("endpoint_url", end="/v1"),
    sign=bearer("api_key"),
    **called(hosted.Chat(), Retrieval(), Ranking()),
    error=USUAL,
    models=Models(),
    documents=lambda _: PASSAGES,
)
