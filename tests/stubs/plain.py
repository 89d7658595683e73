"""The plainest adapter that the gateway can drive, so that it is tested apart from any real vendor's quirks."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

import httpx2
import orjson

from domain.errors import (
    BadRequestUpstream,
    ContextTooLong,
    CredentialRejected,
    ModelNotFoundUpstream,
    StreamBroken,
    UpstreamError,
    UpstreamPaymentRequired,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.calls import ChatCall, EmbedCall, Message, Role, TextPart
from domain.model.catalogue import FieldKind, FormField, ModelRef, ModelType, ProviderKind, secrets_of
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Finish, Finished, FinishReason, TextDelta, Usage
from domain.model.labels import Text
from domain.model.secret import Secret
from domain.ports import Target
from infrastructure.providers.dialects.model_lists import PagedModels
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.rerank import Rerank
from infrastructure.providers.spec import Adapter, Decoder, ErrorReply, Frame, Framing, Request

_KINDS: dict[int, type[UpstreamError]] = {
    401: CredentialRejected,
    402: UpstreamPaymentRequired,
    404: ModelNotFoundUpstream,
    429: UpstreamRateLimited,
}
_STOP = FinishReason(Finish.STOP, "stop")


class Chat:
    """OpenAI's chat, text only. `tools` in a call are left out with a warning."""

    def __init__(self, framing: Framing = Framing.SSE) -> None:
        self.framing = framing

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        messages = [{"role": m.role, "content": m.text} for m in call.messages]
        json = {"model": target.model.name, "messages": messages, "stream": stream}
        return Request("chat/completions", json, warnings=("tools were left out",) if call.tools else ())

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        return ChatAnswer(body["choices"][0]["message"]["content"], "", (), _STOP, _usage(body))

    def decoder(self) -> Decoder:
        return _Decoder()


class _Decoder:
    def __init__(self) -> None:
        self._stopped = False

    def feed(self, frame: Frame) -> Iterable[ChatEvent]:
        if frame.data == "[DONE]":
            return self.end()
        chunk = orjson.loads(frame.data)
        if "error" in chunk:
            raise refusal("", ErrorReply(chunk["error"]["code"], {}, chunk))
        return self._events(chunk["choices"][0])

    def end(self) -> Iterable[ChatEvent]:
        if not self._stopped:
            raise StreamBroken("")
        return [Finished(_STOP, Usage())]

    def _events(self, choice: Mapping[str, Any]) -> Iterator[ChatEvent]:
        self._stopped = self._stopped or bool(choice.get("finish_reason"))
        if choice["delta"].get("content"):
            yield TextDelta(choice["delta"]["content"])


class Embed:
    """OpenAI's embeddings, as many texts per request as the form's field `batch` says."""

    def render(self, target: Target, call: EmbedCall) -> Request:
        return Request("embeddings", {"model": target.model.name, "input": call.texts}, warnings=("no purpose",))

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        vectors = tuple(tuple(map(float, row["embedding"])) for row in body["data"])
        if len(vectors) != count:
            raise BadRequestUpstream("", 200, f"{len(vectors)} vectors for {count} texts")
        return Embeddings(vectors, _usage(body))

    def batch(self, target: Target) -> int:
        return int(str(target.form["batch"]))


class _Bearer(httpx2.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["authorization"] = f"Bearer {self._key}"
        yield request


def refusal(provider: str, reply: ErrorReply) -> UpstreamError:
    """By status; the text is the error's message, or the whole body when it has no such thing."""
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    kind = _KINDS.get(reply.status, UpstreamUnavailable if reply.status >= 500 else BadRequestUpstream)
    if error.get("code") == "context_length_exceeded":
        kind = ContextTooLong
    wait = reply.headers.get("retry-after")
    return kind(provider, reply.status, error.get("message", str(reply.body)), float(wait) if wait else None)


_LIST = Request("models", method="GET")


def adapter(framing: Framing = Framing.SSE, probe: Request = _LIST) -> Adapter:
    return Adapter(
        id="plain",
        kind=ProviderKind.PROPRIETARY,
        form=(
            FormField("address", Text("Address"), FieldKind.URL),
            FormField("key", Text("Key"), FieldKind.SECRET),
            FormField("batch", Text("Batch"), FieldKind.INTEGER, default="2"),
        ),
        base_url=lambda form: str(form["address"]),
        sign=lambda form: _Bearer("".join(secrets_of(form))),
        probe=lambda *_: probe,
        error=refusal,
        chat=Chat(framing),
        embed=Embed(),
        rerank=Rerank(),
        transcribe=Transcribe(refused=frozenset({"prompt"})),
        speak=Speak(),
        models=PagedModels("models", type=None),
        proves=lambda failure: "some models only" in failure.detail,
    )


def target(url: str, model: str = "stub-chat", *, key: str = "sk-good", batch: int = 2) -> Target:
    form: dict[str, Secret | str] = {"address": f"{url}/v1", "key": Secret(key), "batch": str(batch)}
    return Target(ModelRef("plain", model, ModelType.LLM), form)


def asking(text: str = "Hello?") -> ChatCall:
    return ChatCall((Message(Role.USER, (TextPart(text),)),))


def _usage(body: Mapping[str, Any]) -> Usage:
    counts = body.get("usage") or {}
    return Usage(counts.get("prompt_tokens"), counts.get("completion_tokens"), raw=counts)
