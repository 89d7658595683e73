"""A vendor that follows a script."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.errors import (
    DomainError,
)
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues, ModelRef
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, fold
from domain.model.ids import TenantId
from domain.model.rerank import RerankCall, Reranking
from domain.model.speech import SpeakCall, Speech, TranscribeCall, Transcript
from domain.ports import ListedModel, Target

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class FakeSpeech:
    """What to say: a failure is raised where it stands."""

    pieces: tuple[bytes | DomainError, ...]
    media_type: str = "audio/mpeg"


@dataclass(frozen=True, slots=True)
class FakeList:
    models: tuple[ListedModel, ...]


Reply = ChatAnswer | Embeddings | Reranking | Transcript | FakeSpeech | FakeList | Sequence[ChatEvent | DomainError]
Asked = ChatCall | EmbedCall | RerankCall | TranscribeCall | SpeakCall


class FakeGateway:
    """Answers in the order of its script: a value or the events of a chat, or a failure to raise.

    An empty script answers a probe with yes, and is an error for anything else. `asked` keeps what was asked for,
    `tenants` for whom.
    """

    def __init__(self, *script: Reply | DomainError) -> None:
        self.script = deque(script)
        self.asked: list[Asked | FormValues] = []
        self.targets: list[Target] = []
        self.tenants: list[TenantId | None] = []

    def endpoint(self, provider: str, form: FormValues) -> str:
        """That of the first address in the form, else one of the provider's own."""
        addresses = (v for v in form.values() if isinstance(v, str) and v.startswith(("http://", "https://")))
        url = urlsplit(next(addresses, f"https://{provider}.example"))
        return f"{url.scheme}://{url.hostname}:{url.port or _PORTS[url.scheme]}"

    async def probe(
        self, provider: str, form: FormValues, model: ModelRef | None, *, tenant: TenantId | None = None
    ) -> None:
        self.asked.append(form)
        self.tenants.append(tenant)
        if self.script:
            self._next()

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer:
        answer = self._answer(target, call)
        if isinstance(answer, ChatAnswer):
            return answer
        assert isinstance(answer, Sequence)
        return fold([event async for event in _each(answer)])

    @asynccontextmanager
    async def chat_stream(self, target: Target, call: ChatCall) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        """A failure in the script's events is raised where it stands."""
        answer = self._answer(target, call)
        assert isinstance(answer, Sequence)
        yield _each(answer)

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings:
        answer = self._answer(target, call)
        assert isinstance(answer, Embeddings)
        return answer

    async def rerank(self, target: Target, call: RerankCall) -> Reranking:
        answer = self._answer(target, call)
        assert isinstance(answer, Reranking)
        return answer

    async def transcribe(self, target: Target, call: TranscribeCall) -> Transcript:
        answer = self._answer(target, call)
        assert isinstance(answer, Transcript)
        return answer

    @asynccontextmanager
    async def speak(self, target: Target, call: SpeakCall, *, kept: bool = False) -> AsyncIterator[Speech]:
        answer = self._answer(target, call)
        assert isinstance(answer, FakeSpeech)
        yield Speech(answer.media_type, _spoken(answer.pieces))

    async def listed(self, provider: str, form: FormValues, *, tenant: TenantId | None = None) -> Sequence[ListedModel]:
        self.asked.append(form)
        self.tenants.append(tenant)
        answer = self._next()
        assert isinstance(answer, FakeList)
        return answer.models

    def _answer(self, target: Target, call: Asked) -> Reply:
        self.targets.append(target)
        self.tenants.append(target.tenant)
        self.asked.append(call)
        return self._next()

    def _next(self) -> Reply:
        answer = self.script.popleft()
        if isinstance(answer, DomainError):
            raise answer
        return answer


async def _each(events: Sequence[ChatEvent | DomainError]) -> AsyncIterator[ChatEvent]:
    for event in events:
        await asyncio.sleep(0)
        if isinstance(event, DomainError):
            raise event
        yield event


async def _spoken(pieces: Sequence[bytes | DomainError]) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        if isinstance(piece, DomainError):
            raise piece
        yield piece
