"""Embeddings whose vectors come bare, and whose texts say whether they are searched or search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import UnsupportedFeature
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import vector
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.forms import entered, filled
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig, rows, tally


@dataclass(frozen=True)
class BareEmbed:
    """POST embeddings. `query` maps parts of the address to the form's fields, where these are filled in.

    `batch_field` is the form's field for how many texts one request carries, one when it is empty.
    """

    query: Mapping[str, str] = field(default_factory=dict)
    batch_field: str = ""

    def render(self, target: Target, call: EmbedCall) -> Request:
        if call.dimensions is not None:
            raise UnsupportedFeature("vectors of another length", target.model.name)
        kind = "query" if call.purpose is EmbedPurpose.QUERY else "db"
        body = {"model": target.model.name, "texts": list(call.texts), "type": kind}
        return Request("embeddings", body, query=filled(target.form, self.query))

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        vectors = tuple(map(vector, rows(dig(body, "vectors"))))
        if len(vectors) != count:
            raise not_understood(f"{len(vectors)} vectors came for {count} texts")
        tokens = tally(dig(body, "total_tokens"))
        return Embeddings(vectors, Usage(tokens, None if tokens is None else 0))

    def batch(self, target: Target) -> int:
        return int(entered(target.form, self.batch_field, "1"))
