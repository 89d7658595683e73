"""The words of NVIDIA's retrieval services: OpenAI's embeddings by their purpose, and rankings by logits."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.rerank import RerankCall
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.spec import Request

PASSAGES = 512
"""The most that one request ranks, each by itself."""


@dataclass(frozen=True)
class Retrieval(Embed):
    """Vectors of passages and of queries differ; a text that is too long is refused rather than cut."""

    encoding: str | None = "float"
    texts: int = 50

    def written(self, model: str, call: EmbedCall) -> Request:
        request = super().written(model, call)
        kind = "query" if call.purpose is EmbedPurpose.QUERY else "passage"
        return replace(request, json={**(request.json or {}), "input_type": kind, "truncate": "NONE"})


@dataclass(frozen=True)
class Ranking(Rerank):
    """POST ranking; scores are logits, and what is too long is cut."""

    results: str = "rankings"
    score: str = "logit"
    path: str = "ranking"

    def written(self, model: str, call: RerankCall) -> Request:
        passages = [{"text": document} for document in call.documents]
        body = {"model": model, "query": {"text": call.query}, "passages": passages, "truncate": "END"}
        return Request(self.path, body)


@dataclass(frozen=True)
class RankingByModel(Ranking):
    """Each model at an address of its own, apart from all else."""

    base: str = ""

    def written(self, model: str, call: RerankCall) -> Request:
        return replace(super().written(model, call), path=_ranking_path(model), base=self.base)


def _ranking_path(model: str) -> str:
    """Dots in names are underscores there; the eldest, which have no maker in theirs, share one address."""
    return f"{quote(model.replace('.', '_'))}/reranking" if "/" in model else "nvidia/reranking"
