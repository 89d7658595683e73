"""All vendors in one: by the path and the words of a request it tells whose they are, and answers in that one's shape.

Whatever the shape, a chat says SAID, or calls the one tool that it is offered; a text's vector and a document's score
are those of `shapes`; a recording is heard as how many bytes it has, and a text is spoken as its own letters.
"""

import base64
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from tests.contract.amazon import message
from tests.stubs import asgi, shapes
from tests.stubs.asgi import AUDIO, JSON, SSE, Receive, Scope, Send
from tests.stubs.echoes import key_of
from tests.stubs.vendor import PATHS, Vendor
from tests.ways import AWS, NDJSON, line, part, sse

SAID = "".join(shapes.words(8))
SIZE = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; `body` is its JSON, or the fields of its form."""

    path: str
    raw: bytes
    body: Any


Answer = tuple[str, bytes]
"""A media type, and what is said."""


@dataclass(slots=True)
class Everyone:
    """An ASGI application. `seen` keeps all bodies as they came."""

    seen: list[bytes] = field(default_factory=list)
    vendor: Vendor = field(default_factory=lambda: Vendor(dimensions=SIZE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await asgi.read(receive)
        self.seen.append(raw)
        kind = dict(scope["headers"]).get(b"content-type", b"").decode()
        asked = Asked(scope["path"], raw, _body(kind, raw))
        if answer := _described(asked) if scope["method"] == "GET" else _own(asked):
            media_type, said = answer
            await asgi.whole(send, 200, said, media_type)
        else:
            await self._as_openai(scope, raw, send)

    async def _as_openai(self, scope: Scope, raw: bytes, send: Send) -> None:
        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": raw}

        known = next(filter(scope["path"].endswith, PATHS), "/unknown")
        self.vendor.keys = [key_of(scope), ""]
        await self.vendor({**scope, "path": f"/v1{known}"}, again, send)


def _body(kind: str, raw: bytes) -> Any:
    return asgi.read_body(kind, raw) if kind.startswith((JSON, "multipart/")) else {}


def _described(asked: Asked) -> Answer:
    """What a server tells of itself or of its models."""
    of_texts = "reranker" if "RERANK" in asked.path else "embedding"
    return _json({"data": [], "models": [], "model_id": "m", "model_type": {of_texts: {}}})


def _json(value: Any) -> Answer:
    return JSON, orjson.dumps(value)


def _events(*events: Any, name: str = "") -> Answer:
    return SSE, b"".join(sse(event, name) for event in events)


def _vectors(texts: Sequence[str]) -> list[list[float]]:
    return [shapes.vector(text, SIZE) for text in texts]


def _scores(query: str, documents: Sequence[str]) -> list[float]:
    return [shapes.score(query, document) for document in documents]


def _ranked(asked: Asked, score: str = "relevance_score") -> list[dict[str, Any]]:
    documents = asked.body.get("documents") or asked.body.get("texts")
    return [{"index": at, score: n} for at, n in enumerate(_scores(asked.body["query"], documents))]


def _letters(text: str) -> bytes:
    return b"".join(text.encode().split())


def _heard(recording: bytes) -> str:
    return f"{len(recording)} bytes"


# ---- Google ----------------------------------------------------------------------------------------------------------


def _content(*parts: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP"}]}


def _generated(asked: Asked) -> Answer:
    inline = [part["inlineData"] for turn in asked.body["contents"] for part in turn["parts"] if "inlineData" in part]
    recordings = [each["data"] for each in inline if each["mimeType"].startswith("audio/")]
    said = _heard(base64.b64decode(recordings[0])) if recordings else SAID
    return _json(_content({"text": said}))


def _generating(asked: Asked) -> Answer:
    if "AUDIO" in asked.body.get("generationConfig", {}).get("responseModalities", ()):
        (text,) = (part["text"] for turn in asked.body["contents"] for part in turn["parts"])
        data = base64.b64encode(_letters(text)).decode()
        return _events(_content({"inlineData": {"mimeType": "audio/L16;rate=24000", "data": data}}))
    return _events(_content({"text": SAID}))


def _batch(asked: Asked) -> Answer:
    texts = [each["content"]["parts"][0]["text"] for each in asked.body["requests"]]
    return _json({"embeddings": [{"values": vector} for vector in _vectors(texts)]})


def _embed_content(asked: Asked) -> Answer:
    (vector,) = _vectors([asked.body["content"]["parts"][0]["text"]])
    return _json({"embedding": {"values": vector}})


def _predicted(asked: Asked) -> Answer:
    texts = [each["content"] for each in asked.body["instances"]]
    return _json({"predictions": [{"embeddings": {"values": vector}} for vector in _vectors(texts)]})


def _records(asked: Asked) -> Answer:
    records = asked.body["records"]
    scores = _scores(asked.body["query"], [record["content"] for record in records])
    return _json({"records": [{"id": r["id"], "score": s} for r, s in zip(records, scores, strict=True)]})


# ---- Amazon ----------------------------------------------------------------------------------------------------------


def _conversed(_: Asked) -> Answer:
    said = {"output": {"message": {"role": "assistant", "content": [{"text": SAID}]}}, "stopReason": "end_turn"}
    return _json({**said, "usage": {"inputTokens": 1, "outputTokens": 8}})


def _conversing(_: Asked) -> Answer:
    said = message("event", "contentBlockDelta", {"delta": {"text": SAID}, "contentBlockIndex": 0})
    return AWS, said + message("event", "messageStop", {"stopReason": "end_turn"})


def _invoked(asked: Asked) -> Answer:
    """A model of Amazon's or of another maker, or a container of the tenant's own."""
    body = asked.body
    match body:
        case {"inputText": text}:
            return _json({"embedding": _vectors([text])[0]})
        case {"messages": _}:
            return _json(shapes.completion(body, 8))
        case {"inputs": [*queries], "docs": documents}:
            return _json({"scores": _scores(queries[0], documents)})
        case {"inputs": texts}:
            return _json({"embeddings": _vectors(texts)})
    return _json({"text": _heard(asked.raw)})


def _invoking(asked: Asked) -> Answer:
    events = (sse(chunk) for chunk in shapes.completion_chunks(asked.body, 8))
    return AWS, b"".join(part(event) for event in [*events, b"data: [DONE]\n\n"])


def _agent(asked: Asked) -> Answer:
    documents = [each["inlineDocumentSource"]["textDocument"]["text"] for each in asked.body["sources"]]
    scores = _scores(asked.body["queries"][0]["textQuery"]["text"], documents)
    return _json({"results": [{"index": at, "relevanceScore": score} for at, score in enumerate(scores)]})


# ---- Those with a server of their own --------------------------------------------------------------------------------


def _tensor(asked: Asked) -> Answer:
    texts = asked.body["inputs"][0]["data"]
    numbers = [number for vector in _vectors(texts) for number in vector]
    return _json({"outputs": [{"name": "v", "shape": [len(texts), SIZE], "datatype": "FP32", "data": numbers}]})


def _ollama(asked: Asked) -> Answer:
    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 8}
    said = {"model": "m", "message": {"role": "assistant", "content": SAID}}
    if not asked.body["stream"]:
        return _json({**said, **end})
    return NDJSON, line({**said, "done": False}) + line({"message": {"content": ""}, **end})


def _texts(asked: Asked) -> Answer:
    return _json(_vectors(asked.body["inputs"]))


def _pipeline(asked: Asked) -> Answer:
    """The one task of a model."""
    match asked.body:
        case {"inputs": [*pairs]}:
            return _json([[{"label": "LABEL_0", "score": shapes.score(p["text"], p["text_pair"])} for p in pairs]])
        case {"inputs": str(text)}:
            return AUDIO, _letters(text)
    return _json({"text": _heard(asked.raw)})


def _responded(asked: Asked) -> Answer:
    """OpenAI's newer way, in which a call of a tool is an item."""
    call = {"type": "function_call", "call_id": "call_1", "name": "get_weather"}
    arguments = '{"city": "Tokyo"}'
    whole = {"object": "response", "status": "completed", "output": [{**call, "arguments": arguments}]}
    if not asked.body.get("stream"):
        return _json(whole)
    events: Mapping[str, Any] = {
        "response.created": {},
        "response.output_item.added": {"output_index": 0, "item": {**call, "arguments": ""}},
        "response.function_call_arguments.delta": {"output_index": 0, "delta": arguments},
        "response.completed": {"response": whole},
    }
    return SSE, b"".join(sse({"type": kind, **told}, kind) for kind, told in events.items())


