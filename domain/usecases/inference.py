"""Asking a model: chats, whole and streamed, embeddings, reranking, transcripts and speech."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from domain.errors import UpstreamError
from domain.model.access import Actor, Scope
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import ModelRef
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Finished, Usage, Warned
from domain.model.ids import CallId, CredentialId
from domain.model.planning import Demand
from domain.model.quota import Outcome
from domain.model.rerank import RerankCall, Reranking
from domain.model.selection import KeySource, OwnKey
from domain.model.speech import SpeakCall, SpokenAudio, TranscribeCall, Transcript
from domain.model.usage import Job
from domain.ports import Detach, Gateway
from domain.usecases import demands
from domain.usecases.metering import Meter, Metering, Ticket
from domain.usecases.outlet import Outlet


class Counted(Protocol):
    """An answer that says what it used."""

    @property
    def usage(self) -> Usage: ...


A = TypeVar("A", bound=Counted)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which model answered, and on whose key; `credential_id` is None on the platform's."""

    call_id: CallId
    model: ModelRef
    paid_by: KeySource
    credential_id: CredentialId | None


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    answer: A
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class SpeechBegun:
    """The first event of speech that is streamed: what kind of audio the pieces make up."""

    receipt: Receipt
    media_type: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inference:
    """Calls run detached from their caller, so one that hangs up leaves no quota unsettled."""

    metering: Metering
    gateway: Gateway
    detach: Detach

    async def chat(self, actor: Actor, call: ChatCall, job: Job = Job.CHAT) -> Answered[ChatAnswer]:
        """The whole answer. InvalidInput, QuotaExhausted, NoCredential, … or an UpstreamError."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()

        async def ask(ticket: Ticket) -> ChatAnswer:
            return await self.gateway.chat(ticket.target, _bounded(call, ticket))

        return await self.detach(self._answered(actor, demands.of_chat(call), job, ask))

    async def embed(self, actor: Actor, call: EmbedCall) -> Answered[Embeddings]:
        """One vector per text, in order. Fails like `chat`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()

        async def ask(ticket: Ticket) -> Embeddings:
            return await self.gateway.embed(ticket.target, replace(call, model=ticket.target.model))

        return await self.detach(self._answered(actor, demands.of_embedding(call), Job.EMBEDDING, ask))

    async def rerank(self, actor: Actor, call: RerankCall) -> Answered[Reranking]:
        """The best documents first, cut to `top_n` and `threshold`. Fails like `chat`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()

        async def ask(ticket: Ticket) -> Reranking:
            answer = await self.gateway.rerank(ticket.target, replace(call, model=ticket.target.model))
            return answer.kept(call)

        return await self.detach(self._answered(actor, demands.of_rerank(call), Job.RERANK, ask))

    async def transcribe(self, actor: Actor, call: TranscribeCall) -> Answered[Transcript]:
        """What was said. InvalidRange for a file beyond the model's own size or formats; else fails like `chat`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()

        async def ask(ticket: Ticket) -> Transcript:
            answer = await self.gateway.transcribe(ticket.target, replace(call, model=ticket.target.model))
            return answer.timed()

        return await self.detach(self._answered(actor, demands.of_transcription(call), Job.TRANSCRIPTION, ask))

    async def speak(self, actor: Actor, call: SpeakCall) -> Answered[SpokenAudio]:
        """The whole audio. InvalidRange for a voice or length that the model lacks; else fails like `chat`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()

        async def ask(ticket: Ticket) -> SpokenAudio:
            async with self.gateway.speak(ticket.target, _voiced(call, ticket), kept=True) as speech:
                audio = b"".join([piece async for piece in speech.pieces])
            return SpokenAudio(speech.media_type, audio, call.usage, speech.warnings)

        return await self.detach(self._answered(actor, demands.of_speech(call), Job.SPEECH, ask))

    def chat_stream(
        self, actor: Actor, call: ChatCall
    ) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent | Receipt]]:
        """A Receipt, then events up to Finished; the iterator raises failures. Leaving ends the upstream call."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        outlet: Outlet[ChatEvent | Receipt] = Outlet()

        async def pump(ticket: Ticket, meter: Meter) -> None:
            async with self.gateway.chat_stream(ticket.target, _bounded(call, ticket)) as events:
                await _pass_on(events, outlet, ticket, meter)

        return self._streamed(outlet, lambda: self._pumped(actor, demands.of_chat(call), Job.CHAT, pump))

    def speak_stream(
        self, actor: Actor, call: SpeakCall
    ) -> AbstractAsyncContextManager[AsyncIterator[SpeechBegun | bytes]]:
        """A SpeechBegun, then the audio in pieces; fails like `chat_stream`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        outlet: Outlet[SpeechBegun | bytes] = Outlet()

        async def pump(ticket: Ticket, meter: Meter) -> None:
            async with self.gateway.speak(ticket.target, _voiced(call, ticket)) as speech:
                await outlet.put(SpeechBegun(_receipt(ticket), speech.media_type, speech.warnings))
                async for piece in speech.pieces:
                    if not await outlet.put(piece):
                        meter.outcome = Outcome.ABANDONED
                        return
            meter.succeeded(call.usage)

        return self._streamed(outlet, lambda: self._pumped(actor, demands.of_speech(call), Job.SPEECH, pump))

    @asynccontextmanager
    async def _streamed(
        self, outlet: Outlet[T], pump: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[AsyncIterator[T]]:
        self.detach(outlet.fed_by(pump()))
        try:
            yield outlet.items()
        finally:
            outlet.leave()

    async def _answered(
        self, actor: Actor, demand: Demand, job: Job, ask: Callable[[Ticket], Awaitable[A]]
    ) -> Answered[A]:
        answers: list[Answered[A]] = []

        async def run(ticket: Ticket, meter: Meter) -> None:
            answer = await ask(ticket)
            meter.succeeded(answer.usage)
            answers.append(Answered(answer, _receipt(ticket)))

        await self._pumped(actor, demand, job, run)
        return answers[0]

    async def _pumped(
        self, actor: Actor, demand: Demand, job: Job, run: Callable[[Ticket, Meter], Awaitable[None]]
    ) -> None:
        """Run the call on one key after the other, each attempt metered for itself, until one does not fail."""
        ticket = await self.metering.admit(actor, demand, job)
        while True:
            try:
                async with self.metering.metered(ticket) as meter:
                    return await run(ticket, meter)
            except UpstreamError as failure:
                ticket = await self.metering.again(ticket, failure)


async def _pass_on(
    events: AsyncIterator[ChatEvent], outlet: "Outlet[ChatEvent | Receipt]", ticket: Ticket, meter: Meter
) -> None:
    """The receipt, then the events. Where tokens are counted, what nobody wants is read on, up to the vendor's count.

    Nothing is passed on before the vendor's first event: until then another key may take over.
    """
    held: list[ChatEvent | Receipt] = [_receipt(ticket)]
    async for event in events:
        held.append(event)
        if isinstance(event, Warned):
            continue
        wanted = all([await outlet.put(each) for each in held])
        held.clear()
        if isinstance(event, Finished):
            meter.succeeded(event.usage)
        elif not wanted and not ticket.counts_tokens:
            meter.outcome = Outcome.ABANDONED
            return


def _bounded(call: ChatCall, ticket: Ticket) -> ChatCall:
    """The call with its model resolved, and the output limit that the hold was made for sent along."""
    return replace(call, model=ticket.target.model, knobs=replace(call.knobs, max_tokens=ticket.max_output))


def _voiced(call: SpeakCall, ticket: Ticket) -> SpeakCall:
    """The call with its model resolved, and that model's first voice where none was asked for."""
    row = ticket.plan.row
    first = row.voices[0].id if row and row.voices else None
    return replace(call, model=ticket.target.model, voice=call.voice or first)


def _receipt(ticket: Ticket) -> Receipt:
    own = ticket.source if isinstance(ticket.source, OwnKey) else None
    source = KeySource.OWN if own else KeySource.PLATFORM
    return Receipt(ticket.id, ticket.target.model, source, own.credential.id if own else None)
