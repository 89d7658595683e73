"""One exchange with a vendor: signed, sent, tried again where that helps, and its answer read within bounds."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2

from domain.errors import BadRequestUpstream, DomainError, UpstreamError, UpstreamTimeout
from domain.model.catalogue import FormValues
from domain.model.ids import TenantId
from infrastructure.providers import incoming, streaming
from infrastructure.providers.failures import unanswered
from infrastructure.providers.outgoing import body_of, outgoing
from infrastructure.providers.retries import Attempts, Patience
from infrastructure.providers.room import Hold, Room
from infrastructure.providers.spec import JSON, Adapter, AudioDecoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire import bodies

_KIB, _MIB = 2**10, 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call: `total` and `probe` in seconds, retries and waits included; the rest in bytes, and pages.

    `told` is how many seconds a vendor has for the words of a refusal, once its status came; `together` bounds the
    answers of all calls that are kept whole at one time.
    """

    total: float = 600.0
    probe: float = 60.0
    told: float = 2.0
    whole: int = 32 * _MIB
    together: int = 256 * _MIB
    stream: int = 64 * _MIB
    frame: int = 4 * _MIB
    refusal: int = 64 * _KIB
    pages: int = 50
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a call goes to: the vendor, the form that pays, and whether its refusals may be answered by trying again.

    `tenant` is whose call it is.
    """

    adapter: Adapter
    form: FormValues
    patient: bool = True
    tenant: TenantId | None = None

    @property
    def name(self) -> str:
        return self.adapter.id


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio of which the first bytes have come; the media type is empty when the vendor names none."""

    media_type: str
    pieces: AsyncGenerator[bytes, None]


class Exchange:
    """Requests and answers over `client`, which sets the time-outs for connecting and between two reads."""

    def __init__(self, client: httpx2.AsyncClient, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._room = Room(limits.together)
        self._extensions = {"timeout": client.timeout.as_dict()}

    @asynccontextmanager
    async def in_time(self, to: Party, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds) as deadline:
                yield
        except TimeoutError:
            if not deadline.expired():
                raise
            detail = f"the answer was not complete within {seconds:g} seconds"
            raise UpstreamTimeout(to.name, detail=detail) from None

    def room(self, to: Party) -> AbstractContextManager[Hold]:
        """For what is kept of one answer."""
        return self._room.held(to.tenant)

    async def json(self, to: Party, request: Request) -> Any:
        """The answer's JSON; of server-sent events, where these are asked for, the list of theirs."""
        async with self.answer(to, request) as response:
            if request.accept == incoming.media_type(response) == Framing.SSE.value:
                return await self._events(to, response)
            return await self.body(to, response)

    async def body(self, to: Party, response: httpx2.Response) -> Any:
        with incoming.understood(to.name, to.form, response.status_code), self.room(to) as hold:
            body = bodies.parsed(await incoming.whole(to.name, response, self._limits.whole, hold))
        if isinstance(body, dict) and to.adapter.failed(body):
            raise incoming.refused(to.adapter, to.form, ErrorReply(response.status_code, response.headers, body))
        return body

    async def _events(self, to: Party, response: httpx2.Response) -> list[Any]:
        said: list[Any] = []
        with incoming.understood(to.name, to.form, response.status_code), self.room(to) as hold:
            framer = streaming.framer_for(Framing.SSE, self._limits.frame)
            async with aclosing(incoming.pieces(to.name, response, self._limits.whole, hold)) as pieces:
                async for piece in pieces:
                    said += _values(framer.feed(piece))
            return said + _values(framer.end())

    @asynccontextmanager
    async def audio(
        self, to: Party, request: Request, decoder: AudioDecoder | None = None, *, kept: bool = False
    ) -> AsyncIterator[Audio]:
        """Audio, once its first bytes are there; an UpstreamError for anything else, or nothing, in its place.

        With a `decoder` it is found in server-sent events.
        """
        async with self.answer(to, request) as response:
            if incoming.media_type(response) == JSON:
                await self.body(to, response)
            incoming.check_audio(to.name, response, in_events=decoder is not None)
            async with aclosing(self._heard(to, response, decoder, kept)) as pieces:
                first = await anext(pieces, b"")
                if not first:
                    raise BadRequestUpstream(to.name, response.status_code, "the answer holds no audio")
                async with aclosing(_from(first, pieces)) as all_pieces:
                    yield Audio(incoming.media_type(response), all_pieces)

    async def _heard(
        self, to: Party, response: httpx2.Response, decoder: AudioDecoder | None, kept: bool
    ) -> AsyncGenerator[bytes, None]:
        with incoming.understood(to.name, to.form, response.status_code), self.room(to) as hold:
            pieces = incoming.pieces(to.name, response, self._limits.stream, hold if kept else None)
            framer = streaming.framer_for(Framing.SSE, self._limits.frame)
            unfinished = None if kept else hold
            heard = streaming.spoken(pieces, framer, decoder, response.status_code, unfinished) if decoder else pieces
            async with aclosing(pieces), aclosing(heard):
                async for piece in heard:
                    if piece:
                        yield piece

    @asynccontextmanager
    async def answer(self, to: Party, request: Request) -> AsyncIterator[httpx2.Response]:
        """An answer that is none of a refusal, its body unread; closed on the way out."""
        response = await self._opened(to, request)
        try:
            incoming.check_readable(to.name, response)
            yield response
        finally:
            with suppress(Exception):
                await response.aclose()

    async def _opened(self, to: Party, request: Request) -> httpx2.Response:
        attempts = Attempts(self._limits.patience, refusals_stand=not to.patient)
        body = body_of(request)
        while True:
            outward = outgoing(to.adapter, to.form, request, body, self._extensions)
            try:
                return await self._sent(to, outward)
            except UpstreamError as failure:
                pause = attempts.pause(failure)
            if pause is None:
                raise attempts.verdict()
            await asyncio.sleep(pause)

    async def _sent(self, to: Party, outward: httpx2.Request) -> httpx2.Response:
        """One attempt. A library's own exception could show the address or a header, so none gets through."""
        auth = to.adapter.sign(to.form)
        try:
            response = await self._client.send(outward, auth=auth, stream=True)
        except DomainError:
            raise
        except Exception as failure:
            raise unanswered(to.name, failure) from None
        if response.is_success:
            return response
        try:
            raise await incoming.refusal(to.adapter, to.form, response, self._limits.refusal, self._limits.told)
        finally:
            with suppress(Exception):
                await response.aclose()


def _values(frames: Iterable[Frame]) -> list[Any]:
    return [bodies.parsed(frame.data.encode()) for frame in frames if frame.data != "[DONE]"]


async def _from(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async for piece in pieces:
        yield piece
