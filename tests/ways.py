"""Every operation of the gateway, at vendors of every dialect and framing, each with an answer that it takes."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from domain.model.calls import ChatCall, EmbedCall
from domain.model.catalogue import ModelType
from domain.model.events import Finished, Usage
from domain.model.rerank import RerankCall
from domain.model.speech import Recording, SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import JSON, Adapter, Framing
from tests.contract import recordings as rec
from tests.contract.amazon import PAIR, message, packed, written
from tests.contract.credentials import FORMS

SSE, NDJSON, AWS = Framing.SSE.value, Framing.NDJSON.value, Framing.EVENT_STREAM.value
AUDIO = "audio/mpeg"
TORN = "gpt-6-luna"
"""A model that has a way of its own to think and call tools at once."""
Call = Callable[[HttpGateway, Target], Awaitable[Usage | None]]


@dataclass(frozen=True, slots=True)
class Way:
    """An operation at a vendor. `whole` is a good answer of `media_type`, with this as each count of its usage.

    `piece` says a text in a stream, `idle` is what keeps one alive; both are None for an answer that is one JSON.
    """

    provider: str
    operation: str
    whole: Callable[[Any], bytes]
    media_type: str = JSON
    piece: Callable[[str], bytes] | None = None
    idle: bytes = b""
    model: str = "some-model"

    def __str__(self) -> str:
        return f"{self.provider} {self.operation}" + (f" of {TORN}" if self.model == TORN else "")

    @property
    def streamed(self) -> bool:
        return self.piece is not None

    def event(self, payload: bytes) -> bytes:
        """Any bytes where a stream has the JSON of an event."""
        match self.provider, self.media_type:
            case "aws_bedrock", _:
                return packed(written({":message-type": "event", ":event-type": "contentBlockDelta"}), payload)
            case "amazon_sagemaker", _:
                return part(b"data: %s\n\n" % payload)
            case _, Framing.NDJSON.value:
                return payload + b"\n"
        return b"data: %s\n\n" % payload

    async def asked(self, gateway: HttpGateway) -> Usage | None:
        """What it used, as far as the operation tells that."""
        kind = KINDS.get(self.operation, ModelType.LLM)
        form = {**FORMS.get(self.provider, {}), **MORE.get(self.provider, {})}
        return await CALLS[self.operation](gateway, rec.target(self.provider, self.model, form, kind))


def at(url: str) -> dict[str, Adapter]:
    """The vendors, all of them at one address."""
    return {name: replace(ADAPTERS[name], base_url=lambda _: url) for name in {way.provider for way in WAYS}}


MORE = {"aws_bedrock": {**PAIR, "aws_region": "us-east-1"}, "amazon_sagemaker": {**PAIR, "aws_region": "us-east-1"}}
KINDS = {
    "embed": ModelType.EMBEDDING,
    "rerank": ModelType.RERANK,
    "transcribe": ModelType.SPEECH_TO_TEXT,
    "speak": ModelType.TEXT_TO_SPEECH,
    "probe of a voice": ModelType.TEXT_TO_SPEECH,
}


def asking(target: Target) -> ChatCall:
    """With a tool for a model that is asked in another way then."""
    tools = (rec.weather("Weather"),) if target.model.name == TORN else ()
    return replace(rec.asking("Hi"), tools=tools)


async def chat(gateway: HttpGateway, target: Target) -> Usage:
    return (await gateway.chat(target, asking(target))).usage


async def chat_stream(gateway: HttpGateway, target: Target) -> Usage | None:
    used = None
    async with gateway.chat_stream(target, asking(target)) as events:
        async for event in events:
            used = event.usage if isinstance(event, Finished) else used
    return used


async def embed(gateway: HttpGateway, target: Target) -> Usage:
    return (await gateway.embed(target, EmbedCall(("a",)))).usage


async def rerank(gateway: HttpGateway, target: Target) -> Usage:
    return (await gateway.rerank(target, RerankCall("q", ("a", "b")))).usage


async def transcribe(gateway: HttpGateway, target: Target) -> Usage:
    return (await gateway.transcribe(target, TranscribeCall(Recording("a.wav", "audio/wav", b"RIFF")))).usage


async def speak(gateway: HttpGateway, target: Target) -> None:
    async with gateway.speak(target, SpeakCall("Hi")) as speech:
        async for _ in speech.pieces:
            pass


async def probe(gateway: HttpGateway, target: Target) -> None:
    await gateway.probe(target.model.provider, target.form, target.model)


async def listed(gateway: HttpGateway, target: Target) -> None:
    await gateway.listed(target.model.provider, target.form)


CALLS: dict[str, Call] = {
    "chat": chat,
    "chat stream": chat_stream,
    "embed": embed,
    "rerank": rerank,
    "transcribe": transcribe,
    "speak": speak,
    "probe": probe,
    "probe of a voice": probe,
    "models": listed,
}


def j(value: Any) -> bytes:
    return json.dumps(value).encode()


def sse(value: Any, name: str = "") -> bytes:
    return (b"event: %s\n" % name.encode() if name else b"") + b"data: %s\n\n" % j(value)


def line(value: Any) -> bytes:
    return j(value) + b"\n"


def part(payload: bytes) -> bytes:
    return packed(written({":message-type": "event", ":event-type": "PayloadPart"}), payload)


def counts(count: Any, *names: str) -> dict[str, Any]:
    return dict.fromkeys(names, count)


OPENAI = ("prompt_tokens", "completion_tokens")
OLLAMA = ("prompt_eval_count", "eval_count")
GEMINI = ("promptTokenCount", "candidatesTokenCount")
AMAZON = ("inputTokens", "outputTokens")
ANTHROPIC = ("input_tokens", "output_tokens")


def openai_piece(text: str) -> bytes:
    return sse({"choices": [{"index": 0, "delta": {"content": text}}]})


def openai_stream(count: Any) -> bytes:
    end = sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    used = sse({"choices": [], "usage": counts(count, *OPENAI)})
    return openai_piece("Hi") + end + used + b"data: [DONE]\n\n"


def response(count: Any) -> dict[str, Any]:
    said = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    return {"object": "response", "status": "completed", "output": [said], "usage": counts(count, *ANTHROPIC)}


def response_event(name: str, **more: Any) -> bytes:
    return sse({"type": f"response.{name}", **more}, f"response.{name}")


def response_piece(text: str) -> bytes:
    return response_event("output_text.delta", output_index=0, delta=text)


def response_stream(count: Any) -> bytes:
    return response_piece("Hi") + response_event("completed", response=response(count))


def anthropic_piece(text: str) -> bytes:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return sse(delta, "content_block_delta")


def anthropic_stream(count: Any) -> bytes:
    start = sse({"type": "message_start", "message": {"usage": counts(count, *ANTHROPIC)}}, "message_start")
    used = {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": count}}
    end = sse({"type": "message_delta", **used}, "message_delta")
    return start + anthropic_piece("Hi") + end + sse({"type": "message_stop"}, "message_stop")


def gemini(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}, **more}]}


def gemini_whole(count: Any) -> dict[str, Any]:
    return {**gemini("Hi", finishReason="STOP"), "usageMetadata": counts(count, *GEMINI)}


def cohere_piece(text: str) -> bytes:
    return sse({"type": "content-delta", "delta": {"message": {"content": {"text": text}}}}, "content-delta")


def cohere_stream(count: Any) -> bytes:
    delta = {"finish_reason": "COMPLETE", "usage": {"tokens": counts(count, *ANTHROPIC)}}
    return cohere_piece("Hi") + sse({"type": "message-end", "delta": delta}, "message-end")


def ollama_line(text: str, **more: Any) -> dict[str, Any]:
    return {"message": {"content": text}, **more}


def ollama_whole(count: Any) -> dict[str, Any]:
    return ollama_line("Hi", done=True, done_reason="stop", **counts(count, *OLLAMA))


def bedrock_piece(text: str) -> bytes:
    return message("event", "contentBlockDelta", {"delta": {"text": text}, "contentBlockIndex": 0})


def bedrock_stream(count: Any) -> bytes:
    stop = message("event", "messageStop", {"stopReason": "end_turn"})
    return bedrock_piece("Hi") + stop + message("event", "metadata", {"usage": counts(count, *AMAZON)})


def tongyi_piece(samples: str, reason: str = "null") -> bytes:
    data = base64.b64encode(samples.encode()).decode()
    return sse({"output": {"finish_reason": reason, "audio": {"data": data}}}, "result")


def chosen(count: Any) -> bytes:
    return j({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": counts(count, *OPENAI)})


def ranked(count: Any) -> bytes:
    results = [{"index": i, "relevance_score": 0.5} for i in range(2)]
    return j({"results": results, "usage": {"total_tokens": count}, "meta": {"tokens": {"input_tokens": count}}})


def data_list(_: Any) -> bytes:
    return j({"data": [{"id": "a"}]})


WAYS = (
    Way("openai", "chat", chosen),
    Way("openai", "chat stream", openai_stream, SSE, openai_piece, b": still here\n\n"),
    Way("openai", "chat", lambda c: j(response(c)), model=TORN),
    Way("openai", "chat stream", response_stream, SSE, response_piece, response_event("in_progress"), TORN),
    Way("anthropic", "chat stream", anthropic_stream, SSE, anthropic_piece, sse({"type": "ping"}, "ping")),
    Way("gemini", "chat stream", lambda c: sse(gemini_whole(c)), SSE, lambda t: sse(gemini(t)), b":\n"),
    Way("cohere", "chat stream", cohere_stream, SSE, cohere_piece, b"retry: 10\n\n"),
    Way("ollama", "chat stream", lambda c: line(ollama_whole(c)), NDJSON, lambda t: line(ollama_line(t)), b"\n"),
    Way("aws_bedrock", "chat stream", bedrock_stream, AWS, bedrock_piece, message("event", "heartbeat", {})),
    Way(
        "amazon_sagemaker",
        "chat stream",
        lambda c: part(openai_stream(c)),
        AWS,
        lambda t: part(openai_piece(t)),
        part(b": still here\n\n"),
    ),
    Way("openai", "speak", lambda _: b"ID3 audio", AUDIO, str.encode, b"\0"),
    Way("tongyi", "speak", lambda _: tongyi_piece("Hi") + tongyi_piece("", "stop"), SSE, tongyi_piece, b":\n\n"),
    Way("openai_api_compatible", "probe of a voice", lambda _: b"ID3 audio", AUDIO, str.encode, b"\0"),
    Way("ollama", "chat", lambda c: j(ollama_whole(c))),
    Way("gemini", "chat", lambda c: j(gemini_whole(c))),
    Way(
        "anthropic",
        "chat",
        lambda c: j({"content": [{"type": "text", "text": "Hi"}], "usage": counts(c, *ANTHROPIC)}),
    ),
    Way(
        "aws_bedrock",
        "chat",
        lambda c: j({"output": {"message": {"content": [{"text": "Hi"}]}}, "usage": counts(c, *AMAZON)}),
    ),
    Way("openai", "embed", lambda c: j({"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": c}})),
    Way("ollama", "embed", lambda c: j({"embeddings": [[0.5]], "prompt_eval_count": c})),
    Way(
        "gemini",
        "embed",
        lambda c: j({"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": c}}),
    ),
    Way("aws_bedrock", "embed", lambda c: j({"embedding": [0.5], "inputTextTokenCount": c})),
    Way("openai_api_compatible", "rerank", ranked),
    Way("cohere", "rerank", ranked),
    Way("openai", "transcribe", lambda c: j({"text": "Hi", "usage": counts(c, *ANTHROPIC)})),
    Way("openai", "probe", data_list),
    Way("openai", "models", data_list),
    Way("anthropic", "models", data_list),
    Way("ollama", "models", lambda _: j({"models": [{"name": "a"}]})),
)