# ---- Those with words of their own -----------------------------------------------------------------------------------


def _cohere(asked: Asked) -> Answer:
    if asked.body.get("stream"):
        delta = {"type": "content-delta", "delta": {"message": {"content": {"text": SAID}}}}
        return _events(delta, {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}})
    said = {"role": "assistant", "content": [{"type": "text", "text": SAID}]}
    return _json({"message": said, "finish_reason": "COMPLETE"})


def _run(asked: Asked) -> Answer:
    given = asked.body["input"]
    if asked.body.get("stream"):
        return SSE, b"event: output\ndata: %s\n\nevent: done\ndata: {}\n\n" % SAID.encode()
    said = _vectors([given["text"]]) if "text" in given else shapes.words(8)
    return _json({"id": "r", "status": "succeeded", "output": said})


def _minimax(asked: Asked) -> Answer | None:
    if "texts" not in asked.body:
        return None
    return _json({"vectors": _vectors(asked.body["texts"]), "base_resp": {"status_code": 0}})


def _hex(asked: Asked) -> Answer:
    spoken = {"audio": _letters(asked.body["text"]).hex(), "status": 2}
    return _events({"data": spoken, "base_resp": {"status_code": 0}})


def _generation(asked: Asked) -> Answer:
    """Alibaba's way for all that sees, hears or speaks."""
    if "text" in asked.body["input"]:
        data = base64.b64encode(_letters(asked.body["input"]["text"])).decode()
        return _events({"output": {"finish_reason": "stop", "audio": {"data": data}}}, name="result")
    (recording,) = (p["audio"] for turn in asked.body["input"]["messages"] for p in turn["content"] if "audio" in p)
    said = {"content": [{"text": _heard(base64.b64decode(recording.partition("base64,")[2]))}]}
    return _json({"output": {"choices": [{"message": said}]}})


