"""Asking a model: chat, whole and streamed, and embeddings."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Self

import strawberry

from api.graphql.chat_input import ChatInput, EmbedInput
from api.graphql.context import Context, Info
from api.graphql.fields import Input, mutation, subscription
from api.graphql.ids import node_id
from api.graphql.model_names import ModelName
from api.graphql.problems import Unanswered, ending_in_problem
from api.graphql.scalars import BigInt, Vector
from domain.model import calls, events
from domain.model.access import Scope
from domain.model.events import ChatAnswer, Embeddings, Finish
from domain.model.selection import KeySource
from domain.usecases import inference
from domain.usecases.inference import Answered


@strawberry.interface(description="Which model answers, and on whose key.")
class Receipt:
    call_id: str = strawberry.field(description="The call, as the usage records name it.")
    model: ModelName = strawberry.field(description="The model that is called.")
    paid_by: KeySource = strawberry.field(description="Whose key pays.")
    credential_id: strawberry.ID | None = strawberry.field(description="The tenant's credential, if it is that.")


@strawberry.type(description="Tokens as the vendor counted them; null where it did not say.")
class Usage:
    input: BigInt | None = strawberry.field(description="Tokens read, cached ones included.")
    output: BigInt | None = strawberry.field(description="Tokens written.")
    cached_input: BigInt | None = strawberry.field(description="Those of the tokens read that were cached.")
    reasoning: BigInt | None = strawberry.field(description="Those of the tokens written that were thinking.")

    @classmethod
    def of(cls, usage: events.Usage) -> Self:
        return cls(
            input=_big(usage.input),
            output=_big(usage.output),
            cached_input=_big(usage.cached_input),
            reasoning=_big(usage.reasoning),
        )


@strawberry.type(description="The model's wish to have a tool called.")
class ToolCall:
    id: str = strawberry.field(description="Names the call; the answer to it repeats it as `toolCallId`.")
    name: str = strawberry.field(description="The tool.")
    arguments: str = strawberry.field(description="The JSON that the model wrote; it may be invalid.")

    @classmethod
    def of(cls, call: calls.ToolCall) -> Self:
        return cls(id=call.id, name=call.name, arguments=call.arguments)


@strawberry.type(description="The whole answer of a chat.")
class ChatPayload(Receipt):
    text: str = strawberry.field(description="What the model said.")
    reasoning: str = strawberry.field(description="What it thought, where it shows that.")
    tool_calls: list[ToolCall] = strawberry.field(description="The tools it wants called.")
    finish_reason: Finish = strawberry.field(description="Why it ended.")
    raw_finish_reason: str = strawberry.field(description="The vendor's own word for that.")
    usage: Usage = strawberry.field(description="What it used.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")

    @classmethod
    def of(cls, answered: Answered[ChatAnswer]) -> Self:
        answer = answered.answer
        return cls(
            **receipt_fields(answered.receipt),
            text=answer.text,
            reasoning=answer.reasoning,
            tool_calls=[ToolCall.of(call) for call in answer.tool_calls],
            finish_reason=answer.finish.unified,
            raw_finish_reason=answer.finish.raw,
            usage=Usage.of(answer.usage),
            warnings=list(answer.warnings),
        )


@strawberry.type(description="The texts as vectors.")
class EmbedPayload(Receipt):
    vectors: list[Vector] = strawberry.field(description="One per text, in the order of the texts.")
    usage: Usage = strawberry.field(description="What it used.")
    warnings: list[str] = strawberry.field(description="What was asked for and left out because the vendor lacks it.")

    @classmethod
    def of(cls, answered: Answered[Embeddings]) -> Self:
        return cls(
            **receipt_fields(answered.receipt),
            vectors=[Vector(vector) for vector in answered.answer.vectors],
            usage=Usage.of(answered.answer.usage),
            warnings=list(answered.answer.warnings),
        )


@strawberry.type(description="The call was admitted; its answer follows.")
class ChatStarted(Receipt):
    pass


@strawberry.type(description="A piece of what the model says.")
class TextDelta:
    text: str = strawberry.field(description="To append.")


@strawberry.type(description="A piece of what the model thinks.")
class ReasoningDelta:
    text: str = strawberry.field(description="To append.")


@strawberry.type(description="A piece of a tool call.")
class ToolCallDelta:
    index: int = strawberry.field(description="Which tool call of the answer it belongs to, from 0.")
    id: str | None = strawberry.field(description="Names the call; comes with its first piece.")
    name: str | None = strawberry.field(description="The tool; comes with the first piece.")
    arguments: str = strawberry.field(description="JSON text to append.")


@strawberry.type(name="Warning", description="Something asked for was left out because the vendor lacks it.")
class Warned:
    message: str = strawberry.field(description="What was left out.")


@strawberry.type(description="The answer is complete. A stream without it was cut.")
class ChatFinished:
    finish_reason: Finish = strawberry.field(description="Why it ended.")
    raw_finish_reason: str = strawberry.field(description="The vendor's own word for that.")
    usage: Usage = strawberry.field(description="What it used.")


ChatResult = Annotated[
    ChatPayload | Unanswered,
    strawberry.union("ChatResult", description="The answer, or why there is none."),
]
EmbedResult = Annotated[
    EmbedPayload | Unanswered,
    strawberry.union("EmbedResult", description="The vectors, or why there are none."),
]
ChatStreamItem = Annotated[
    ChatStarted | TextDelta | ReasoningDelta | ToolCallDelta | Warned | ChatFinished | Unanswered,
    strawberry.union(
        "ChatStreamItem", description="A piece of the answer. A problem, if there is one, is the last item."
    ),
]


@strawberry.type
class InferenceMutations:
    @mutation("Ask a model and wait for the whole answer.", needs=Scope.MODELS_INVOKE)
    async def chat(self, info: Info, given: Input[ChatInput]) -> ChatResult:
        return ChatPayload.of(await info.context.usecases.inference.chat(info.context.actor, given.call()))

    @mutation("Turn texts into vectors.", needs=Scope.MODELS_INVOKE)
    async def embed(self, info: Info, given: Input[EmbedInput]) -> EmbedResult:
        return EmbedPayload.of(await info.context.usecases.inference.embed(info.context.actor, given.call()))


@strawberry.type
class InferenceSubscriptions:
    @subscription("Ask a model and get the answer as it is written.", needs=Scope.MODELS_INVOKE)
    async def chat_stream(self, info: Info, given: Input[ChatInput]) -> AsyncIterator[ChatStreamItem]:
        async for item in ending_in_problem(_items(info.context, given)):
            yield item


async def _items(context: Context, chat: ChatInput) -> AsyncIterator[Any]:
    async with context.usecases.inference.chat_stream(context.actor, chat.call()) as stream:
        async for event in stream:
            yield _item(event)


def _item(event: events.ChatEvent | inference.Receipt) -> Any:
    match event:
        case events.TextDelta(text):
            return TextDelta(text=text)
        case events.ReasoningDelta(text):
            return ReasoningDelta(text=text)
        case events.ToolCallDelta(index, call_id, name, arguments):
            return ToolCallDelta(index=index, id=call_id, name=name, arguments=arguments)
        case events.Warned(message):
            return Warned(message=message)
        case events.Finished(reason, usage):
            return ChatFinished(finish_reason=reason.unified, raw_finish_reason=reason.raw, usage=Usage.of(usage))
        case inference.Receipt():
            return ChatStarted(**receipt_fields(event))


def receipt_fields(receipt: inference.Receipt) -> dict[str, Any]:
    """The fields of Receipt, for every type that implements it."""
    own = receipt.credential_id
    return {
        "call_id": str(receipt.call_id),
        "model": ModelName.of(receipt.model),
        "paid_by": receipt.paid_by,
        "credential_id": node_id("Credential", own) if own else None,
    }


def _big(count: int | None) -> BigInt | None:
    return None if count is None else BigInt(count)
