"""Tencent Hunyuan as TokenHub serves it, beside other makers' models: OpenAI's dialect.

Hunyuan's own platform, which took a pair of Tencent Cloud's keys, closed on 2026-09-30.
"""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://tokenhub.tencentmaas.com/v1"

ADAPTER = Adapter(
    id="tencent_hunyuan",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), base("base_url", _HOME)),
    base_url=at("base_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=USUAL,
    chat=Chat(),
    embed=Embed(encoding="float", texts=128),
    models=Models(),
)
