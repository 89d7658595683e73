"""Reranking through Amazon's agent runtime (its service model of 2023-07-26), which names models by their ARN."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.model.catalogue import FormValues
from domain.model.events import Usage
from domain.model.rerank import RerankCall, Reranking
from domain.ports import Target
from infrastructure.providers.dialects.rerank import ranked
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig


@dataclass(frozen=True)
class AgentRerank:
    """POST rerank at `base`. Searches are counted there, not tokens."""

    base: Callable[[FormValues], str]
    arn: Callable[[Target], str]

    def render(self, target: Target, call: RerankCall) -> Request:
        sources = [{"type": "INLINE", "inlineDocumentSource": _text(document)} for document in call.documents]
        ranking = {
            "numberOfResults": len(call.documents),
            "modelConfiguration": {"modelArn": self.arn(target)},
        }
        body = {
            "queries": [{"type": "TEXT", "textQuery": {"text": call.query}}],
            "sources": sources,
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": ranking,
            },
        }
        return Request("rerank", body, base=self.base)

    def parse(self, body: Any, count: int) -> Reranking:
        return Reranking(ranked(dig(body, "results"), "relevanceScore", count), Usage())


def _text(document: str) -> dict[str, Any]:
    return {"type": "TEXT", "textDocument": {"text": document}}
