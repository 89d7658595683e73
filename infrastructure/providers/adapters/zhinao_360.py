"""360 Zhinao: OpenAI's dialect, for its own models and, under their makers' names, for others'."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import greeting
from infrastructure.providers.forms import fixed, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_REFUSALS = refusals("zhinao_360")
_CHAT = Chat(mark_suffices=True, refusals=_REFUSALS)

ADAPTER = Adapter(
    id="zhinao_360",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"),),
    base_url=fixed("https://api.360.cn/v1"),
    sign=bearer("api_key"),
    probe=greeting(_CHAT, "zhinao_360", "360gpt-turbo"),
    error=_REFUSALS,
    chat=_CHAT,
)
