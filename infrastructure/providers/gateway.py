"""The only module that calls a vendor: render, sign, send, read, parse."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from domain.errors import DomainError, NotFound, UnsupportedFeature, UpstreamError, UpstreamTimeout
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues, ModelRef
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Warned
from domain.ports import Target
from infrastructure.providers import incoming, streaming
from infrastructure.providers.batches import batched, joined
from infrastructure.providers.failures import unanswered
from infrastructure.providers.outgoing import body_of, origin, outgoing
from infrastructure.providers.retries import Attempts, Patience
from infrastructure.providers.spec import Adapter, ChatDialect, ErrorReply, Framing, Request
from infrastructure.providers.wire import bodies

_KIB, _MIB = 2**10, 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call: `total` and `probe` in seconds, retries and waits included; the rest in bytes."""

    total: float = 600.0
    probe: float = 60.0
    whole: int = 32 * _MIB
    stream: int = 64 * _MIB
    frame: int = 4 * _MIB
    refusal: int = 64 * _KIB
    patience: Patience = field(default_factory=Patience)


_USUAL = Limits()


class HttpGateway:
    """domain.ports.Gateway over HTTP. `client` sets the time-outs for connecting and between two reads."""

    def __init__(self, adapters: Mapping[str, Adapter], client: httpx2.AsyncClient, limits: Limits = _USUAL) -> None:
        self._adapters = adapters
        self._client = client
        self._limits = limits
        self._extensions = {"timeout": client.timeout.as_dict()}

    def endpoint(self, provider: str, form: FormValues) -> str:
        return origin(self._adapter(provider), form)

    async def probe(self, provider: str, form: FormValues, model: ModelRef | None) -> None:
        adapter = self._adapter(provider)
        async with self._in_time(provider, self._limits.probe):
            await self._json(adapter, form, adapter.probe(Target(model, form) if model else None, form))

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer:
        adapter, dialect = self._chatting(target)
        request = dialect.render(target, call, stream=False)
        async with self._in_time(adapter.id, self._limits.total):
            body = await self._json(adapter, target.form, request)
        with incoming.understood(adapter.id, target.form, 200):
            answer = dialect.parse(body)
        return replace(answer, warnings=request.warnings + answer.warnings) if request.warnings else answer

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        adapter, dialect = self._chatting(target)
        request = dialect.render(target, call, stream=True)
        accept = dialect.framing.value
        async with (
            self._in_time(adapter.id, self._limits.total),
            self._answer(adapter, target.form, request, accept) as response,
            aclosing(self._events(adapter, dialect, target.form, request, response)) as events,
        ):
            yield events

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings:
        adapter = self._adapter(target.model.provider)
        dialect = adapter.embed
        if dialect is None:
            raise UnsupportedFeature("embeddings", str(target.model))
        parts: list[Embeddings] = []
        try:
            async with self._in_time(adapter.id, self._limits.total):
                for part in batched(call, dialect.batch(target.form)):
                    request = dialect.render(target, part)
                    body = await self._json(adapter, target.form, request)
                    with incoming.understood(adapter.id, target.form, 200):
                        answer = dialect.parse(body, len(part.texts))
                    parts.append(replace(answer, warnings=request.warnings + answer.warnings))
        except UpstreamError as failure:
            if parts:
                failure.sent, failure.status = True, None
            raise
        with incoming.understood(adapter.id, target.form, 200):
            return joined(parts)

    def _adapter(self, provider: str) -> Adapter:
        adapter = self._adapters.get(provider)
        if adapter is None:
            raise NotFound("provider")
        return adapter

    def _chatting(self, target: Target) -> tuple[Adapter, ChatDialect]:
        adapter = self._adapter(target.model.provider)
        if adapter.chat is None:
            raise UnsupportedFeature("chat", str(target.model))
        return adapter, adapter.chat

    async def _events(
        self, adapter: Adapter, dialect: ChatDialect, form: FormValues, request: Request, response: httpx2.Response
    ) -> AsyncGenerator[ChatEvent, None]:
        for warning in request.warnings:
            yield Warned(warning)
        with incoming.understood(adapter.id, form, response.status_code):
            if dialect.framing is Framing.SSE and incoming.media_type(response) == "application/json":
                for event in streaming.unfolded(dialect.parse(await self._body(adapter, form, response))):
                    yield event
                return
            pieces = incoming.pieces(adapter.id, response, self._limits.stream)
            framer = streaming.framer_for(dialect.framing, self._limits.frame)
            events = streaming.decoded(pieces, framer, dialect.decoder(), response.status_code)
            async with aclosing(pieces), aclosing(events):
                async for event in events:
                    yield event

    async def _json(self, adapter: Adapter, form: FormValues, request: Request) -> Any:
        async with self._answer(adapter, form, request, "application/json") as response:
            return await self._body(adapter, form, response)

    async def _body(self, adapter: Adapter, form: FormValues, response: httpx2.Response) -> Any:
        with incoming.understood(adapter.id, form, response.status_code):
            body = bodies.parsed(await incoming.whole(adapter.id, response, self._limits.whole))
        if isinstance(body, dict) and body.get("error"):
            raise incoming.refused(adapter, form, ErrorReply(response.status_code, response.headers, body))
        return body

    @asynccontextmanager
    async def _in_time(self, provider: str, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds) as deadline:
                yield
        except TimeoutError:
            if not deadline.expired():
                raise
            detail = f"the answer was not complete within {seconds:g} seconds"
            raise UpstreamTimeout(provider, detail=detail) from None

    @asynccontextmanager
    async def _answer(
        self, adapter: Adapter, form: FormValues, request: Request, accept: str
    ) -> AsyncIterator[httpx2.Response]:
        """An answer that is none of a refusal, its body unread; closed on the way out."""
        response = await self._opened(adapter, form, request, accept)
        try:
            incoming.check_readable(adapter.id, response)
            yield response
        finally:
            with suppress(Exception):
                await response.aclose()

    async def _opened(self, adapter: Adapter, form: FormValues, request: Request, accept: str) -> httpx2.Response:
        attempts = Attempts(self._limits.patience)
        body = body_of(request)
        while True:
            outward = outgoing(adapter, form, request, body, accept, self._extensions)
            try:
                return await self._sent(adapter, form, outward)
            except UpstreamError as failure:
                pause = attempts.pause(failure)
            if pause is None:
                raise attempts.verdict()
            await asyncio.sleep(pause)

    async def _sent(self, adapter: Adapter, form: FormValues, outward: httpx2.Request) -> httpx2.Response:
        """One attempt. A library's own exception could show the address or a header, so none gets through."""
        auth = adapter.sign(form)
        try:
            response = await self._client.send(outward, auth=auth, stream=True)
        except DomainError:
            raise
        except Exception as failure:
            raise unanswered(adapter.id, failure) from None
        if response.is_success:
            return response
        try:
            raise await incoming.refusal(adapter, form, response, self._limits.refusal)
        finally:
            with suppress(Exception):
                await response.aclose()
