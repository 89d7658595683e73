"""DashScope's reranking (text-rerank), which parts what is ranked from how; its results are Jina's."""

from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidRange
from domain.model.rerank import RerankCall, Reranking
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig


@dataclass(frozen=True)
class DashScopeRerank(Rerank):
    """Scores compare only within one request, so that a call must fit into one: `most` documents."""

    most: int = 500
    path: str = "api/v1/services/rerank/text-rerank/text-rerank"

    def written(self, model: str, call: RerankCall) -> Request:
        if len(call.documents) > self.most:
            raise InvalidRange("documents", f"must have at most {self.most} entries for this provider")
        asked = {"query": call.query, "documents": list(call.documents)}
        parameters = {"top_n": len(call.documents), "return_documents": False}
        return Request(self.path, {"model": model, "input": asked, "parameters": parameters})

    def parse(self, body: Any, count: int) -> Reranking:
        found = {self.results: dig(body, "output", self.results), "usage": dig(body, "usage")}
        return super().parse(found, count)
