"""Gemini's embeddings, many texts in one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.gemini import model_path
from infrastructure.providers.dialects.openai_embed import vector
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, table, tally

_TASKS = {EmbedPurpose.DOCUMENT: "RETRIEVAL_DOCUMENT", EmbedPurpose.QUERY: "RETRIEVAL_QUERY"}


def takes_task(name: str) -> bool:
    """Models that embed more than text know no task type."""
    return not name.startswith("gemini-embedding-2")


def task(name: str, call: EmbedCall) -> Mapping[str, Any]:
    """What the vectors are for and how long they should be, as far as the model takes it."""
    kind = {"taskType": _TASKS[call.purpose]} if takes_task(name) else {}
    return {**kind, **({"outputDimensionality": call.dimensions} if call.dimensions is not None else {})}


def content(said: str) -> Mapping[str, Any]:
    return {"role": "user", "parts": [{"text": said}]}


@dataclass(frozen=True)
class BatchEmbed:
    """POST models/{model}:batchEmbedContents. Vectors that are shortened come as they are: not of unit length."""

    texts: int = 100

    def render(self, target: Target, call: EmbedCall) -> Request:
        name = target.model.name
        shared = {"model": f"models/{name}", **task(name, call)}
        body = {"requests": [{**shared, "content": content(said)} for said in call.texts]}
        return Request(f"v1/{model_path(name, 'batchEmbedContents')}", body)

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        found = rows(dig(body, "embeddings"))
        if len(found) != count:
            raise not_understood(f"{len(found)} vectors came for {count} texts")
        return Embeddings(tuple(vector(dig(row, "values")) for row in found), counted(body))

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts


def counted(body: object) -> Usage:
    """Embeddings have no output."""
    counts = table(dig(body, "usageMetadata"))
    tokens = tally(counts.get("promptTokenCount"))
    return Usage(tokens, None if tokens is None else 0, raw=counts)
