"""Ordering documents by relevance to a query."""

from typing import Annotated, Self

import strawberry

from api.graphql.context import Info
from api.graphql.fields import Input, mutation
from api.graphql.inference import Receipt, Usage, receipt_fields
from api.graphql.model_names import ModelInput
from api.graphql.problems import Unanswered
from api.graphql.texts import CONTENT
from domain.model.access import Scope
from domain.model.catalogue import ModelType
from domain.model.rerank import RerankCall, Reranking
from domain.usecases.inference import Answered


@strawberry.input(description="Documents to order by how well they answer a query.")
class RerankInput:
    query: str = strawberry.field(metadata=CONTENT, description="What is asked.")
    documents: list[str] = strawberry.field(
        metadata=CONTENT, description="The documents, up to 1,000; none may be empty."
    )
    model: ModelInput | None = strawberry.field(
        default=None, description="The model; left out, the default rerank model."
    )
    top_n: int | None = strawberry.field(default=None, description="Only so many of the best.")
    threshold: float | None = strawberry.field(
        default=None, description="Only those with at least this score; scores are comparable within one model."
    )

    def call(self) -> RerankCall:
        model = self.model.ref(ModelType.RERANK) if self.model else None
        return RerankCall(self.query, tuple(self.documents), model, self.top_n, self.threshold)


@strawberry.type(description="A document's place in the order.")
class RankedDocument:
    index: int = strawberry.field(description="Which of the documents sent, from 0.")
    score: float = strawberry.field(description="The vendor's own score: larger fits better.")


@strawberry.type(description="The documents in order.")
class RerankPayload(Receipt):
    results: list[RankedDocument] = strawberry.field(description="Best first.")
    usage: Usage = strawberry.field(description="What it used.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")

    @classmethod
    def of(cls, answered: Answered[Reranking]) -> Self:
        answer = answered.answer
        return cls(
            **receipt_fields(answered.receipt),
            results=[RankedDocument(index=r.index, score=r.score) for r in answer.results],
            usage=Usage.of(answer.usage),
            warnings=list(answer.warnings),
        )


RerankResult = Annotated[
    RerankPayload | Unanswered,
    strawberry.union("RerankResult", description="The order, or why there is none."),
]


@strawberry.type
class RerankMutations:
    @mutation("Order documents by relevance to a query.", needs=Scope.MODELS_INVOKE)
    async def rerank(self, info: Info, given: Input[RerankInput]) -> RerankResult:
        return RerankPayload.of(await info.context.usecases.inference.rerank(info.context.actor, given.call()))
