"""Recorded requests and answers, and our own side brought into the same shape."""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import jsonschema

from domain.errors import UpstreamError
from domain.model.calls import ChatCall, EmbedCall, ImagePart, Message, Part, Role, TextPart, Tool, ToolCall
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, fold
from domain.model.speech import SpeakCall, TranscribeCall
from domain.ports import Target
from infrastructure.providers.outgoing import body_of, outgoing
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.spec import Adapter, Decoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.streaming import framer_for
from tests.stubs.asgi import read_body

FOLDER = Path(__file__).parent
BOUNDARY = "boundary"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one PNG pixel
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it leaves, reduced to what a contract is about."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any


def load(provider: str, file: str) -> Any:
    return json.loads((FOLDER / provider / file).read_text(encoding="utf-8"))


@cache
def calls(provider: str, file: str = "sdk_requests.json") -> Mapping[str, Any]:
    """Recorded calls by their name."""
    document = load(provider, file)
    recordings = document["calls"] if "calls" in document else document["requests"]
    return {c.get("id") or c.get("call") or c["label"]: c for c in recordings}


@cache
def exchanges(provider: str, file: str) -> Mapping[str, Any]:
    """Recorded answers of a real server by the exchange's name."""
    return {e["name"]: e["response"] for e in load(provider, file)["exchanges"]}


def recorded(call: Mapping[str, Any], *, without: Iterable[str] = (), headers: Iterable[str] = ()) -> Sent:
    """A recording, with the headers that matter, less the body's keys that this call's SDK or caller added.

    A client that accepts anything wants nothing in particular.
    """
    request = call.get("request") or call.get("requests", [call])[0]
    body = request.get("body", request.get("json"))
    if "multipart" in request:
        body = dict(map(_part, request["multipart"]))
    if body is not None:
        body = {key: value for key, value in body.items() if key not in without}
    given = {name.lower(): value.replace("<boundary>", BOUNDARY) for name, value in request["headers"].items()}
    told = {name: given[name] for name in headers if name in given and given[name] != "*/*"}
    return Sent(request["method"], request["path"], request.get("query", ""), told, body)


def like(ours: Sent, theirs: Sent) -> Sent:
    """Ours, less the media type that we accept where their client takes any."""
    headers = {name: value for name, value in ours.headers.items() if name != "accept" or name in theirs.headers}
    return replace(ours, headers=headers)


def _part(part: Mapping[str, Any]) -> tuple[str, Any]:
    """A field of a recorded form, in either of the recordings' two notations."""
    if "name" in part:
        file = {key: part[key] for key in ("filename", "content_type", "bytes") if key in part}
        return part["name"], part.get("value", file)
    name, *filename = re.findall('name="([^"]*)"', part["headers"]["Content-Disposition"])
    kind, size = part["headers"].get("Content-Type"), len(part["text"])
    return name, {"filename": filename[0], "content_type": kind, "bytes": size} if filename else part["text"]


def silent(sent: Sent) -> Sent:
    """With null as the content of turns that hold calls alone; an empty string means the same."""
    if not sent.body or "messages" not in sent.body:
        return sent
    turns = [t | {"content": t["content"] or None} if "tool_calls" in t else t for t in sent.body["messages"]]
    return replace(sent, body={**sent.body, "messages": turns})


def without_nulls(sent: Sent) -> Sent:
    """Less the fields of the body that an SDK sends as null, which means the same as not at all."""
    return replace(sent, body={key: value for key, value in sent.body.items() if value is not None})


def sent(adapter: Adapter, form: FormValues, request: Request, headers: Iterable[str] = ()) -> Sent:
    """What the gateway would put on the wire: address joined, signed."""
    body = body_of(request, lambda: BOUNDARY)
    outward = outgoing(adapter, form, request, body, {})
    auth = adapter.sign(form)
    signed = next(auth.auth_flow(outward)) if auth else outward
    told = {name: signed.headers[name] for name in headers if name in signed.headers}
    path, _, query = signed.url.raw_path.decode().partition("?")
    content = read_body(body.media_type, body.content) if body else None
    return Sent(signed.method, path, query, told, content)


def signed(adapter: Adapter, form: FormValues) -> httpx2.Headers:
    """The headers that signing adds to an empty request."""
    auth = adapter.sign(form)
    request = httpx2.Request("GET", "https://vendor.example")
    before = set(request.headers)
    after = next(auth.auth_flow(request)) if auth else request
    return httpx2.Headers({name: value for name, value in after.headers.items() if name not in before})


def target(provider: str, model: str, values: FormValues, kind: ModelType = ModelType.LLM) -> Target:
    """A call's target, with the form completed as a tenant's would be."""
    form = ADAPTERS[provider].provider().checked(values, kind)
    return Target(ModelRef(provider, model, kind), form)


def asked(
    provider: str, values: FormValues, model: str, call: ChatCall, *, stream: bool = False, headers: Iterable[str] = ()
) -> Sent:
    """A chat as it leaves."""
    adapter = ADAPTERS[provider]
    assert adapter.chat
    goal = target(provider, model, values)
    return sent(adapter, goal.form, adapter.chat.render(goal, call, stream=stream), headers)


def embedded(provider: str, values: FormValues, model: str, call: EmbedCall, headers: Iterable[str] = ()) -> Sent:
    """Texts to embed as they leave."""
    adapter = ADAPTERS[provider]
    assert adapter.embed
    goal = target(provider, model, values, ModelType.EMBEDDING)
    return sent(adapter, goal.form, adapter.embed.render(goal, call), headers)