def _spark(asked: Asked) -> Answer | None:
    if "payload" not in asked.body:
        return None
    said = orjson.loads(base64.b64decode(asked.body["payload"]["messages"]["text"]))
    packed = struct.pack(f"<{SIZE}f", *shapes.vector(said["messages"][0]["content"], SIZE))
    feature = {"text": base64.b64encode(packed).decode()}
    return _json({"header": {"code": 0}, "payload": {"feature": feature}})


def _heard_in_events(asked: Asked) -> Answer:
    heard = _heard(base64.b64decode(asked.body["audio"]["data"]))
    return _events({"type": "transcript.text.delta", "delta": heard}, {"type": "transcript.text.done", "text": heard})


def _bare_speech(asked: Asked) -> Answer:
    return "audio/wav", _letters(asked.body["input"])


def _own(asked: Asked) -> Answer | None:
    """The answer of a vendor with a shape of its own; None for OpenAI's."""
    return next((told for path, way in _WAYS if re.search(path, asked.path) and (told := way(asked))), None)


_WAYS: Sequence[tuple[str, Callable[[Asked], Answer | None]]] = (
    ("/v1/responses$", _responded),
    ("/token$", lambda _: _json({"access_token": "ya29.stub", "expires_in": 3_600, "token_type": "Bearer"})),
    (":generateContent$", _generated),
    (":streamGenerateContent$", _generating),
    (":batchEmbedContents$", _batch),
    (":embedContent$", _embed_content),
    (":predict$", _predicted),
    (":rank$", _records),
    (":countTokens$", lambda _: _json({"totalTokens": 1})),
    ("/converse$", _conversed),
    ("/converse-stream$", _conversing),
    ("/(invoke|invocations)$", _invoked),
    ("/invocations-response-stream$", _invoking),
    ("^/rerank$", lambda asked: _agent(asked) if "sources" in asked.body else None),
    ("/generate$", lambda _: _json({"text_output": SAID})),
    ("/generate_stream$", lambda _: _events({"text_output": SAID})),
    ("/infer$", _tensor),
    ("/repository/index$", lambda _: _json([])),
    ("/api/chat$", _ollama),
    ("/api/embed$", lambda asked: _json({"embeddings": _vectors(asked.body["input"])})),
    ("/v2/embed$", lambda asked: _json({"embeddings": {"float": _vectors(asked.body["texts"])}})),
    ("/pipeline/feature-extraction$|/embed$", _texts),
    ("^/hf-inference/models/", _pipeline),
    ("/v2/chat$", _cohere),
    ("/predictions$", _run),
    ("/embeddings$", _minimax),
    ("/t2a_v2$", _hex),
    ("/multimodal-generation/generation$", _generation),
    ("^/$", _spark),
    ("/asr/flash/v1/", lambda asked: _json({"code": 0, "flash_result": [{"text": _heard(asked.raw)}]})),
    ("/asr/sse$", _heard_in_events),
    ("/glm-asr$", lambda asked: _json({"text": _heard(base64.b64decode(asked.body["file"]))})),
    ("/glm-tts$", _bare_speech),
    ("/reranking$", lambda asked: _json(shapes.ranking(asked.body))),
    ("/text-rerank$", lambda asked: _json({"output": {"results": _ranked(replace(asked, body=asked.body["input"]))}})),
    ("/rerank$", lambda asked: _json(_ranked(asked, "score")) if "texts" in asked.body else None),
    ("/rerank(ers)?$", lambda asked: _json({"results": _ranked(asked)})),
)
