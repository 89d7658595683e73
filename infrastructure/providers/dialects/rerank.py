"""Reranking as Jina and Cohere shaped it and many servers speak it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.model.events import Usage
from domain.model.rerank import Ranked, RerankCall, Reranking
from domain.ports import Target
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import count, dig, rows, table, tally

_COUNTS = (("usage",), ("tokens",), ("meta", "tokens"), ("meta", "billed_units"))
_SEARCHES = (("usage", "search_units"), ("meta", "billed_units", "search_units"))
_TOKENS = ("prompt_tokens", "input_tokens", "total_tokens")


@dataclass(frozen=True)
class Rerank:
    """POST rerank. `top_n` is the name under which all documents are asked for: some servers return only a few else.

    `returns` is the name of the switch that spares us the documents, None where there is none. `results` and `score`
    are the answer's names, `extras` goes into every body.
    """

    top_n: str | None = "top_n"
    returns: str | None = "return_documents"
    results: str = "results"
    score: str = "relevance_score"
    extras: Mapping[str, Any] = field(default_factory=dict)
    path: str = "rerank"

    def model(self, target: Target) -> str:
        """The name under which the vendor knows the model."""
        return target.model.name

    def render(self, target: Target, call: RerankCall) -> Request:
        return self.written(self.model(target), call)

    def parse(self, body: Any, count: int) -> Reranking:
        return Reranking(ranked(dig(body, self.results), self.score, count), usage(body))

    def written(self, model: str, call: RerankCall) -> Request:
        """The request for a model under the vendor's name of it."""
        body: dict[str, Any] = {"model": model, "query": call.query, "documents": list(call.documents)}
        if self.top_n:
            body[self.top_n] = len(call.documents)
        if self.returns:
            body[self.returns] = False
        return Request(self.path, body | {**self.extras})


def ranked(results: object, score: str, expected: int) -> tuple[Ranked, ...]:
    """Results by their score, equals in the order of the documents; BadRequestUpstream if they do not fit these."""
    found = [(count(dig(row, "index")), dig(row, score)) for row in rows(results)]
    if sorted(place for place, _ in found if place is not None) != list(range(expected)) or len(found) != expected:
        raise not_understood(f"the answer does not rank each of {expected} documents once")
    if not all(_is_number(score) for _, score in found):
        raise not_understood("a score is no number")
    order = sorted((Ranked(place or 0, float(score)) for place, score in found), key=lambda r: (-r.score, r.index))
    return tuple(order)


def usage(body: object) -> Usage:
    """Reranking has no output; vendors count the input in several places, or not at all."""
    counts = next((said for place in _COUNTS if (said := table(dig(body, *place)))), {})
    tokens = next((number for name in _TOKENS if (number := tally(counts.get(name))) is not None), None)
    searches = next((found for place in _SEARCHES if (found := tally(dig(body, *place))) is not None), None)
    return Usage(tokens, None if tokens is None else 0, raw=counts, searches=searches)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
