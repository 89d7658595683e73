"""Reranking in Google's cloud (discoveryengine v1): pairs of an id and a score from nought to one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from domain.model.events import Usage
from domain.model.rerank import RerankCall, Reranking
from domain.ports import Target
from infrastructure.providers.dialects.rerank import ranked
from infrastructure.providers.dialects.vertex import EVERYWHERE, PROJECT
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, text

HOME = "https://discoveryengine.googleapis.com"


@dataclass(frozen=True)
class RankRecords:
    """POST rankingConfigs/default_ranking_config:rank, which is everywhere. Searches are counted there, not tokens."""

    def render(self, target: Target, call: RerankCall) -> Request:
        project = quote(entered(target.form, PROJECT), safe=":")
        body = {
            "model": target.model.name,
            "query": call.query,
            "records": [{"id": str(at), "content": document} for at, document in enumerate(call.documents)],
            "ignoreRecordDetailsInResponse": True,
        }
        place = f"v1/projects/{project}/locations/{EVERYWHERE}/rankingConfigs/default_ranking_config:rank"
        return Request(place, body, base=HOME)

    def parse(self, body: Any, count: int) -> Reranking:
        """A record's id is the place of its document."""
        places = {str(at): at for at in range(count)}
        found = [
            {"index": places.get(text(dig(row, "id"))), "score": dig(row, "score")}
            for row in rows(dig(body, "records"))
        ]
        return Reranking(ranked(found, "score", count), Usage())
