"""Baichuan, whose newer models are for medicine: OpenAI's dialect."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import PENALTIES, Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import embedding
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("baichuan")
# What the clients of this vendor are not known to send.
_UNSENT = PENALTIES | {"seed", "stop"}
_EMBED = Embed(encoding=None, texts=16)

ADAPTER = Adapter(
    id="baichuan",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.baichuan-ai.com/v1"),
    sign=bearer("api_key"),
    # Chat models come and go; this one stays, and a word costs next to nothing.
    probe=embedding(_EMBED, "baichuan", "Baichuan-Text-Embedding"),
    error=_REFUSALS,
    chat=Chat(include_usage=False, refused=_UNSENT, refusals=_REFUSALS),
    embed=_EMBED,
    models=Models(),
)
