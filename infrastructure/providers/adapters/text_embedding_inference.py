"""Text Embedding Inference on a tenant's own machine, by its native API. It does not count tokens there."""

from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects import tei
from infrastructure.providers.dialects.probes import calling
from infrastructure.providers.forms import address, at, secret, text, whole
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter

_EMBED, _RERANK = tei.Embed(), tei.Rerank()
_EMBEDDING = ModelType.EMBEDDING


ADAPTER = Adapter(
    id="text_embedding_inference",
    label=Text("Text Embedding Inference"),
    kind=ProviderKind.HOSTED,
    form=(
        address("server_url", Text("Server URL", "サーバー URL", "服务器 URL")),
        secret("api_key", required=False),
        whole("max_input_length", Text("Context size", "コンテキスト長", "上下文长度"), None, sets="context"),
        whole("max_client_batch_size", Text("Texts per request", "一回のテキスト数", "每次请求文本数"), 32),
        text("query_prompt_name", Text("Prompt for queries", "検索文のプロンプト", "查询提示名"), only=_EMBEDDING),
        text("document_prompt_name", Text("Prompt for documents", "文書のプロンプト", "文档提示名"), only=_EMBEDDING),
    ),
    base_url=at("server_url", drop=("/v1",)),
    sign=bearer("api_key"),
    probe=calling(embed=_EMBED, rerank=_RERANK),
    error=refusals("text_embedding_inference"),
    embed=_EMBED,
    rerank=_RERANK,
    models=tei.Served(),
    documents=tei.batch,
)
