"""Every mark of the table (tests/data/marks.md), and what else a vendor offers, works for a tenant through GraphQL: its
credential is accepted, and its models answer, whole and streamed, in the vendor's own shapes.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from domain.model.catalogue import Feature, ModelType, ProviderKind
from infrastructure.providers.registry import ADAPTERS, catalogue
from tests.canary import Flock
from tests.contract.recordings import PIXEL
from tests.databases import Urls
from tests.e2e.nest import MODEL, Nest, Witness, portunus, settings
from tests.stubs import everyone, shapes
from tests.stubs.everyone import Everyone
from tests.stubs.serve import serving
from tests.unit.providers.marks import Mark, marks

GROUPS = [tuple(ADAPTERS)[at : at + 9] for at in range(0, len(ADAPTERS), 9)]
CASES = dict.fromkeys([*marks(), *(Mark(name, kind) for name, each in ADAPTERS.items() for kind in each.types)])
WEATHER = {"name": "get_weather", "description": "Weather", "parameters": {"type": "object", "properties": {}}}
CALLED = ("get_weather", {"city": "Tokyo"})
DOCUMENTS = ["gate", "cat", "door"]
SPOKEN = b"openthedoor"
NEEDS_LANGUAGE = {"cohere"}
OPTIONAL = frozenset({"spark_app_id"})
"""Fields of a form that one of its types needs."""


@pytest.mark.parametrize("vendors", GROUPS, ids=lambda group: group[0])
async def test_every_mark_works(sqlite_urls: Urls, vendors: Sequence[str]) -> None:
    flock, stub = Flock(), Everyone()
    async with serving(stub) as address, portunus(sqlite_urls, settings(sqlite_urls, flock, address), address) as http:
        witness, nest = Witness(http), Nest(address, flock, also=OPTIONAL)
        for name in vendors:
            await nest.fill(witness, ADAPTERS[name])
        for mark in CASES:
            if mark.provider in vendors:
                stub.seen.clear()
                await WORKS[mark.type](witness, mark)
                assert mark.feature is not Feature.VISION or all(PIXEL.encode() in body for body in stub.seen)


async def chats(witness: Witness, mark: Mark) -> None:
    """Whole and streamed alike; with a tool, by calling it."""
    seen = [{"image": {"inline": {"data": PIXEL, "mediaType": "image/png"}}}] if mark.feature is Feature.VISION else []
    tools = [WEATHER] if mark.feature is Feature.TOOLS else []
    messages = [{"role": "USER", "parts": [{"text": "What is it?"}, *seen]}]
    given = {"input": {"messages": messages, "tools": tools, "model": model(mark)}}
    whole = await witness.ask("chat", given)
    assert whole["__typename"] == "ChatPayload", (mark, whole)
    events = await witness.told("chatStream", given)
    assert events[-1]["__typename"] == "ChatFinished", (mark, events[-1])
    text = "".join(event["text"] for event in events if event["__typename"] == "TextDelta")
    pieces = [event for event in events if event["__typename"] == "ToolCallDelta"]
    if tools:
        assert [(call["name"], json.loads(call["arguments"])) for call in whole["toolCalls"]] == [CALLED]
        assert (pieces[0]["name"], json.loads("".join(piece["arguments"] for piece in pieces))) == CALLED
        assert (whole["finishReason"], events[-1]["finishReason"]) == ("TOOL_CALLS", "TOOL_CALLS")
    else:
        assert (whole["text"], text) == (everyone.SAID, everyone.SAID), mark
        assert (whole["finishReason"], events[-1]["finishReason"]) == ("STOP", "STOP")


async def embeds(witness: Witness, mark: Mark) -> None:
    answer = await witness.ask("embed", {"input": {"texts": DOCUMENTS, "model": model(mark)}})
    assert answer["__typename"] == "EmbedPayload", (mark, answer)
    assert answer["vectors"] == [shapes.vector(text, everyone.SIZE) for text in DOCUMENTS], mark


async def ranks(witness: Witness, mark: Mark) -> None:
    answer = await witness.ask("rerank", {"input": {"query": "key", "documents": DOCUMENTS, "model": model(mark)}})
    assert answer["__typename"] == "RerankPayload", (mark, answer)
    scores = [shapes.score("key", document) for document in DOCUMENTS]
    assert [(each["index"], each["score"]) for each in answer["results"]] == sorted(
        enumerate(scores), key=lambda ranked: -ranked[1]
    )


async def hears(witness: Witness, mark: Mark) -> None:
    language = {"language": "en"} if mark.provider in NEEDS_LANGUAGE else {}
    answer = await witness.ask("transcribe", {"input": {"file": None, "model": model(mark), **language}}, file=True)
    assert answer["__typename"] == "TranscribePayload", (mark, answer)
    assert answer["text"].startswith("8 bytes"), mark


async def speaks(witness: Witness, mark: Mark) -> None:
    """Some vendors send samples, to which the head of a WAV file is put."""
    given = {"input": {"text": "open the door", "model": model(mark)}}
    whole = await witness.ask("speak", given)
    assert whole["__typename"] == "SpeakPayload", (mark, whole)
    assert base64.b64decode(whole["audio"]).endswith(SPOKEN), mark
    events = await witness.told("speakStream", given)
    assert events[-1]["__typename"] == "SpeechFinished", (mark, events[-1])
    pieces = [event["audio"] for event in events if event["__typename"] == "AudioDelta"]
    assert b"".join(map(base64.b64decode, pieces)).endswith(SPOKEN), mark


WORKS: Mapping[ModelType, Callable[[Witness, Mark], Awaitable[None]]] = {
    ModelType.LLM: chats,
    ModelType.EMBEDDING: embeds,
    ModelType.RERANK: ranks,
    ModelType.SPEECH_TO_TEXT: hears,
    ModelType.TEXT_TO_SPEECH: speaks,
}


def model(mark: Mark) -> Mapping[str, str]:
    """One that the tenant named where it brings its own, else the catalogue's first that fits."""
    provider = catalogue().provider(mark.provider)
    if provider.kind is ProviderKind.HOSTED:
        return {"provider": mark.provider, "name": MODEL}
    rows = (row for row in provider.models if row.ref.type is mark.type and not row.deprecated)
    fits = next(row for row in rows if mark.feature in (None, *row.features))
    return {"provider": mark.provider, "name": fits.ref.name}
