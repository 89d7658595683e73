"""Replicate: models that each take inputs of their own, and are run rather than asked."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.dialects import predictions
from infrastructure.providers.forms import context, fixed, secret, text
from infrastructure.providers.signing.followed import followed
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_ID, _HOME, _TOKEN = "replicate", "https://api.replicate.com/v1", "replicate_api_token"
_LLM, _EMBEDDING = ModelType.LLM, ModelType.EMBEDDING

ADAPTER = Adapter(
    id=_ID,
    kind=ProviderKind.HOSTED,
    form=(
        secret(_TOKEN, Text("API token", "API トークン", "API 令牌")),
        text("model_version", Text("Model version", "モデルのバージョン", "模型版本")),
        context(None, _LLM),
        *predictions.named_inputs(),
    ),
    base_url=fixed(_HOME),
    sign=followed(bearer(_TOKEN), _ID, _HOME, ("replicate.com", "replicate.net")),
    probe=predictions.describing,
    error=predictions.refusal,
    failed=predictions.failed,
    chat=predictions.Prompted(),
    embed=predictions.Vectors(),
    models=predictions.Collections({"language-models": _LLM, "embedding-models": _EMBEDDING}),
)
