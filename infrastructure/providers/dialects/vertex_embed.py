"""Embeddings in Google's cloud: one text in each request, by embedContent or by the older predict."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.gemini_embed import content, counted, task
from infrastructure.providers.dialects.openai_embed import vector
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.dialects.vertex import placed
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, table, tally

_CUT = ("the text is longer than the model reads, and was cut",)


@dataclass(frozen=True)
class PublisherEmbed:
    """embedContent takes one text; predict takes more, but a request cannot tell here how many its model would."""

    def render(self, target: Target, call: EmbedCall) -> Request:
        name, (said,) = target.model.name, call.texts
        asked = task(name, call)
        if name.startswith("gemini-"):
            config = {"embedContentConfig": asked} if asked else {}
            return replace(placed(target, "embedContent"), json={"content": content(said), **config})
        instance = {"content": said, "task_type": asked["taskType"]}
        length = {"parameters": {"outputDimensionality": call.dimensions}} if call.dimensions is not None else {}
        return replace(placed(target, "predict"), json={"instances": [instance], **length})

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        """Of either method; a text that the model has cut is warned of."""
        predicted = rows(dig(body, "predictions"))
        found = [dig(row, "embeddings") for row in predicted] or [dig(body, "embedding")]
        if len(found) != count:
            raise not_understood(f"{len(found)} vectors came for {count} texts")
        cut = dig(body, "truncated") is True or any(dig(row, "statistics", "truncated") is True for row in found)
        usage = _predicted(found) if predicted else counted(body)
        return Embeddings(tuple(vector(dig(row, "values")) for row in found), usage, _CUT if cut else ())

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return 1


def _predicted(found: list[Any]) -> Usage:
    counts = [tally(dig(row, "statistics", "token_count")) for row in found]
    known = [tokens for tokens in counts if tokens is not None]
    if len(known) < len(counts):
        return Usage()
    return Usage(sum(known), 0, raw=table(dig(found, 0, "statistics")))
