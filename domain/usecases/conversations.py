"""What the default model does for a conversation beside answering: naming it, and suggesting what to ask next."""

from dataclasses import dataclass

from domain.model import conversation
from domain.model.access import Actor, Scope
from domain.model.calls import Role
from domain.model.catalogue import Model, ModelRef, ModelType
from domain.model.conversation import NamingCall, Origin, SuggestionCall
from domain.model.defaults import resolved
from domain.model.events import ChatAnswer, Usage
from domain.model.excerpts import headed
from domain.model.questions import questions_in
from domain.model.selection import Platform, model_of
from domain.model.titles import LONGEST_TITLE, title_in
from domain.model.usage import Job
from domain.ports import StandingReader
from domain.usecases.inference import Answered, Inference, Receipt


@dataclass(frozen=True, slots=True)
class Named:
    """A title of one line, at most 75 characters and "…": the model's, or the shortened first words as the fallback."""

    title: str
    origin: Origin
    usage: Usage
    warnings: tuple[str, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Suggested:
    """Questions of one line each, at most 200 characters, none twice; none at all when the answer was of no use."""

    questions: tuple[str, ...]
    origin: Origin
    usage: Usage
    warnings: tuple[str, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Conversations:
    """Each job is one call of an LLM, admitted, metered and recorded as a chat is, and it fails as a chat does.

    A call that fails is reported, so that the caller decides whether to try again or to go on without. A model that
    answers nonsense is no failure: the call counts, there is a fallback, and the result says so; the model is not asked
    a second time behind the caller's back.
    """

    inference: Inference
    standing: StandingReader
    platform: Platform

    async def name(self, actor: Actor, call: NamingCall) -> Named:
        """A title for the conversation, in its language. InvalidInput, QuotaExhausted, … or an UpstreamError."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        model, row = await self._model(actor, call.model)
        turns = conversation.opening(call.messages, row)
        asking = conversation.asking(conversation.naming(turns), model, row)
        answered = await self.inference.chat(actor, asking, Job.NAMING)
        found = title_in(answered.answer)
        title = found or headed(turns[0].text, LONGEST_TITLE)
        missed = () if found else ("the answer held no title; the first words stand in for it",)
        return Named(title, _origin(found), answered.answer.usage, _warnings(answered, missed), answered.receipt)

    async def suggest(self, actor: Actor, call: SuggestionCall) -> Suggested:
        """Up to `count` questions that the user may ask next, in the conversation's language. Fails like `name`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        model, row = await self._model(actor, call.model)
        turns = conversation.recent(call.messages, row)
        prompt = conversation.suggesting(turns, call.count, call.instruction)
        answered = await self.inference.chat(actor, conversation.asking(prompt, model, row), Job.SUGGESTION)
        asked = (turn.text for turn in turns if turn.role is Role.USER)
        found = questions_in(answered.answer, call.count, asked)
        missed = () if len(found) == call.count else (f"the answer held {len(found)} of {call.count} questions",)
        return Suggested(found, _origin(found), answered.answer.usage, _warnings(answered, missed), answered.receipt)

    async def _model(self, actor: Actor, asked: ModelRef | None) -> tuple[ModelRef, Model | None]:
        """Which model will answer, and what is known of its limits."""
        standing = (await self.standing(actor.tenant_id)).within(actor.reach)
        ref = resolved(asked, ModelType.LLM, standing, self.platform)
        return ref, model_of(ref, standing, self.platform.catalogue)


def _origin(found: object) -> Origin:
    return Origin.MODEL if found else Origin.FALLBACK


def _warnings(answered: Answered[ChatAnswer], missed: tuple[str, ...]) -> tuple[str, ...]:
    return (*answered.answer.warnings, *missed)
