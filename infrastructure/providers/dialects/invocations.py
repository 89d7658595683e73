"""Amazon's InvokeEndpoint: a tenant's own container, which speaks one of several dialects behind one address."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote

from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose
from domain.model.events import ChatEvent, Embeddings, Usage
from domain.model.rerank import RerankCall, Reranking
from domain.model.speech import TranscribeCall
from domain.ports import Target
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed, embeddings, vector
from infrastructure.providers.dialects.pipelines import Recognition
from infrastructure.providers.dialects.rerank import ranked
from infrastructure.providers.dialects.turns import left_out, not_understood
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Decoder, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, rows

_OPENAI = Embed(encoding="float")
_COMPONENT = "x-amzn-sagemaker-inference-component"


@dataclass(frozen=True)
class EndpointChat(Chat):
    """OpenAI's chat, whose events come cut into AWS messages; `fault` tells the meaning of one that reports a failure.

    Reads model_id and stream_include_usage.
    """

    fault: Callable[[Frame], UpstreamError] = field(kw_only=True)
    framing: Framing = Framing.EVENT_STREAM_OF_SSE

    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - the form alone decides
        return replace(self, include_usage=entered(target.form, "stream_include_usage", "enabled") == "enabled")

    def model(self, target: Target) -> str:
        return _model(target)

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        return _invoking(target, super().render(target, call, stream=stream), stream=stream)

    def decoder(self) -> Decoder:
        return _FaultDecoder(super().decoder(), self.fault)


@dataclass(frozen=True)
class EndpointEmbed:
    """Reads model_id and embedding_format: bodies as Dify's containers take them, TEI's or OpenAI's."""

    texts: int = 20

    def batch(self, target: Target) -> int:  # noqa: ARG002 - the same for every container
        return self.texts

    def render(self, target: Target, call: EmbedCall) -> Request:
        shape = entered(target.form, "embedding_format", "dify")
        if shape == "openai_compatible":
            return _invoking(target, _OPENAI.written(_model(target), call))
        query = call.purpose is EmbedPurpose.QUERY
        more = {"parameters": {}, "is_query": query, "instruction": ""} if shape == "dify" else {}
        dropped = ["dimensions"] if call.dimensions is not None else []
        warnings = left_out(target.model.name, dropped)
        return _invoking(target, Request("", {"inputs": list(call.texts), **more}, warnings=warnings))

    def parse(self, body: Any, count: int) -> Embeddings:
        if isinstance(dig(body, "data"), list):
            return embeddings(body, count)
        found = rows(body) or rows(dig(body, "embeddings"))
        if len(found) != count:
            raise not_understood(f"{len(found)} vectors came for {count} texts")
        return Embeddings(tuple(map(vector, found)), Usage())


class EndpointRerank:
    """Reads rerank_format: the bodies of Dify's containers, or of Text Embeddings Inference."""

    def render(self, target: Target, call: RerankCall) -> Request:
        documents = list(call.documents)
        if entered(target.form, "rerank_format", "dify") == "tei":
            return _invoking(target, Request("", {"query": call.query, "texts": documents}))
        return _invoking(target, Request("", {"inputs": [call.query] * len(documents), "docs": documents}))

    def parse(self, body: Any, count: int) -> Reranking:
        """Scores in the order of the documents, or each with its index."""
        scored = [{"index": index, "score": score} for index, score in enumerate(rows(dig(body, "scores")))]
        return Reranking(ranked(scored or body, "score", count), Usage())


class EndpointTranscribe(Recognition):
    """The recording as it is, for containers with a pipeline of Transformers, such as Whisper's."""

    def render(self, target: Target, call: TranscribeCall) -> Request:
        return _invoking(target, super().render(target, call))


class _FaultDecoder:
    """`inner`, and faults of the service between its frames."""

    def __init__(self, inner: Decoder, meaning: Callable[[Frame], UpstreamError]) -> None:
        self._inner, self._meaning = inner, meaning

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if frame.fault:
            raise self._meaning(frame)
        yield from self._inner.feed(frame)

    def end(self) -> Iterator[ChatEvent]:
        yield from self._inner.end()


def _model(target: Target) -> str:
    """The name that the container was started with."""
    return entered(target.form, "model_id", target.model.name)


def _invoking(target: Target, request: Request, *, stream: bool = False) -> Request:
    """The request at the form's endpoint, which has the model's name when the form gives none."""
    name = entered(target.form, "sagemaker_endpoint", target.model.name)
    component = entered(target.form, "inference_component")
    headers: Mapping[str, str] = {_COMPONENT: quote(component)} if component else {}
    way = "invocations-response-stream" if stream else "invocations"
    return replace(request, path=f"endpoints/{quote(name, safe='')}/{way}", headers=headers)
