"""Embeddings through Amazon's InvokeModel, whose bodies are those of each model's maker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import vector
from infrastructure.providers.dialects.turns import left_out, not_understood
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, tally

_COHERE = "cohere."
_NOVA = "nova-2-multimodal-embeddings"
_TITAN_V2 = "titan-embed-text-v2"
_COHERE_V4 = "cohere.embed-v4"


@dataclass(frozen=True)
class InvokeEmbed:
    """POST model/{id}/invoke, in the shape of Cohere, Nova or Titan by the model's id. What is too long is refused."""

    texts: int = 96

    def batch(self, target: Target) -> int:
        """Only Cohere's models take several texts at once."""
        return self.texts if _COHERE in target.model.name else 1

    def render(self, target: Target, call: EmbedCall) -> Request:
        name = target.model.name
        write = _cohere if _COHERE in name else _nova if _NOVA in name else _titan
        body, sized = write(name, call)
        dropped = ["dimensions"] if call.dimensions is not None and not sized else []
        return Request(f"model/{quote(name, safe='')}/invoke", body, warnings=left_out(name, dropped))

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        found = _found(body)
        if len(found) != count:
            raise not_understood(f"{len(found)} vectors came for {count} texts")
        return Embeddings(tuple(map(vector, found)), _usage(body))


def _cohere(name: str, call: EmbedCall) -> tuple[dict[str, Any], bool]:
    """The body, and whether it asks for the call's dimensions."""
    kind = "search_query" if call.purpose is EmbedPurpose.QUERY else "search_document"
    sized = _COHERE_V4 in name
    size = {"output_dimension": call.dimensions} if sized and call.dimensions else {}
    return {"texts": list(call.texts), "input_type": kind, "truncate": "NONE", **size}, sized


def _nova(name: str, call: EmbedCall) -> tuple[dict[str, Any], bool]:  # noqa: ARG001 - one model, one shape
    purpose = "TEXT_RETRIEVAL" if call.purpose is EmbedPurpose.QUERY else "GENERIC_INDEX"
    size = {"embeddingDimension": call.dimensions} if call.dimensions else {}
    text = {"truncationMode": "NONE", "value": call.texts[0]}
    params = {"embeddingPurpose": purpose, **size, "text": text}
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}, True


def _titan(name: str, call: EmbedCall) -> tuple[dict[str, Any], bool]:
    """Only the second version can shorten its vectors; it is asked for unit length, its default."""
    sized = _TITAN_V2 in name
    more = {"normalize": True} if sized else {}
    size = {"dimensions": call.dimensions} if sized and call.dimensions else {}
    return {"inputText": call.texts[0], **size, **more}, sized


def _found(body: object) -> list[Any]:
    """`embedding` of Titan, `embeddings` of Cohere bare or by type, or Nova's with a table around each."""
    one, many = dig(body, "embedding"), dig(body, "embeddings")
    if isinstance(one, list):
        return [one]
    found = rows(many) or rows(dig(many, "float"))
    return [dig(item, "embedding") if isinstance(item, dict) else item for item in found]


def _usage(body: object) -> Usage:
    """Only Titan counts in the body."""
    tokens = tally(dig(body, "inputTextTokenCount"))
    return Usage(tokens, None if tokens is None else 0, raw={} if tokens is None else {"inputTextTokenCount": tokens})