def hearing(provider: str, values: FormValues, model: str, call: TranscribeCall) -> Request:
    """A recording to transcribe, as the dialect has it."""
    dialect = ADAPTERS[provider].transcribe
    assert dialect
    return dialect.render(target(provider, model, values, ModelType.SPEECH_TO_TEXT), call)


def speaking(provider: str, values: FormValues, model: str, call: SpeakCall) -> Request:
    """A text to say, as the dialect has it."""
    dialect = ADAPTERS[provider].speak
    assert dialect
    return dialect.render(target(provider, model, values, ModelType.TEXT_TO_SPEECH), call)


def probed(provider: str, values: FormValues, headers: Iterable[str] = ()) -> Sent:
    """The probe of a credential that reaches every model, as it leaves."""
    adapter = ADAPTERS[provider]
    form = adapter.provider().checked(values, None)
    return sent(adapter, form, adapter.probe(None, form), headers)


def answered(provider: str, body: Any) -> ChatAnswer:
    dialect = ADAPTERS[provider].chat
    assert dialect
    return dialect.parse(body)


def vectors(provider: str, body: Any, count: int) -> Embeddings:
    dialect = ADAPTERS[provider].embed
    assert dialect
    return dialect.parse(body, count)


def batches(provider: str, values: FormValues, model: str) -> tuple[int, int | None]:
    """How many texts go into a request for a model, and how many the catalogue tells."""
    dialect = ADAPTERS[provider].embed
    row = catalogue().model(ModelRef(provider, model, ModelType.EMBEDDING))
    assert dialect
    assert row
    return dialect.batch(target(provider, model, values, ModelType.EMBEDDING)), row.limits.texts


def refused(provider: str, status: int, body: Any, headers: Mapping[str, str] | None = None) -> UpstreamError:
    """What the vendor's refusal means."""
    return ADAPTERS[provider].error(provider, ErrorReply(status, headers or {}, body))


def events(*chunks: Any) -> str:
    """Chunks as an SSE stream that ends with OpenAI's mark."""
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def saying(role: Role, *parts: str | Part) -> Message:
    return Message(role, tuple(TextPart(part) if isinstance(part, str) else part for part in parts))


def asking(*parts: str | Part, system: str | None = None) -> ChatCall:
    opening = (saying(Role.SYSTEM, system),) if system else ()
    return ChatCall((*opening, saying(Role.USER, *parts)))


def weather(description: str) -> Tool:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return Tool("get_weather", description, schema)


def after_tool(question: str, city: str, result: str, tool: Tool, call_id: str) -> ChatCall:
    """The second turn: what the model called, and what came of it."""
    call = ToolCall(call_id, tool.name, json.dumps({"city": city}, separators=(",", ":")))
    asked = Message(Role.ASSISTANT, tool_calls=(call,))
    answered = Message(Role.TOOL, (TextPart(result),), tool_call_id=call_id, tool_name=tool.name)
    return ChatCall((saying(Role.USER, question), asked, answered), tools=(tool,))


def pixel() -> ImagePart:
    return ImagePart(media_type="image/png", data=PIXEL)


def valid(provider: str, schema: str, body: Any, file: str = "request_schemas.json") -> None:
    """The body satisfies the vendor's own schema."""
    document = load(provider, file)
    reference = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    jsonschema.Draft202012Validator(reference).validate(body)


def decoded(decoder: Decoder, frames: Iterable[Frame]) -> Iterator[ChatEvent]:
    for frame in frames:
        yield from decoder.feed(frame)
    yield from decoder.end()


def streamed(provider: str, text: str | bytes, cuts: Iterable[int] | None = None) -> ChatAnswer:
    """The answer that a stream folds to, its bytes fed in pieces that end at `cuts` (byte by byte when None)."""
    dialect = ADAPTERS[provider].chat
    assert dialect is not None
    return fold(decoded(dialect.decoder(), framed(text, dialect.framing, cuts)))


def framed(text: str | bytes, framing: Framing, cuts: Iterable[int] | None = None) -> list[Frame]:
    """The frames of a stream, whatever its bytes' pieces."""
    raw = text if isinstance(text, bytes) else text.encode()
    ends = sorted({*(range(1, len(raw)) if cuts is None else cuts), len(raw)})
    framer = framer_for(framing, 2**20)
    frames: list[Frame] = []
    start = 0
    for end in ends:
        frames += framer.feed(raw[start:end])
        start = end
    return frames + framer.end()


def split_in_all_ways(provider: str, text: str | bytes) -> ChatAnswer:
    """The one answer of a stream fed whole, byte by byte and at 20 random splits; they must not differ."""
    dice = random.Random(7)
    size = len(text if isinstance(text, bytes) else text.encode())
    answers = [streamed(provider, text, ()), streamed(provider, text)]
    answers += [streamed(provider, text, dice.sample(range(1, size), k=min(9, size - 1))) for _ in range(20)]
    assert all(without_ids(answer) == without_ids(answers[0]) for answer in answers)
    return answers[0]


def without_ids(answer: ChatAnswer) -> ChatAnswer:
    """The answer less the ids of its tool calls, which are made up where a vendor gives none."""
    return replace(answer, tool_calls=tuple(replace(call, id="") for call in answer.tool_calls))
