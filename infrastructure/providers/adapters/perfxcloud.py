"""PerfXCloud: OpenAI's dialect, at an address that the form may change."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://cloud.perfxlab.cn/v1"

ADAPTER = Adapter(
    id="perfxcloud",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), base("endpoint_url", _HOME)),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=USUAL,
    chat=Chat(),
    embed=Embed(encoding="float", texts=16),
    models=Models(),
)
