"""Asking a model: chat, whole and streamed, and embeddings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from domain.model.access import Actor, Scope
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Finished
from domain.model.ids import CallId, CredentialId
from domain.model.quota import Outcome
from domain.model.selection import KeySource, OwnKey
from domain.ports import Detach, Gateway
from domain.usecases.metering import Demand, Metering, Ticket
from domain.usecases.outlet import Outlet

A = TypeVar("A", ChatAnswer, Embeddings)


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
class Inference:
    """Calls run detached from their caller, so one that hangs up leaves no quota unsettled."""

    metering: Metering
    gateway: Gateway
    detach: Detach

    async def chat(self, actor: Actor, call: ChatCall) -> Answered[ChatAnswer]:
        """The whole answer. InvalidInput, QuotaExhausted, NoCredential, … or an UpstreamError."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        return await self.detach(self._chat(actor, call))

    async def embed(self, actor: Actor, call: EmbedCall) -> Answered[Embeddings]:
        """One vector per text, in order. Fails like `chat`."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        return await self.detach(self._embed(actor, call))

    @asynccontextmanager
    async def chat_stream(self, actor: Actor, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent | Receipt]]:
        """A Receipt, then events up to Finished; the iterator raises failures. Leaving ends the upstream call."""
        actor.require(Scope.MODELS_INVOKE)
        call.check()
        outlet: Outlet[ChatEvent | Receipt] = Outlet()
        self.detach(outlet.fed_by(self._pump(actor, call, outlet)))
        try:
            yield outlet.items()
        finally:
            outlet.leave()

    async def _chat(self, actor: Actor, call: ChatCall) -> Answered[ChatAnswer]:
        ticket = await self.metering.admit(actor, _chat_demand(call))
        async with self.metering.metered(ticket) as meter:
            answer = await self.gateway.chat(ticket.target, _bounded(call, ticket))
            meter.succeeded(answer.usage)
        return Answered(answer, _receipt(ticket))

    async def _embed(self, actor: Actor, call: EmbedCall) -> Answered[Embeddings]:
        demand = Demand(call.model, ModelType.EMBEDDING, prompt_characters=sum(map(len, call.texts)))
        ticket = await self.metering.admit(actor, demand)
        async with self.metering.metered(ticket) as meter:
            answer = await self.gateway.embed(ticket.target, replace(call, model=ticket.target.model))
            meter.succeeded(answer.usage)
        return Answered(answer, _receipt(ticket))

    async def _pump(self, actor: Actor, call: ChatCall, outlet: "Outlet[ChatEvent | Receipt]") -> None:
        ticket = await self.metering.admit(actor, _chat_demand(call))
        async with self.metering.metered(ticket) as meter:
            await outlet.put(_receipt(ticket))
            async with self.gateway.chat_stream(ticket.target, _bounded(call, ticket)) as events:
                async for event in events:
                    wanted = await outlet.put(event)
                    if isinstance(event, Finished):
                        meter.succeeded(event.usage)
                    elif not wanted and not ticket.counts_tokens:
                        meter.outcome = Outcome.ABANDONED
                        break


def _chat_demand(call: ChatCall) -> Demand:
    return Demand(call.model, ModelType.LLM, call.features(), call.size(), call.knobs.max_tokens)


def _bounded(call: ChatCall, ticket: Ticket) -> ChatCall:
    """The call with its model resolved, and the output limit that the hold was made for sent along."""
    return replace(call, model=ticket.target.model, knobs=replace(call.knobs, max_tokens=ticket.max_output))


def _receipt(ticket: Ticket) -> Receipt:
    own = ticket.source if isinstance(ticket.source, OwnKey) else None
    source = KeySource.OWN if own else KeySource.PLATFORM
    return Receipt(ticket.id, ticket.target.model, source, own.credential.id if own else None)
