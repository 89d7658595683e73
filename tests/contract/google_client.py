"""What Google's client for Python (google-genai 3.4.0) was made to send to both services of Gemini, in our words.

Each service has these calls in its sdk_requests.json, recorded on loopback. Left out of the comparison: names in
snake_case and base64 in its URL alphabet, which the client mixes in and the services take as well; an empty
`generationConfig`; the mode AUTO of tools, which is the default and not sent; and the id of a call, which we send and
its caller had not. The client calls the service in the cloud under v1beta1, where we keep to v1, whose methods are the
same.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema
from domain.model.catalogue import FormValues
from domain.model.events import ChatAnswer
from infrastructure.providers.dialects.gemini_turns import with_thought
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

MODEL = "gemini-3.5-flash"
TOOL = rec.weather("Current weather of a city")
SCHEMA = ResponseSchema("r", {"type": "object", "properties": {"a": {"type": "string"}}})
CHATS: Mapping[str, ChatCall] = {
    "chat": replace(rec.asking("Hello", system="Be brief."), knobs=Knobs(temperature=0.2, max_tokens=64)),
    "chat_stream_tool": replace(rec.asking("Weather in Paris?"), tools=(TOOL,)),
    "chat_tool_result": replace(
        rec.after_tool("Weather in Paris?", "Paris", "18C", TOOL, with_thought("call_1", "c2ln")), tools=()
    ),
    "chat_vision": rec.asking(rec.pixel(), "What is this?"),
    "chat_json_schema": replace(rec.asking("x"), response_schema=SCHEMA),
    "chat_thinking": replace(rec.asking("x"), knobs=Knobs(extra={"include_thoughts": True, "thinking_level": "LOW"})),
}
EMBED = EmbedCall(("hello", "bye"), dimensions=256)
USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 20, "thoughtsTokenCount": 5, "totalTokenCount": 34}


def theirs(provider: str, name: str, headers: tuple[str, ...], file: str = "sdk_requests.json") -> rec.Sent:
    """The recording of a call in the terms of the comparison."""
    sent = rec.recorded(rec.calls(provider, file)[name], headers=headers)
    body = _camel(sent.body)
    if body and not body.get("generationConfig", True):
        del body["generationConfig"]
    if body and body.get("toolConfig") == {"functionCallingConfig": {"mode": "AUTO"}}:
        del body["toolConfig"]
    return replace(sent, path=sent.path.replace("/v1beta1/", "/v1/"), body=body)


def ours(provider: str, name: str, values: FormValues, headers: tuple[str, ...]) -> rec.Sent:
    """Our side of one of CHATS, less the ids of its calls."""
    stream = "stream" in name
    sent = rec.asked(provider, values, MODEL, CHATS[name], stream=stream, headers=headers)
    for part in (part for turn in sent.body["contents"] for part in turn["parts"]):
        for key in part.keys() & {"functionCall", "functionResponse"}:
            part[key].pop("id")
    return sent


def told(provider: str, *parts: Any, reason: str = "STOP", usage: Mapping[str, Any] = USAGE) -> ChatAnswer:
    """Our reading of an answer of these parts, which must be the same whole and streamed, a part in each event."""
    dialect = ADAPTERS[provider].chat
    assert dialect
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0}
    whole = dialect.parse({"candidates": [candidate], "usageMetadata": usage})
    pieces = [{"content": {"role": "model", "parts": [part]}, "index": 0} for part in parts]
    growing = [{"candidates": [piece], "usageMetadata": {"promptTokenCount": 9}} for piece in pieces]
    last = {"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": usage}
    streamed = rec.split_in_all_ways(provider, events(*growing, last))
    assert rec.without_ids(streamed) == rec.without_ids(whole)
    return whole


def events(*chunks: Any) -> str:
    """Chunks as the service streams them: without a mark at the end."""
    return "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)


def refusal(code: int, status: str, message: str, **detail: str) -> Any:
    return {"error": {"code": code, "message": message, "status": status, "details": [detail] if detail else []}}


def _camel(value: Any) -> Any:
    """Keys in snake_case and bytes as the services' own documents write them; schemas have neither."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {re.sub("_([a-z])", lambda found: found[1].upper(), key): _camel(item) for key, item in value.items()}
    return {**found, "data": found["data"].replace("-", "+").replace("_", "/")} if "data" in found else found
