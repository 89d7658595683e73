"""The shapes in which a vendor is declared: what an adapter says, and what a dialect promises. No I/O here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import httpx2

from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormField, FormValues, ModelType, Provider, ProviderKind
from domain.model.events import ChatAnswer, ChatEvent, Embeddings
from domain.model.labels import Text
from domain.model.rerank import DOCUMENTS_LIMIT, RerankCall, Reranking
from domain.model.speech import SpeakCall, TranscribeCall, Transcript
from domain.ports import ListedModel, Target
from infrastructure.providers.wire.multipart import Part

JSON = "application/json"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it is signed: `path` is joined to `base`, or to the adapter's base URL; never a tenant's choice.

    Its body is `json`, a form of `parts`, or `content` as it is, of `media_type`. `accept` is the media type of the
    answer, BYTES for audio, or the framing of a stream that is not its dialect's. `warnings` name what was asked for
    and left out. A `base` that depends on the credential is a function of its form.
    """

    path: str
    json: Mapping[str, Any] | None = None
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parts: Sequence[Part] = ()
    content: bytes = field(default=b"", repr=False)
    media_type: str = BYTES
    accept: str = JSON
    base: str | Callable[[FormValues], str] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a stream: an event with its name, or one line of NDJSON (then `event` is empty).

    `fault` marks what the framing itself tells apart as the report of a failure, named by `event`.
    """

    data: str
    event: str = ""
    fault: bool = False


class Framing(Enum):
    SSE = "text/event-stream"
    NDJSON = "application/x-ndjson"
    EVENT_STREAM = "application/vnd.amazon.eventstream"
    EVENT_STREAM_OF_SSE = "application/vnd.amazon.eventstream, text/event-stream"


class Decoder(Protocol):
    """Holds the state of one stream."""

    def feed(self, frame: Frame) -> Iterable[ChatEvent]:
        """Events of this frame, Finished exactly once and last; an UpstreamError when the frame reports a failure."""
        ...

    def end(self) -> Iterable[ChatEvent]:
        """To call when the stream is over: what is still due, or StreamBroken when its terminal signal never came."""
        ...


class ChatDialect(Protocol):
    @property
    def framing(self) -> Framing: ...

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request: ...
    def parse(self, body: Mapping[str, Any]) -> ChatAnswer: ...
    def decoder(self) -> Decoder: ...


class EmbedDialect(Protocol):
    def render(self, target: Target, call: EmbedCall) -> Request: ...
    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        """Exactly `count` vectors in the order of the texts, all finite; BadRequestUpstream otherwise."""
        ...

    def batch(self, target: Target) -> int:
        """The most texts that one request may carry."""
        ...


class RerankDialect(Protocol):
    def render(self, target: Target, call: RerankCall) -> Request:
        """Asks about every document, whatever the call's `top_n` and `threshold`."""
        ...

    def parse(self, body: Any, count: int) -> Reranking:
        """Each of `count` documents once, with a finite score, best first; BadRequestUpstream otherwise."""
        ...


class TranscribeDialect(Protocol):
    def render(self, target: Target, call: TranscribeCall) -> Request: ...
    def parse(self, body: Any) -> Transcript:
        """Of the answer's JSON, or of the list of it in server-sent events where the request accepts these."""
        ...


class AudioDecoder(Protocol):
    """Holds the state of one stream of spoken audio."""

    def feed(self, frame: Frame) -> bytes:
        """The audio in this frame, often none; an UpstreamError when the frame reports a failure."""
        ...

    def end(self) -> None:
        """To call when the stream is over: StreamBroken when its terminal signal never came."""
        ...


class SpeakDialect(Protocol):
    def render(self, target: Target, call: SpeakCall) -> Request: ...
    def media_type(self, call: SpeakCall) -> str:
        """What the audio is when the answer does not say."""
        ...

    def decoder(self, call: SpeakCall) -> AudioDecoder | None:
        """What finds the audio in a stream of server-sent events; None where the answer's bytes are the audio."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Models of a vendor's list, and what the next page is asked for with; None when there is none."""

    models: tuple[ListedModel, ...]
    following: str | None = None


class ModelsDialect(Protocol):
    def render(self, following: str | None = None) -> Request: ...
    def parse(self, body: Any) -> Page: ...


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A vendor's answer with a status of 400 or more, or an error found in a 200: body as parsed JSON, or text."""

    status: int
    headers: Mapping[str, str]
    body: Any


def every_document(form: FormValues) -> int:  # noqa: ARG001 - a seam: some vendors' forms say it
    """As many as a call may have."""
    return DOCUMENTS_LIMIT


Proof = Callable[[UpstreamError], bool]


def no_proof(failure: UpstreamError) -> bool:  # noqa: ARG001 - whatever it is
    return False


def names_error(body: Mapping[str, Any]) -> bool:
    return bool(body.get("error"))


@dataclass(frozen=True, slots=True)
class Adapter:
    """One vendor.

    `base_url` gives the address that paths are joined to, `sign` the authentication for one request, `probe` the
    cheapest request that proves a form (its answer only has to be no error), `error` the meaning of a refusal. `proves`
    tells the refusals of the probe that prove a form as well: the key is good, but may not do this one thing. `failed`
    tells the answers that are refusals in spite of their status. `documents` is the most that one request ranks, where
    scores do not depend on the company.
    """

    id: str
    kind: ProviderKind
    form: tuple[FormField, ...]
    base_url: Callable[[FormValues], str]
    sign: Callable[[FormValues], httpx2.Auth | None]
    probe: Callable[[Target | None, FormValues], Request]
    error: Callable[[str, ErrorReply], UpstreamError]
    chat: ChatDialect | None = None
    embed: EmbedDialect | None = None
    rerank: RerankDialect | None = None
    transcribe: TranscribeDialect | None = None
    speak: SpeakDialect | None = None
    models: ModelsDialect | None = None
    proves: Proof = no_proof
    documents: Callable[[FormValues], int] = every_document
    failed: Callable[[Mapping[str, Any]], bool] = names_error

    @property
    def types(self) -> frozenset[ModelType]:
        spoken: Mapping[ModelType, object] = {
            ModelType.LLM: self.chat,
            ModelType.EMBEDDING: self.embed,
            ModelType.RERANK: self.rerank,
            ModelType.SPEECH_TO_TEXT: self.transcribe,
            ModelType.TEXT_TO_SPEECH: self.speak,
        }
        return frozenset(t for t, dialect in spoken.items() if dialect is not None)

    def provider(self, models: tuple[Any, ...] = ()) -> Provider:
        """The vendor with its model rows, under its bare id."""
        lists = self.models is not None
        return Provider(self.id, Text(self.id), self.kind, self.types, self.form, models=models, lists_models=lists)
