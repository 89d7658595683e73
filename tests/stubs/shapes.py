"""What the stub vendor says, in the shapes of OpenAI and of Anthropic; the same words whole and streamed."""

import base64
import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

Body = Mapping[str, Any]

_CALL = {"name": "get_weather", "arguments": '{"city": "Tokyo"}'}
_PIECES = ('{"city"', ': "To', 'kyo"}')


def wants_tool(request: Body) -> bool:
    return bool(request.get("tools")) and request["messages"][-1]["role"] != "tool"


def words(count: int) -> list[str]:
    return [f"word{number} " for number in range(count)]


def usage(request: Body, count: int) -> dict[str, int]:
    prompt = len(orjson.dumps(request["messages"])) // 4
    return {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}


def completion(request: Body, count: int) -> dict[str, Any]:
    """A chat.completion: `count` words, or one call of get_weather when tools are offered."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(words(count))}
    if wants_tool(request):
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": _CALL}],
        }
    reason = "tool_calls" if wants_tool(request) else "stop"
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage(request, count),
    }


def completion_chunks(request: Body, count: int) -> Iterator[dict[str, Any]]:
    """chat.completion.chunk objects that fold to `completion`; usage comes last, if it was asked for."""
    yield _chunk(request, {"role": "assistant", "content": None})
    if wants_tool(request):
        yield _chunk(request, {"tool_calls": [_piece(id="call_1", type="function", name=_CALL["name"], arguments="")]})
        for piece in _PIECES:
            yield _chunk(request, {"tool_calls": [_piece(arguments=piece)]})
    else:
        for word in words(count):
            yield _chunk(request, {"content": word})
    yield _chunk(request, {}, "tool_calls" if wants_tool(request) else "stop")
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**_chunk(request, {}), "choices": [], "usage": usage(request, count)}


def embeddings(request: Body, dimensions: int) -> dict[str, Any]:
    """A list of vectors that depend on nothing but the text and the dimension."""
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    size = request.get("dimensions") or dimensions
    encode = _base64 if request.get("encoding_format") == "base64" else list
    data = [{"object": "embedding", "index": i, "embedding": encode(vector(t, size))} for i, t in enumerate(texts)]
    tokens = sum(len(text) for text in texts)
    spent = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": request["model"], "data": data, "usage": spent}


def vector(text: str, size: int) -> list[float]:
    """Numbers in [-1, 1) that 32-bit floats hold exactly."""
    digest = hashlib.shake_128(text.encode()).digest(2 * size)
    return [number / 32768 for number in struct.unpack(f"<{size}h", digest)]


def rerank(request: Body) -> dict[str, Any]:
    """Jina's results, the best `top_n`; a score depends on nothing but the query and the document."""
    query, documents = request["query"], request["documents"]
    results = [{"index": i, "relevance_score": score(query, text)} for i, text in enumerate(documents)]
    best = sorted(results, key=lambda result: -result["relevance_score"])[: request["top_n"]]
    return {"model": request["model"], "results": best, "usage": {"total_tokens": len(documents)}}


def ranking(request: Body) -> dict[str, Any]:
    """The same in NVIDIA's words, all passages."""
    query, passages = request["query"]["text"], request["passages"]
    return {"rankings": [{"index": i, "logit": score(query, passage["text"])} for i, passage in enumerate(passages)]}


def score(query: str, document: str) -> float:
    return vector(query + "\n" + document, 1)[0]


def transcription(request: Body) -> dict[str, Any]:
    """What was heard: how many bytes the file has, which may come within the object."""
    if within := request.get("input_audio"):
        heard = f"{len(base64.b64decode(within['data']))} bytes of {within['format']}"
    else:
        heard = f"{request['file']['bytes']} bytes of {request['file']['filename']}"
    return {"text": heard, "usage": {"type": "duration", "seconds": 1.5}}


def speech(request: Body) -> list[bytes]:
    """One piece of audio per word of the text."""
    return [word.encode() for word in request["input"].split()]


def speech_events(request: Body) -> Iterator[bytes]:
    """The same in Mistral's events."""
    for piece in speech(request):
        yield b'data: {"audio_data": "%s"}\n\n' % base64.b64encode(piece)
    yield b'data: {"type": "speech.audio.done"}\n\n'


def message(request: Body, count: int) -> dict[str, Any]:
    """Anthropic's message: `count` words, or one call of get_weather when tools are offered."""
    said: dict[str, Any] = {"type": "text", "text": "".join(words(count))}
    if wants_tool(request):
        said = {"type": "tool_use", "id": "toolu_1", "name": _CALL["name"], "input": orjson.loads(_CALL["arguments"])}
    return {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [said],
        "stop_reason": "tool_use" if wants_tool(request) else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": usage(request, count)["prompt_tokens"], "output_tokens": count},
    }


def message_events(request: Body, count: int) -> Iterator[dict[str, Any]]:
    """Anthropic's events that fold to `message`."""
    whole = message(request, count)
    opening = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": opening}
    block: dict[str, Any] = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": word} for word in words(count)]
    if wants_tool(request):
        block = {**whole["content"][0], "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _PIECES]
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "ping"}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": count}}
    yield {"type": "message_stop"}


def _chunk(request: Body, delta: Body, reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }


def _piece(*, id: str | None = None, type: str | None = None, **function: str) -> dict[str, Any]:  # noqa: A002 - OpenAI's names
    head = {"id": id, "type": type} if id else {}
    return {"index": 0, **head, "function": function}


def _base64(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
