"""Cohere: its own dialect, version 2."""

from domain.model.catalogue import ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.cohere import Chat, Embed, TokenPages, Transcribe
from infrastructure.providers.dialects.probes import listing
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.forms import address, at, secret
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_HOME = "https://api.cohere.com"

ADAPTER = Adapter(
    id="cohere",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("api_key"),
        address("base_url", Text("API base URL", "API ベース URL", "API 基础 URL"), default=_HOME),
    ),
    base_url=at("base_url", _HOME, drop=("/v1", "/v2")),
    sign=bearer("api_key"),
    probe=listing("v1/models", {"page_size": "1"}),
    error=refusals("cohere"),
    chat=Chat(),
    embed=Embed(),
    rerank=Rerank(returns=None, path="v2/rerank"),
    transcribe=Transcribe(),
    models=TokenPages(),
)
