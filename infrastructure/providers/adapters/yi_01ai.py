"""01.AI, maker of Yi: OpenAI's dialect with few knobs, at an address that the form may change."""

from domain.model.catalogue import ProviderKind
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.probes import greeting
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import at, base, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.lingyiwanwu.com/v1"
# Its reference names no other knobs than the three usual ones, and its streams count tokens unasked.
_CHAT = Chat(include_usage=False, refused=frozenset({"stop", "seed", "presence_penalty", "frequency_penalty"}))

ADAPTER = Adapter(
    id="yi_01ai",
    kind=ProviderKind.PROPRIETARY,
    form=(secret("api_key"), base("endpoint_url", _HOME)),
    base_url=at("endpoint_url", _HOME, end="/v1"),
    sign=bearer("api_key"),
    probe=greeting(_CHAT, "yi_01ai", "yi-lightning"),
    error=USUAL,
    chat=_CHAT,
)
