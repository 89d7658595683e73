"""Every operation of the port to vendors: render, exchange, parse. Nothing else calls a vendor."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import httpx2

from domain.errors import BadRequestUpstream, NotFound, UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues, ModelRef
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Warned, fold
from domain.model.ids import TenantId
from domain.model.rerank import RerankCall, Reranking
from domain.model.speech import SpeakCall, Speech, TranscribeCall, Transcript
from domain.ports import ListedModel, Target
from infrastructure.providers import incoming, streaming
from infrastructure.providers.batches import batched, dealt, joined, merged
from infrastructure.providers.exchange import Exchange, Limits, Party
from infrastructure.providers.outgoing import origin
from infrastructure.providers.spec import BYTES, JSON, Adapter, ChatDialect, Framing, ModelsDialect, Page, Request

__all__ = ["HttpGateway", "Limits"]

Answer = TypeVar("Answer", ChatAnswer, Embeddings, Reranking, Transcript)
Dialect = TypeVar("Dialect")
_USUAL = Limits()


class HttpGateway:
    """domain.ports.Gateway over HTTP. `client` sets the time-outs for connecting and between two reads."""

    def __init__(self, adapters: Mapping[str, Adapter], client: httpx2.AsyncClient, limits: Limits = _USUAL) -> None:
        self._adapters = adapters
        self._exchange = Exchange(client, limits)
        self._limits = limits

    def endpoint(self, provider: str, form: FormValues) -> str:
        return origin(self._adapter(provider), form)

    async def probe(
        self, provider: str, form: FormValues, model: ModelRef | None, *, tenant: TenantId | None = None
    ) -> None:
        to = Party(self._adapter(provider), form, tenant=tenant)
        request = to.adapter.probe(Target(model, form) if model else None, form)
        try:
            async with self._exchange.in_time(to, self._limits.probe):
                await self._accepted(to, request)
        except UpstreamError as failure:
            if not to.adapter.proves(failure):
                raise

    async def listed(self, provider: str, form: FormValues, *, tenant: TenantId | None = None) -> Sequence[ListedModel]:
        to = Party(self._adapter(provider), form, tenant=tenant)
        dialect = to.adapter.models
        if dialect is None:
            raise UnsupportedFeature("a list of its models", provider)
        found: dict[str, ListedModel] = {}
        async with self._exchange.in_time(to, self._limits.probe), aclosing(self._pages(to, dialect)) as pages:
            async for page in pages:
                for model in page.models:
                    found.setdefault(model.name, model)
        return tuple(found.values())

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer:
        to, dialect = self._spoken(target, lambda adapter: adapter.chat, "chat")
        request = dialect.render(target, call, stream=False)
        if request.accept == dialect.framing.value:
            return await self._folded(to, dialect, request)
        return await self._whole(to, request, dialect.parse)

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        to, dialect = self._spoken(target, lambda adapter: adapter.chat, "chat")
        request = dialect.render(target, call, stream=True)
        if request.accept == JSON:
            request = replace(request, accept=dialect.framing.value)
        async with (
            self._exchange.in_time(to, self._limits.total),
            self._exchange.answer(to, request) as response,
            aclosing(self._events(to, dialect, request, response)) as events,
        ):
            yield events

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings:
        to, dialect = self._spoken(target, lambda adapter: adapter.embed, "embeddings")
        parts = await self._in_parts(
            to,
            (
                (dialect.render(target, part), partial(dialect.parse, count=len(part.texts)))
                for part in batched(call, dialect.batch(target))
            ),
        )
        with incoming.understood(to.name, to.form, 200):
            return joined(parts)

    async def rerank(self, target: Target, call: RerankCall) -> Reranking:
        to, dialect = self._spoken(target, lambda adapter: adapter.rerank, "reranking")
        parts = await self._in_parts(
            to,
            (
                (dialect.render(target, part), partial(dialect.parse, count=len(part.documents)))
                for part in dealt(call, to.adapter.documents(target.form))
            ),
        )
        return merged(parts)

    async def transcribe(self, target: Target, call: TranscribeCall) -> Transcript:
        to, dialect = self._spoken(target, lambda adapter: adapter.transcribe, "transcription")
        return await self._whole(to, dialect.render(target, call), dialect.parse)

    @asynccontextmanager
    async def speak(self, target: Target, call: SpeakCall, *, kept: bool = False) -> AsyncIterator[Speech]:
        to, dialect = self._spoken(target, lambda adapter: adapter.speak, "speech")
        request = dialect.render(target, call)
        async with (
            self._exchange.in_time(to, self._limits.total),
            self._exchange.audio(to, request, dialect.decoder(call), kept=kept) as audio,
        ):
            named = audio.media_type if audio.media_type.startswith("audio/") else dialect.media_type(call)
            yield Speech(named, audio.pieces, request.warnings)

    def _adapter(self, provider: str) -> Adapter:
        adapter = self._adapters.get(provider)
        if adapter is None:
            raise NotFound("provider")
        return adapter

    def _spoken(
        self, target: Target, dialect_of: Callable[[Adapter], Dialect | None], feature: str
    ) -> tuple[Party, Dialect]:
        adapter = self._adapter(target.model.provider)
        dialect = dialect_of(adapter)
        if dialect is None:
            raise UnsupportedFeature(feature, str(target.model))
        return Party(adapter, target.form, target.patient, target.tenant), dialect

    async def _whole(self, to: Party, request: Request, parse: Callable[[Any], Answer]) -> Answer:
        async with self._exchange.in_time(to, self._limits.total):
            body = await self._exchange.json(to, request)
        return _read(to, request, parse, body)

    async def _folded(self, to: Party, dialect: ChatDialect, request: Request) -> ChatAnswer:
        """The whole answer of a model that only streams."""
        async with (
            self._exchange.in_time(to, self._limits.total),
            self._exchange.answer(to, request) as response,
            aclosing(self._events(to, dialect, request, response, kept=True)) as events,
        ):
            return fold([event async for event in events])

    async def _in_parts(
        self, to: Party, requests: Iterable[tuple[Request, Callable[[Any], Answer]]]
    ) -> Sequence[Answer]:
        """The answers to the requests of one call. After the first, a failure may have cost something."""
        parts: list[Answer] = []
        try:
            async with self._exchange.in_time(to, self._limits.total):
                for request, parse in requests:
                    parts.append(_read(to, request, parse, await self._exchange.json(to, request)))
        except UpstreamError as failure:
            if parts:
                failure.sent, failure.status = True, None
            raise
        return parts

    async def _accepted(self, to: Party, request: Request) -> None:
        if request.accept == BYTES:
            async with self._exchange.audio(to, request):
                return
        await self._exchange.json(to, request)

    async def _pages(self, to: Party, dialect: ModelsDialect) -> AsyncGenerator[Page, None]:
        """Page by page; BadRequestUpstream when they do not end within bounds."""
        following: str | None = None
        for _ in range(self._limits.pages):
            body = await self._exchange.json(to, dialect.render(following))
            with incoming.understood(to.name, to.form, 200):
                page = dialect.parse(body)
            yield page
            following = page.following
            if following is None:
                return
        raise BadRequestUpstream(to.name, 200, f"the list of models goes on after {self._limits.pages} pages")

    async def _events(
        self, to: Party, dialect: ChatDialect, request: Request, response: httpx2.Response, *, kept: bool = False
    ) -> AsyncGenerator[ChatEvent, None]:
        for warning in request.warnings:
            yield Warned(warning)
        framing = Framing(request.accept)
        with incoming.understood(to.name, to.form, response.status_code), self._exchange.room(to) as hold:
            if framing is Framing.SSE and incoming.media_type(response) == JSON:
                for event in streaming.unfolded(dialect.parse(await self._exchange.body(to, response))):
                    yield event
                return
            pieces = incoming.pieces(to.name, response, self._limits.stream, hold if kept else None)
            framer = streaming.framer_for(framing, self._limits.frame)
            unfinished = None if kept else hold
            events = streaming.decoded(pieces, framer, dialect.decoder(), response.status_code, unfinished)
            async with aclosing(pieces), aclosing(events):
                async for event in events:
                    yield event


def _read(to: Party, request: Request, parse: Callable[[Any], Answer], body: Any) -> Answer:
    """The dialect's reading of an answer, beside what was left out of the request."""
    with incoming.understood(to.name, to.form, 200):
        answer = parse(body)
    return replace(answer, warnings=request.warnings + answer.warnings) if request.warnings else answer
