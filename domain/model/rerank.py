"""Ordering documents by how well they answer a query."""

from dataclasses import dataclass
from typing import Self

from domain.errors import InvalidRange
from domain.model.catalogue import ModelRef
from domain.model.events import Usage

DOCUMENTS_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class RerankCall:
    """`top_n` asks for the best few only, `threshold` for those that score at least that; both are ours to keep."""

    query: str
    documents: tuple[str, ...]
    model: ModelRef | None = None
    top_n: int | None = None
    threshold: float | None = None

    def size(self) -> int:
        """An upper bound on the characters that the vendor will count: it reads the query beside every document."""
        return sum(map(len, self.documents)) + len(self.query) * len(self.documents)

    def check(self) -> None:
        """InvalidRange when the call could not mean anything to any vendor."""
        if not self.query.strip():
            raise InvalidRange("query", "must not be empty")
        if not 1 <= len(self.documents) <= DOCUMENTS_LIMIT:
            raise InvalidRange("documents", f"must have 1 to {DOCUMENTS_LIMIT} entries")
        for at, document in enumerate(self.documents):
            if not document:
                raise InvalidRange(f"documents[{at}]", "must not be empty")
        if self.top_n is not None and self.top_n < 1:
            raise InvalidRange("topN", "must be above zero")


@dataclass(frozen=True, slots=True)
class Ranked:
    """The document at `index` of the call, and the vendor's own score for it: larger fits better."""

    index: int
    score: float


@dataclass(frozen=True, slots=True)
class Reranking:
    """Every document of the call once, best first; `kept` cuts it to what was asked for."""

    results: tuple[Ranked, ...]
    usage: Usage
    warnings: tuple[str, ...] = ()

    def kept(self, call: RerankCall) -> Self:
        """The best `top_n` of those that reach the threshold."""
        chosen = [r for r in self.results if call.threshold is None or r.score >= call.threshold]
        return type(self)(tuple(chosen[: call.top_n]), self.usage, self.warnings)
