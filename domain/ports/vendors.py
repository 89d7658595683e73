"""The way to the vendors."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.events import ChatAnswer, ChatEvent, Embeddings
from domain.model.ids import TenantId
from domain.model.rerank import RerankCall, Reranking
from domain.model.speech import SpeakCall, Speech, TranscribeCall, Transcript


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the model, and the opened form of the credential that pays for it.

    `patient` False asks for no second attempt at the vendor: the caller has another credential to turn to. `tenant` is
    whose call it is: memory is shared fairly among them.
    """

    model: ModelRef
    form: FormValues
    patient: bool = True
    tenant: TenantId | None = None


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as the vendor's own list names it; what the list does not tell is None."""

    name: str
    type: ModelType | None = None
    context: int | None = None


class Gateway(Protocol):
    """The only way to a vendor. Every failure is an UpstreamError, InvalidInput or EndpointForbidden without secrets.

    `UpstreamError.sent` tells whether a byte of the request may have reached the vendor.
    """

    def endpoint(self, provider: str, form: FormValues) -> str:
        """The origin (scheme://host:port) that this form is sent to."""
        ...

    async def probe(
        self, provider: str, form: FormValues, model: ModelRef | None, *, tenant: TenantId | None = None
    ) -> None:
        """Prove a form by the vendor's cheapest real call; `model` is given for hosted vendors."""
        ...

    async def chat(self, target: Target, call: ChatCall) -> ChatAnswer: ...

    def chat_stream(self, target: Target, call: ChatCall) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """Events ending in Finished, else StreamBroken is raised. Entering sends; leaving closes the upstream."""
        ...

    async def embed(self, target: Target, call: EmbedCall) -> Embeddings: ...

    async def rerank(self, target: Target, call: RerankCall) -> Reranking:
        """Every document once, best first, whatever the call's `top_n` and `threshold`."""
        ...

    async def transcribe(self, target: Target, call: TranscribeCall) -> Transcript: ...

    def speak(self, target: Target, call: SpeakCall, *, kept: bool = False) -> AbstractAsyncContextManager[Speech]:
        """Entering sends and waits for the first byte; leaving closes the upstream.

        `kept` is for who holds all of it to the end: its memory is then shared as that of whole answers is.
        """
        ...

    async def listed(self, provider: str, form: FormValues, *, tenant: TenantId | None = None) -> Sequence[ListedModel]:
        """The vendor's own list of models, each name once; UnsupportedFeature where it has none."""
        ...
