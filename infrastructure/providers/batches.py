"""Many texts or documents over several requests, and what comes back as one answer."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.model.rerank import RerankCall, Reranking
from infrastructure.providers.wire import Malformed


def batched(call: EmbedCall, size: int) -> Iterator[EmbedCall]:
    """The call in calls of at most `size` texts, in order."""
    for start in range(0, len(call.texts), size):
        yield replace(call, texts=call.texts[start : start + size])


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """One answer of many: usage is the sum, or unknown when one part did not say. Malformed for vectors of no use."""
    vectors = tuple(vector for part in parts for vector in part.vectors)
    if len({len(vector) for vector in vectors}) != 1:
        raise Malformed("the vectors differ in length")
    if not all(math.isfinite(sum(vector)) for vector in vectors):
        raise Malformed("a vector holds what is no number")
    if len(parts) == 1:
        return parts[0]
    warnings = tuple(dict.fromkeys(warning for part in parts for warning in part.warnings))
    return Embeddings(vectors, _sum([part.usage for part in parts]), warnings)


def dealt(call: RerankCall, size: int) -> Iterator[RerankCall]:
    """The call in calls of at most `size` documents, in order."""
    for start in range(0, len(call.documents), size):
        yield replace(call, documents=call.documents[start : start + size])


def merged(parts: Sequence[Reranking]) -> Reranking:
    """One ranking of many, each document under its place in the whole call; equals stay in the order of the call."""
    if len(parts) == 1:
        return parts[0]
    starts = accumulate((len(part.results) for part in parts), initial=0)
    found = [
        replace(ranked, index=start + ranked.index)
        for start, part in zip(starts, parts, strict=False)
        for ranked in part.results
    ]
    best_first = tuple(sorted(found, key=lambda ranked: (-ranked.score, ranked.index)))
    warnings = tuple(dict.fromkeys(warning for part in parts for warning in part.warnings))
    return Reranking(best_first, _sum([part.usage for part in parts]), warnings)


def _sum(usages: Sequence[Usage]) -> Usage:
    return Usage(
        input=_total([u.input for u in usages]),
        output=_total([u.output for u in usages]),
        cached_input=_total([u.cached_input for u in usages]),
        reasoning=_total([u.reasoning for u in usages]),
        searches=_total([u.searches for u in usages]),
    )


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
