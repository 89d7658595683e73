"""The jobs that the default model does for a conversation: naming it, and suggesting what to ask next."""

from typing import Annotated, Self

import strawberry

from api.graphql.chat_input import MessageInput
from api.graphql.context import Info
from api.graphql.fields import Input, mutation
from api.graphql.inference import Receipt, Usage, receipt_fields
from api.graphql.model_names import ModelInput
from api.graphql.problems import Unanswered
from api.graphql.texts import CONTENT
from domain.model.access import Scope
from domain.model.catalogue import ModelType
from domain.model.conversation import NamingCall, Origin, SuggestionCall
from domain.usecases.conversations import Named, Suggested

_TURNS = (
    "The turns so far, oldest first. Only what user and assistant say in words is read, and long turns are shortened, "
    "so a conversation of any length can be sent."
)
_MODEL = "The model; left out, the default LLM."


@strawberry.input(description="A conversation to name. Its first turns decide.")
class NameConversationInput:
    messages: list[MessageInput] = strawberry.field(description=_TURNS)
    model: ModelInput | None = strawberry.field(default=None, description=_MODEL)

    def call(self) -> NamingCall:
        model = self.model.ref(ModelType.LLM) if self.model else None
        return NamingCall(tuple(m.message() for m in self.messages), model)


@strawberry.input(description="A conversation to suggest questions for. Its last turns decide.")
class SuggestQuestionsInput:
    messages: list[MessageInput] = strawberry.field(description=_TURNS)
    model: ModelInput | None = strawberry.field(default=None, description=_MODEL)
    count: int = strawberry.field(default=3, description="How many questions at most, from 1 to 10.")
    instruction: str | None = strawberry.field(
        metadata=CONTENT,
        default=None,
        description="What the questions should be like, in the application's words, up to 2,000 characters.",
    )

    def call(self) -> SuggestionCall:
        model = self.model.ref(ModelType.LLM) if self.model else None
        return SuggestionCall(tuple(m.message() for m in self.messages), model, self.count, self.instruction)


@strawberry.type(description="The conversation has a title.")
class NameConversationPayload(Receipt):
    title: str = strawberry.field(description="One line of at most 75 characters, and `…` behind it if it was cut.")
    origin: Origin = strawberry.field(description="Whether the model wrote it.")
    usage: Usage = strawberry.field(description="What the call used.")
    warnings: list[str] = strawberry.field(description="What was left out, and what the answer lacked.")

    @classmethod
    def of(cls, named: Named) -> Self:
        return cls(
            **receipt_fields(named.receipt),
            title=named.title,
            origin=named.origin,
            usage=Usage.of(named.usage),
            warnings=list(named.warnings),
        )


@strawberry.type(description="What the user may ask next.")
class SuggestQuestionsPayload(Receipt):
    questions: list[str] = strawberry.field(
        description="As the user would ask them: one line of at most 200 characters each, none twice and none that the "
        "user just asked. They may be fewer than asked for, or none."
    )
    origin: Origin = strawberry.field(description="Whether the model wrote any.")
    usage: Usage = strawberry.field(description="What the call used.")
    warnings: list[str] = strawberry.field(description="What was left out, and what the answer lacked.")

    @classmethod
    def of(cls, suggested: Suggested) -> Self:
        return cls(
            **receipt_fields(suggested.receipt),
            questions=list(suggested.questions),
            origin=suggested.origin,
            usage=Usage.of(suggested.usage),
            warnings=list(suggested.warnings),
        )


NameConversationResult = Annotated[
    NameConversationPayload | Unanswered,
    strawberry.union("NameConversationResult", description="The title, or why the model was not reached."),
]
SuggestQuestionsResult = Annotated[
    SuggestQuestionsPayload | Unanswered,
    strawberry.union("SuggestQuestionsResult", description="The questions, or why the model was not reached."),
]


@strawberry.type
class ConversationMutations:
    @mutation(
        "Have a model give a conversation a title, in the user's language. One call, metered as a chat; an answer "
        "without a title gives the shortened first words instead.",
        needs=Scope.MODELS_INVOKE,
    )
    async def name_conversation(self, info: Info, given: Input[NameConversationInput]) -> NameConversationResult:
        named = await info.context.usecases.conversations.name(info.context.actor, given.call())
        return NameConversationPayload.of(named)

    @mutation(
        "Have a model suggest what the user may ask next, in the conversation's language. One call, metered as a chat; "
        "an answer without questions gives an empty list.",
        needs=Scope.MODELS_INVOKE,
    )
    async def suggest_questions(self, info: Info, given: Input[SuggestQuestionsInput]) -> SuggestQuestionsResult:
        suggested = await info.context.usecases.conversations.suggest(info.context.actor, given.call())
        return SuggestQuestionsPayload.of(suggested)
