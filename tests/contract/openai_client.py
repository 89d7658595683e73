"""What OpenAI's client for Python (3.54.0) was made to send to every vendor whose documentation uses it, in our words.

Each such vendor's sdk_requests.json holds these calls, recorded on loopback, or its sdk_requests_openai.json where the
first is its own SDK's. Left out of the comparison: `tool_choice:
"auto"`, which is the default and not sent, and an image's `detail`, which our vocabulary has not.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.model.calls import ChatCall, EmbedCall, Knobs, ResponseSchema
from domain.model.catalogue import FormValues, ModelType
from domain.model.events import ChatAnswer
from infrastructure.providers.registry import ADAPTERS
from tests.contract import recordings as rec

HEADERS = ("authorization", "content-type", "accept")
PLAIN = "embeddings.create (client default encoding)"
TOOL = rec.weather("Weather by city")
EVERY = Knobs(0.2, 0.9, 64, ("END",), 7, 0, 0)
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}},
    "required": ["a"],
    "additionalProperties": False,
}
USAGE: Mapping[str, Any] = {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}
CALLING: Mapping[str, Any] = {
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Tokyo"}'}}
    ],
}
CHATS: Mapping[str, ChatCall] = {
    "chat.completions.create": replace(rec.asking("Hello", system="Be brief."), knobs=EVERY),
    "chat.completions.create stream + tool": replace(rec.asking("Weather in Tokyo?"), tools=(TOOL,)),
    "chat.completions.create tool result turn": rec.after_tool("Weather in Tokyo?", "Tokyo", "sunny", TOOL, "call_1"),
    "chat.completions.create vision": rec.asking("What is this?", rec.pixel()),
    "chat.completions.create json_schema": replace(rec.asking("a?"), response_schema=ResponseSchema("ans", CLOSED)),
}
EMBEDS: Mapping[str, EmbedCall] = {
    PLAIN: EmbedCall(("a", "b")),
    "embeddings.create float": EmbedCall(("a", "b"), dimensions=256),
}


def theirs(
    provider: str,
    name: str,
    without: frozenset[str] = frozenset({"tool_choice"}),
    file: str = "sdk_requests.json",
) -> rec.Sent:
    """The recording of a call."""
    sent = rec.recorded(rec.calls(provider, file)[name], without=without, headers=HEADERS)
    for part in (p for m in sent.body.get("messages", ()) if isinstance(m["content"], list) for p in m["content"]):
        part.get("image_url", {}).pop("detail", None)
    return sent


def chat(provider: str, name: str, form: FormValues) -> rec.Sent:
    """Our side of one of CHATS, for the model that the recording names."""
    dialect = ADAPTERS[provider].chat
    assert dialect
    goal = rec.target(provider, theirs(provider, name).body["model"], form)
    request = dialect.render(goal, CHATS[name], stream="stream" in name)
    return rec.sent(ADAPTERS[provider], goal.form, request, HEADERS)


def embed(provider: str, name: str, form: FormValues, call: EmbedCall | None = None) -> rec.Sent:
    """Our side of one of EMBEDS, or of another call, for the model that the recording names."""
    dialect = ADAPTERS[provider].embed
    assert dialect
    goal = rec.target(provider, theirs(provider, name).body["model"], form, ModelType.EMBEDDING)
    return rec.sent(ADAPTERS[provider], goal.form, dialect.render(goal, call or EMBEDS[name]), HEADERS)


def probed(provider: str, form: FormValues, kind: ModelType = ModelType.LLM) -> rec.Sent:
    """What a tenant's form for a model named "mine" is proved with."""
    goal = rec.target(provider, "mine", form, kind)
    return rec.sent(ADAPTERS[provider], goal.form, ADAPTERS[provider].probe(goal, goal.form), HEADERS)


def told(provider: str, message: Mapping[str, Any], reason: str = "stop") -> ChatAnswer:
    """Our reading of a message in the shape of OpenAI's reference, which must be the same whole and streamed."""
    dialect = ADAPTERS[provider].chat
    assert dialect
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    whole = dialect.parse({"object": "chat.completion", "choices": [choice], "usage": USAGE})
    assert rec.split_in_all_ways(provider, "".join(_chunks(message, reason))) == whole
    return whole


def _chunks(message: Mapping[str, Any], reason: str) -> Iterator[str]:
    """The stream of a message, its texts in two pieces."""
    yield _chunk({"role": "assistant", "content": None})
    for key, value in message.items():
        if isinstance(value, str):
            yield from (_chunk({key: piece}) for piece in (value[:2], value[2:]))
    for index, call in enumerate(message.get("tool_calls", ())):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield _chunk({"tool_calls": [{**call, "index": index, "function": {"name": name, "arguments": ""}}]})
        for piece in (arguments[:2], arguments[2:]):
            yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chunk({}, reason)
    yield _event({"choices": [], "usage": USAGE}) + "data: [DONE]\n\n"


def _chunk(delta: Mapping[str, Any], reason: str | None = None) -> str:
    return _event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None})


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps({'object': 'chat.completion.chunk', **body})}\n\n"
