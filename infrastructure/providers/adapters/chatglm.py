"""ChatGLM on a server of the tenant's own, in the words of its demo: OpenAI's first ones for calling functions."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.function_calls import FunctionChat
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai import PENALTIES
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_UNREAD = PENALTIES | {"stop", "seed"}

ADAPTER = Adapter(
    id="chatglm",
    kind=ProviderKind.PROPRIETARY,
    form=(
        address("api_base", Text("API URL", "API URL", "API 地址")),
        # The demo asks for no key, but the proxies before it do.
        secret("api_key", required=False),
    ),
    base_url=at("api_base", end="/v1"),
    sign=bearer("api_key"),
    probe=listing("models"),
    error=USUAL,
    chat=FunctionChat(include_usage=False, refused=_UNREAD, chooses=False),
    models=Models(type=ModelType.LLM),
)
