"""Anthropic: its own dialect, under the version of its API that still takes sampling."""

from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects.anthropic import Messages
from infrastructure.providers.dialects.model_lists import PagedModels
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.anthropic.com"

ADAPTER = Adapter(
    id="anthropic",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("anthropic_api_key"),
        address("anthropic_api_url", Text("API URL", "API URL", "API 地址"), default=_HOME),
    ),
    base_url=at("anthropic_api_url", _HOME, drop=("/v1",)),
    sign=bearer("anthropic_api_key", fixed={"anthropic-version": "2023-06-01"}),
    probe=listing("v1/models", {"limit": "1"}),
    error=USUAL,
    chat=Messages(),
    models=PagedModels(),
)
