"""Text Embedding Inference on a tenant's own machine, by its native API. It does not count tokens there."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects import tei
from infrastructure.providers.dialects.probes import called
from infrastructure.providers.forms import at, context, secret, server, text, texts_per_request
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_EMBEDDING = ModelType.EMBEDDING

ADAPTER = Adapter(
    id="text_embedding_inference",
    kind=ProviderKind.HOSTED,
    form=(
        server(),
        secret("api_key", required=False),
        context(None, (), name="max_input_length"),
        texts_per_request("max_client_batch_size", 32),
        text("query_prompt_name", Text("Prompt for queries", "検索文のプロンプト", "查询提示名"), only=_EMBEDDING),
        text("document_prompt_name", Text("Prompt for documents", "文書のプロンプト", "文档提示名"), only=_EMBEDDING),
    ),
    base_url=at("server_url", drop=("/v1",)),
    sign=bearer("api_key"),
    **called(embed=tei.Embed(), rerank=tei.Rerank()),
    error=refusals("text_embedding_inference"),
    models=tei.Served(),
    documents=tei.batch,
)
